"""What one key says of another: providers that exist, plugins named once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .agents import DEFAULT_MODEL
from .channels import PUBLIC_API
from .hints import nearest
from .node import Loc, Node, path_text, quoted
from .providers import BUILT_IN
from .report import Report


def check(root: Node, gone: Mapping[Loc, str], report: Report) -> None:
    """Report every contradiction between keys. Wrong types are no matter of these checks.

    ``gone`` has the variables that are not set, by the key that wanted them.
    """
    _plugins_once(root, report)
    _provider_keys(root, report)
    _models_served(root, report)
    _groups_open(root, gone, report)
    _webhook(root, report)


def _plugins_once(root: Node, report: Report) -> None:
    plugins = root.get("plugins")
    first: dict[str, Node] = {}
    for index, plugin in enumerate(plugins.items if plugins is not None else ()):
        name = plugin.get("name")
        if name is None or not isinstance(name.value, str):
            continue
        earlier = first.setdefault(name.value, name)
        if earlier is not name:
            report.problem(
                f"plugins[{index}] lists {quoted(name.value)} again; the first is in line "
                f"{earlier.line}.",
                "Remove one of them.",
                name,
            )


def _provider_keys(root: Node, report: Report) -> None:
    providers = root.get("models", "providers")
    for name, provider in providers.members.items() if providers is not None else ():
        if "name" in provider.members:
            report.problem(
                f"{path_text(('models', 'providers', name, 'name'))} is no key here; a "
                "provider's name is its key in providers.",
                "Remove it.",
                provider.members["name"],
                key=True,
            )


def _models_served(root: Node, report: Report) -> None:
    mode = root.get("models", "mode")
    providers = root.get("models", "providers")
    configured = providers.members if providers is not None else {}
    replace = mode is not None and mode.value == "replace"
    known = [*configured, *(() if replace else BUILT_IN)]
    if replace and root.get("agents", "defaults", "model", "primary") is None:
        report.problem(
            f'models.mode is "replace", and the default model {DEFAULT_MODEL} is of no provider '
            "of yours.",
            "Set agents.defaults.model.primary to a model of one of your providers.",
            mode,
        )
    for loc, node in _references(root):
        name, _, model = node.value.partition("/")
        path = node.written or path_text(loc)
        if name in configured:
            _model_listed(path, node.value, model, configured[name], report)
        elif name and model and name not in known:
            near = nearest(name, known)
            meant = f'; did you mean "{near}"?' if near else "."
            fix = (
                'Put it under models.providers; models.mode is "replace".'
                if name in BUILT_IN
                else f"Add it to models.providers, or use one of: {', '.join(known) or 'none yet'}."
            )
            report.problem(
                f"{path} names the provider {quoted(name)}, which is not configured{meant}",
                fix,
                node,
            )


def _references(root: Node) -> Iterator[tuple[Loc, Node]]:
    loc: Loc = ("agents", "defaults", "model")
    primary = root.get(*loc, "primary")
    if primary is not None and isinstance(primary.value, str):
        yield (*loc, "primary"), primary
    fallbacks = root.get(*loc, "fallbacks")
    for index, node in enumerate(fallbacks.items if fallbacks is not None else ()):
        if isinstance(node.value, str):
            yield (*loc, "fallbacks", index), node


def _model_listed(path: str, whole: str, model: str, provider: Node, report: Report) -> None:
    """A model that its provider's list lacks may still be served: a note, no problem."""
    listed = provider.get("models")
    ids = [
        entry.value
        for item in (listed.items if listed is not None else ())
        if (entry := item.get("id")) is not None and isinstance(entry.value, str)
    ]
    if ids and model not in ids:
        near = nearest(model, ids)
        report.note(
            f"{path} is {quoted(whole)}, which its provider's models don't list"
            + (f"; did you mean {quoted(near)}?" if near else ".")
        )


def _groups_open(root: Node, gone: Mapping[Loc, str], report: Report) -> None:
    groups = root.get("channels", "telegram", "groups")
    for chat, group in groups.members.items() if groups is not None else ():
        loc: Loc = ("channels", "telegram", "groups", chat, "allowFrom")
        allow = group.get("allowFrom")
        if allow is not None and allow.value == [] and (*loc, 0) not in gone:
            report.problem(
                f"{path_text(loc)} lists nobody.",
                "Name somebody, remove it to let everybody in, or set enabled: false.",
                allow,
            )


def _webhook(root: Node, report: Report) -> None:
    loc: Loc = ("channels", "telegram", "webhook")
    webhook = root.get(*loc)
    if webhook is None or not webhook.members:
        return
    url = webhook.members.get("url")
    if url is None or not isinstance(url.value, str):
        report.note("channels.telegram.webhook has no effect without its url: the bot polls.")
        return
    server = root.get("channels", "telegram", "apiRoot")
    if not url.value.startswith("https://") and (server is None or server.value == PUBLIC_API):
        # https://core.telegram.org/bots/api#setwebhook; a server of one's own takes http, too.
        report.problem(
            f"{url.written or path_text((*loc, 'url'))} must begin with https://.",
            "Telegram delivers to nothing else; put a proxy with a certificate before the bot.",
            url,
        )
