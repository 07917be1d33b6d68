"""What the Bot API's own description says about a call's parameters.

`methods.json` beside this file is made by `tools/compact_bot_api.py`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from .errors import JSON

INT64 = 2**63
MAX_DEPTH = 40
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0", ""})
_BAD = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its types as the documentation names them."""

    types: tuple[str, ...]
    required: bool


@dataclass(frozen=True, slots=True)
class Method:
    """One method, under its documented name."""

    name: str
    parameters: dict[str, Parameter]


@dataclass(frozen=True, slots=True)
class Spec:
    """All methods by lower-case name, and the kinds of updates."""

    version: str
    methods: dict[str, Method]
    updates: tuple[str, ...]


@dataclass(slots=True)
class Checked:
    """A call's parameters with their types, and what is wrong with them (names only)."""

    values: JSON = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@cache
def load_spec() -> Spec:
    """The description that comes with this package."""
    raw = json.loads(files(__package__).joinpath("methods.json").read_text(encoding="utf-8"))
    methods = {
        name.lower(): Method(
            name,
            {
                key.removesuffix("!"): Parameter(tuple(types.split("|")), key.endswith("!"))
                for key, types in parameters.items()
            },
        )
        for name, parameters in raw["methods"].items()
    }
    return Spec(raw["version"], methods, tuple(raw["updates"]))


def check(method: Method, given: JSON, uploads: frozenset[str]) -> Checked:
    """Parameters as the method wants them.

    ``given`` holds strings (query, forms) or JSON values; ``uploads`` names the
    files of a multipart call. An upload that a value refers to as
    ``attach://name`` is no unknown parameter.
    """
    checked = Checked()
    attached = {
        name for name in uploads if any(_mentions(v, f"attach://{name}") for v in given.values())
    }
    unknown = (given.keys() | uploads) - method.parameters.keys() - attached
    checked.unknown = sorted(unknown)
    for name, parameter in method.parameters.items():
        if name in uploads and "InputFile" in parameter.types:
            checked.values[name] = f"attach://{name}"
            continue
        raw = given.get(name)
        if raw is None or (raw == "" and "String" not in parameter.types):
            if parameter.required:
                checked.missing.append(name)
            continue
        value = _typed(raw, parameter.types)
        if value is _BAD:
            checked.wrong.append(name)
        else:
            checked.values[name] = value
    return checked


def _mentions(value: Any, reference: str) -> bool:
    if isinstance(value, str):
        return reference in value
    if isinstance(value, list):
        return any(_mentions(item, reference) for item in value)
    if isinstance(value, dict):
        return any(_mentions(item, reference) for item in value.values())
    return False


def _typed(raw: Any, types: tuple[str, ...]) -> Any:
    """The first of the types that fits, or ``_BAD``."""
    for name in types:
        if name == "Integer":
            value = _integer(raw)
        elif name == "Boolean":
            value = _boolean(raw)
        elif name == "Float":
            value = _float(raw)
        elif name in ("String", "InputFile"):
            value = _string(raw)
        elif name.startswith("Array of "):
            value = _array(raw, name.removeprefix("Array of "))
        else:
            value = _object(raw)
        if value is not _BAD:
            return value
    return _BAD


def _integer(raw: Any) -> Any:
    if isinstance(raw, str):
        digits = raw.strip()
        body = digits[1:] if digits[:1] in ("-", "+") else digits
        if not (body.isascii() and body.isdigit() and len(body) <= 19):
            return _BAD
        raw = int(digits)
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if type(raw) is not int or not -INT64 <= raw < INT64:
        return _BAD
    return raw


def _boolean(raw: Any) -> Any:
    if isinstance(raw, bool):
        return raw
    word = str(raw).lower() if isinstance(raw, str | int) else "?"
    if word in _TRUE:
        return True
    return False if word in _FALSE else _BAD


def _float(raw: Any) -> Any:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return _BAD
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return _BAD
    return value if math.isfinite(value) else _BAD


def _string(raw: Any) -> Any:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, int | float):
        return json.dumps(raw)
    return _BAD


def _decoded(raw: Any) -> Any:
    """A JSON value, given as such or as text; ``_BAD`` for one that can't be sent on."""
    try:
        value = json.loads(raw) if isinstance(raw, str) else raw
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return _BAD
    return value if _depth(value) <= MAX_DEPTH else _BAD


def _depth(value: Any) -> int:
    """How deep lists and objects are nested."""
    level, depth = [value], 0
    while level:
        depth += 1
        inner = [
            v.values() if isinstance(v, dict) else v for v in level if isinstance(v, dict | list)
        ]
        level = [item for values in inner for item in values]
    return depth


def _array(raw: Any, item: str) -> Any:
    value = _decoded(raw)
    if not isinstance(value, list):
        return _BAD
    items = [_typed(v, (item,)) for v in value]
    return _BAD if any(v is _BAD for v in items) else items


def _object(raw: Any) -> Any:
    value = _decoded(raw)
    return value if isinstance(value, dict) else _BAD
