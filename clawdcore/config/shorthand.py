"""Writes short forms out: a plugin as plain text, a model as plain text, one address."""

from __future__ import annotations

from .node import Node, path_text
from .report import Report


def spell_out(root: Node, report: Report) -> None:
    """Bring short forms into the one form that the models know."""
    # Editors look for the schema there; it configures nothing.
    root.members.pop("$schema", None)
    defaults = root.get("agents", "defaults")
    model = root.get("agents", "defaults", "model")
    if defaults is not None and model is not None and isinstance(model.value, str):
        defaults.value["model"] = _around("primary", model, "agents.defaults.model")
    plugins = root.get("plugins")
    if plugins is not None:
        for index, item in enumerate(plugins.items):
            if isinstance(item.value, str):
                plugins.items[index] = _around("name", item, f"plugins[{index}]")
    providers = root.get("models", "providers")
    for name, provider in providers.members.items() if providers is not None else ():
        _addresses(provider, path_text(("models", "providers", name)))
    telegram = root.get("channels", "telegram")
    if telegram is not None:
        _policy(telegram, report)


def _around(name: str, node: Node, written: str) -> Node:
    """An object with ``node`` as its only member, at the same place."""
    node.written = written
    return Node({name: node}, node.line, node.column, node.key_line, node.key_column)


def _addresses(provider: Node, path: str) -> None:
    """``baseUrl`` goes first among ``baseUrls``."""
    if "baseUrl" not in provider.members:
        return
    one = provider.value.pop("baseUrl")
    one.written = f"{path}.baseUrl"
    several = provider.value.setdefault(
        "baseUrls", Node([], one.line, one.column, one.key_line, one.key_column)
    )
    if isinstance(several.value, list):
        several.value.insert(0, one)


def _policy(telegram: Node, report: Report) -> None:
    """Naming people in ``allowFrom`` closes private chats to others."""
    allow = telegram.members.get("allowFrom")
    if allow is None or allow.unset:
        return
    everybody = any(item.value == "*" for item in allow.items)
    policy = telegram.members.get("dmPolicy")
    if policy is None:
        if not everybody:
            telegram.value["dmPolicy"] = Node("allowlist", source="default")
            report.note('channels.telegram.dmPolicy is "allowlist", because allowFrom is given.')
    elif policy.value == "open" and not everybody:
        report.note(
            'channels.telegram.allowFrom has no effect while dmPolicy is "open"; '
            'write "allowlist" to let only these people in.'
        )
    elif policy.value == "disabled":
        report.note('channels.telegram.allowFrom has no effect while dmPolicy is "disabled".')
