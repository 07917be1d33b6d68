"""Says what a key expects, and which key an unknown one was meant to be."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from typing import Any, get_args

from .keys import SHORT_FORMS, Key, all_keys, children
from .node import Node, path_text


def expected(key: Key) -> str:
    """What the key's value must be: "a whole number from 1 to 65535"."""
    if key.path in SHORT_FORMS:
        return "text, or an object { … }"
    if key.kind == "choice":
        return "one of " + ", ".join(f'"{choice}"' for choice in get_args(key.annotation))
    words = {
        "section": "an object { … }",
        "map": "an object { … }",
        "free": "an object { … }",
        "list": "a list [ … ]",
        "text": "text",
        "peer": 'a user\'s id, "@name" or "*"',
        "secret": 'text, or { file: "path" }',
        "whole": "a whole number",
        "number": "a number",
        "bool": "true or false",
    }
    return words[key.kind] + _range(key)


def _range(key: Key) -> str:
    limits: dict[str, Any] = {}
    for mark in key.field.metadata if key.field is not None else ():
        for name in ("ge", "gt", "le"):
            if getattr(mark, name, None) is not None:
                limits[name] = getattr(mark, name)
    low, above, high = limits.get("ge"), limits.get("gt"), limits.get("le")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if above is not None and high is not None:
        return f" above {above}, at most {high}"
    return "" if low is None else f" of at least {low}"


def found(value: Any) -> str:
    """What a value is, in the words of :func:`expected`; never the value itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"


def example(key: Key) -> str:
    """How to write the key, with a value that would do: ``port: 18780``."""
    value: Any = None
    if key.field is not None:
        value = key.field.examples[0] if key.field.examples else key.field.get_default()
    if value is None or key.kind in ("section", "map"):
        return f"{key.name}: {{ … }}"
    return f"{key.name}: {json.dumps(value, ensure_ascii=False)}"


def rewrite(key: Key) -> str:
    """The fix for a value that the key can't hold."""
    if key.field is not None:
        return f"Write it as {example(key)}."
    return "Put it in quotes." if key.kind == "text" else f"Write {expected(key)}."


def unknown_key(parent: Key, name: str, member: Node) -> tuple[str, str]:
    """What is wrong with the unknown key ``name`` in ``parent``, and the fix."""
    here = list(children(parent.annotation)) if parent.kind == "section" else []
    near = nearest(name, here)
    where = path_text(parent.steps) or "the top level"
    if near and _likeness(name, near) >= 0.75:
        return f'is no key here; did you mean "{near}"?', f"Write {near} instead of {name}."
    elsewhere = _elsewhere(name, member)
    if elsewhere:
        places = " or ".join(path_text(key.steps[:-1]) or "the top level" for key in elsewhere)
        right = elsewhere[0].name
        return f'is no key here; "{right}" belongs under {places}.', f"Move it under {places}."
    if near:
        return f'is no key here; did you mean "{near}"?', f"Write {near} instead of {name}."
    known = ", ".join(here)
    return f"is no key here; {where} has {known}.", "Remove it."


def nearest(name: str, names: list[str]) -> str:
    """The one of ``names`` that ``name`` most resembles, or ""."""
    best = max(names, key=lambda known: _likeness(name, known), default="")
    return best if best and _likeness(name, best) >= 0.6 else ""


def _likeness(one: str, other: str) -> float:
    """0 to 1; letter case, ``_`` and ``-`` don't count."""
    return SequenceMatcher(None, _folded(one), _folded(other), autojunk=False).ratio()


def _folded(name: str) -> str:
    return name[:60].casefold().replace("_", "").replace("-", "")


def _elsewhere(name: str, member: Node) -> list[Key]:
    """The keys of that name on other levels which could take the value."""
    same = [key for key in all_keys() if _folded(key.name) == _folded(name)]
    able = [key for key in same if fits(key, member.value)]
    return (able or same)[:3]


def fits(key: Key, value: Any) -> bool:
    """Whether ``value`` is of the kind that ``key`` holds; its range is another matter."""
    if key.kind in ("section", "map", "free"):
        return isinstance(value, dict)
    if key.kind == "list":
        return isinstance(value, list)
    if key.kind == "bool":
        return isinstance(value, bool)
    if key.kind in ("whole", "number"):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if key.kind == "peer":
        return isinstance(value, (int, str)) and not isinstance(value, bool)
    return isinstance(value, str)
