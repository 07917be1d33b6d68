"""Puts environment variables into text: ``${NAME}``, ``${NAME:-fallback}``, ``$${`` for ``${``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from .keys import Key, describe
from .node import Loc, Node, path_text
from .report import Report

_REFERENCE: Final = re.compile(
    r"(?P<escaped>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<fallback>[^${}]*))?\}|(?P<bad>\$\{)"
)
_EMPTY: Final = ("…", "...")
_SCALAR: Final = re.compile(r"\s*(true|false|-?[0-9]{1,18}(\.[0-9]{1,18})?)\s*")

_GUARDS: Final = re.compile(
    r"channels\.telegram\.(dmPolicy|allowFrom(\[\])?|groups\.<chat id>(\..*)?)"
    r"|models\.providers\.<name>\.baseUrls(\[\])?"
)
"""Keys that would let strangers in, or send text elsewhere, if they fell back to a default."""


def expand(root: Node, env: Mapping[str, str], report: Report) -> None:
    """Replace the references in all text below ``root``.

    A variable that is unset or empty leaves ``node.unset`` behind; so does the
    placeholder ``…``, which documentation writes for a value of one's own.
    """
    for loc, node in root.walk():
        if isinstance(node.value, str):
            if "${" in node.value:
                _expand(node, loc, env, report)
            elif node.value in _EMPTY and (key := describe(loc)) is not None and key.takes_text:
                node.unset = "…"


def _expand(node: Node, loc: Loc, env: Mapping[str, str], report: Report) -> None:
    missing: list[str] = []
    used: list[str] = []

    def value_of(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "${"
        if match["bad"]:
            report.problem(
                f"{path_text(loc)} holds a ${{ that names no variable.",
                "Write ${NAME}, or $${ for the characters themselves.",
                node,
            )
            return match.group()
        name, fallback = match["name"], match["fallback"]
        used.append(name)
        value = env.get(name, "").rstrip("\r\n") or (fallback or "")
        if not value and fallback is None:
            missing.append(name)
        if "\0" in value or not _is_text(value):
            report.problem(
                f"the environment variable {name} is not text, and {path_text(loc)} needs it.",
                f"Set {name} to UTF-8 text.",
                node,
            )
            return "?"
        return value

    text = _REFERENCE.sub(value_of, node.value)
    key = describe(loc)
    if missing:
        # No text would do for an object or a list, so nothing is off: it is a wrong value.
        node.unset = missing[0] if key is None or key.takes_text else ""
        return
    node.value = text
    if used:
        node.source = "env"
        _as_expected(node, key)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_expected(node: Node, key: Key | None) -> None:
    """Variables are text; where the key wants a number or true, read one from it."""
    if key is not None and key.kind in ("whole", "number", "bool"):
        scalar = _SCALAR.fullmatch(node.value)
        if scalar:
            node.value = json.loads(scalar[1])


def prune(root: Node, report: Report) -> dict[Loc, str]:
    """Take out the values whose variable is not set; the variables by place.

    The keys then have their defaults, and a note says so; a key that guards
    something must not fall back, and is a problem instead.
    """
    gone: dict[Loc, str] = {}
    for loc, node in list(root.walk()):
        for name in [name for name, member in node.members.items() if member.unset]:
            member = node.value.pop(name)
            gone[(*loc, name)] = member.unset
            _tell(member, (*loc, name), report)
        for index, item in enumerate(node.items):
            if item.unset:
                gone[(*loc, index)] = item.unset
                _tell(item, (*loc, index), report)
        if isinstance(node.value, list):
            node.value = [item for item in node.value if not item.unset]
    return gone


def _tell(node: Node, loc: Loc, report: Report) -> None:
    key = describe(loc)
    path = node.written or path_text(loc)
    why, fix = why_missing(path, node.unset)
    if key is not None and _GUARDS.fullmatch(key.path):
        report.problem(f"{why}.", fix, node)
    elif key is None or key.field is None or not key.field.is_required():
        report.note(f"{why}; {_instead(key)}.")


def why_missing(path: str, variable: str) -> tuple[str, str]:
    """Says that ``path`` has no value because of ``variable``, and the fix."""
    if variable == "…":
        return f"{path} is not filled in", "Write a value for it."
    return (
        f"{path} needs the environment variable {variable}, which is not set",
        f"Set {variable}, or write the value.",
    )


def _instead(key: Key | None) -> str:
    if key is None or key.field is None:
        return "that entry is left out"
    default = key.field.get_default(call_default_factory=True)
    if default is None or default in ([], {}, ()):
        return "it is off"
    return f"the default {json.dumps(default)} is used"
