"""OpenClaw's names for things that ClawdBot has too: they load, with a note."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from .node import PLACEHOLDERS, Loc, Node, path_text, quoted
from .report import Report


class Alias(NamedTuple):
    """A key of OpenClaw's, its name here, and how the value is translated."""

    old: Loc
    new: Loc
    convert: Callable[[Node], Node] | None = None
    about: str = ""


def _pattern(text: str) -> Loc:
    return tuple(text.replace("[]", ".[]").split("."))


def _milliseconds(node: Node) -> Node:
    if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        node.value = round(node.value * 1000)
    elif isinstance(node.value, str) and node.source == "env" and node.value.strip().isdecimal():
        node.value = int(node.value.strip()[:18]) * 1000
    return node


def _file(node: Node) -> Node:
    return Node({"file": node}, node.line, node.column, node.key_line, node.key_column)


def _alias(
    old: str, new: str, convert: Callable[[Node], Node] | None = None, about: str = ""
) -> Alias:
    return Alias(_pattern(old), _pattern(new), convert, about)


_MODEL: Final = "models.providers.<name>.models[]"
_TELEGRAM: Final = "channels.telegram"
ALIASES: Final = (
    _alias(f"{_MODEL}.contextWindow", f"{_MODEL}.contextLength"),
    _alias(f"{_MODEL}.maxTokens", f"{_MODEL}.maxOutputTokens"),
    _alias(
        "agents.defaults.timeoutSeconds",
        "agents.defaults.timeout.total",
        _milliseconds,
        "in milliseconds",
    ),
    _alias("gateway.auth.password", "gateway.auth.token"),
    _alias(f"{_TELEGRAM}.tokenFile", f"{_TELEGRAM}.botToken", _file, 'as { file: "path" }'),
    _alias(f"{_TELEGRAM}.webhookUrl", f"{_TELEGRAM}.webhook.url"),
    _alias(f"{_TELEGRAM}.webhookSecret", f"{_TELEGRAM}.webhook.secret"),
    _alias(f"{_TELEGRAM}.webhookPath", f"{_TELEGRAM}.webhook.path"),
    _alias(f"{_TELEGRAM}.webhookHost", f"{_TELEGRAM}.webhook.host"),
    _alias(f"{_TELEGRAM}.webhookPort", f"{_TELEGRAM}.webhook.port"),
)
BINDS: Final = {"auto": "127.0.0.1", "loopback": "127.0.0.1", "lan": "0.0.0.0"}
"""What OpenClaw's ``gateway.bind`` says, as a host."""
_HOSTS: Final = ("127.0.0.1", "0.0.0.0", "localhost", "::", "::1")
_STREAMING: Final = {"block": "partial", "progress": "partial"}
FOREIGN_VALUES: Final = {
    (
        f"{_TELEGRAM}.dmPolicy",
        "pairing",
    ): 'Pairing is OpenClaw\'s; write "allowlist", and name the people in allowFrom.',
}
"""Values of OpenClaw's that have no counterpart, and what to write instead."""


def translate(root: Node, report: Report) -> None:
    """Move OpenClaw's keys to where they belong here, a note for each."""
    for alias in ALIASES:
        for loc, parent in list(_parents(root, alias.old[:-1], ())):
            name = str(alias.old[-1])
            if name in parent.members:
                _move(root, (*loc, name), parent, alias, report)
    gateway = root.get("gateway")
    if gateway is not None:
        _bind(gateway, report)
    telegram = root.get("channels", "telegram")
    if telegram is not None and "streaming" in telegram.members:
        _streaming(telegram.members["streaming"], report)
    for name in ("queue", "inbound"):
        if root.get("messages", name) is not None:
            report.note(
                f"messages.{name} is OpenClaw's; here agents.defaults.maxConcurrent and "
                "gateway.requestQueueSize bound what waits."
            )


def _parents(node: Node, steps: Loc, loc: Loc) -> Iterator[tuple[Loc, Node]]:
    """The nodes that a pattern stands for, each with its place."""
    if not steps:
        yield loc, node
    elif steps[0] == "[]":
        for index, item in enumerate(node.items):
            yield from _parents(item, steps[1:], (*loc, index))
    elif steps[0] in PLACEHOLDERS:
        for name, member in node.members.items():
            yield from _parents(member, steps[1:], (*loc, name))
    elif steps[0] in node.members:
        yield from _parents(node.members[str(steps[0])], steps[1:], (*loc, steps[0]))


def _move(root: Node, loc: Loc, parent: Node, alias: Alias, report: Report) -> None:
    wild = iter(step for step, mark in zip(loc, alias.old, strict=True) if mark in PLACEHOLDERS)
    target = tuple(next(wild) if mark in PLACEHOLDERS else mark for mark in alias.new)
    home = _home(root, target[:-1], parent)
    if home is None:
        # What lies on the way is no object, which is reported by itself.
        parent.value.pop(loc[-1])
        return
    name = str(target[-1])
    node = parent.value.pop(loc[-1])
    if name in home.members:
        _clash(path_text(loc), path_text(target), node, home.members[name], report)
        return
    node.written = path_text(loc)
    moved = node if alias.convert is None or node.unset else alias.convert(node)
    moved.written = node.written
    home.value[name] = moved
    report.note(
        f"{path_text(loc)} is OpenClaw's name; here it is {_short(loc, target)}"
        f"{f', {alias.about}' if alias.about else ''}."
    )


def _short(loc: Loc, target: Loc) -> str:
    """The new name alone where it lies beside the old one, else its whole path."""
    return path_text(target[-1:]) if loc[:-1] == target[:-1] else path_text(target)


def _home(root: Node, loc: Loc, near: Node) -> Node | None:
    """The object at ``loc``, made where it is missing; None where it is no object."""
    node = root
    for step in loc:
        if isinstance(step, int):
            node = node.items[step]
        elif isinstance(node.value, dict):
            node = node.value.setdefault(
                step, Node({}, near.line, near.column, near.key_line, near.key_column)
            )
    return node if isinstance(node.value, dict) else None


def _clash(old: str, new: str, node: Node, other: Node, report: Report) -> None:
    report.problem(
        f"{old} and {new} (line {other.key_line}) are two names for one thing.",
        f"Remove {old}.",
        node,
        key=True,
    )


def _bind(gateway: Node, report: Report) -> None:
    """``gateway.bind`` and ``gateway.customBindHost`` as ``gateway.host``."""
    custom = gateway.members.get("customBindHost")
    bind = gateway.members.get("bind")
    if bind is None:
        return
    gateway.value.pop("bind")
    gateway.value.pop("customBindHost", None)
    if "host" in gateway.members:
        _clash("gateway.bind", "gateway.host", bind, gateway.members["host"], report)
        return
    value = bind.value
    if value == "custom" and custom is not None:
        bind.value, bind.unset = custom.value, custom.unset
    elif isinstance(value, str) and (value in BINDS or value in _HOSTS):
        bind.value = BINDS.get(value, value)
    elif not bind.unset:
        report.problem(
            'gateway.bind must be one of "auto", "loopback", "lan", or "custom" with '
            "customBindHost.",
            'Write the address instead, as host: "127.0.0.1".',
            bind,
        )
        return
    bind.written = "gateway.bind"
    gateway.value["host"] = bind
    report.note(f"gateway.bind is OpenClaw's name; here it is host: {quoted(str(bind.value))}.")


def _streaming(node: Node, report: Report) -> None:
    """Booleans, ``{ mode: … }`` and OpenClaw's other modes, as "off" or "partial"."""
    path = f"{_TELEGRAM}.streaming"
    if isinstance(node.value, dict) and "mode" in node.value:
        for name, member in node.value.items():
            if name == "mode":
                continue
            report.problem(
                f"{path_text(('channels', 'telegram', 'streaming', name))} is OpenClaw's, and "
                "nothing here does it.",
                'Write streaming: "partial" or "off".',
                member,
                key=True,
            )
        mode = node.value["mode"]
        node.value, node.unset, node.source = mode.value, mode.unset, mode.source
        report.note(f'{path}.mode is OpenClaw\'s; here it is streaming: "partial" or "off".')
    if isinstance(node.value, bool):
        node.value = "partial" if node.value else "off"
        report.note(f'{path} is read as "{node.value}".')
    elif isinstance(node.value, str) and node.value in _STREAMING:
        report.note(f'{path} "{node.value}" is OpenClaw\'s; here it is "partial".')
        node.value = _STREAMING[node.value]
