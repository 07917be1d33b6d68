"""One word as a value of an annotated type; pure."""

from __future__ import annotations

import inspect
import math
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin


def plain(annotation: Any) -> Any:
    """``X | None`` is X: leaving it out is what the default is for."""
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
        if len(kinds) == 1:
            return kinds[0]
    return annotation


def parseable(kind: Any) -> bool:
    """Whether :func:`convert` can make one of a word."""
    if kind in (str, int, float, bool) or get_origin(kind) is Literal:
        return True
    if not isinstance(kind, type) or get_origin(kind) is not None:
        return False
    parse = inspect.getattr_static(kind, "parse", None)
    return issubclass(kind, Enum) or isinstance(parse, classmethod | staticmethod)


def written(kind: Any) -> str:
    """As it stands in the source."""
    return kind.__name__ if type(kind) is type else str(kind)


def choices(kind: Any) -> list[str]:
    """The words that it may be, [] where it isn't one of a few."""
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return []


def convert(kind: Any, word: str) -> Any:
    """The word as ``kind``; a type's own ``parse(word)`` is used where it has one.

    Raises:
        ValueError: it is none.
    """
    if kind is str:
        return word
    if kind is bool:
        lowered = word.casefold()
        if lowered not in {"on", "yes", "true", "1", "off", "no", "false", "0"}:
            raise ValueError(word)
        return lowered in {"on", "yes", "true", "1"}
    if get_origin(kind) is Literal:
        for value in get_args(kind):
            if str(value).casefold() == word.casefold():
                return value
        raise ValueError(word)
    parse = getattr(kind, "parse", None)
    if callable(parse):
        return parse(word)
    if issubclass(kind, Enum):
        for member in kind:
            if str(member.value).casefold() == word.casefold():
                return member
        raise ValueError(word)
    value = kind(word)
    if kind is float and not math.isfinite(value):
        raise ValueError(word)  # no command reckons with "nan", and few survive it
    return value


def expected(kind: Any) -> tuple[str, dict[str, str]]:
    """What a word should have been: a template with ``{name}``, and its other values."""
    known = choices(kind)
    if known:
        return "{name} must be one of: {choices}.", {"choices": ", ".join(known)}
    sentences = {
        int: "{name} must be a whole number.",
        float: "{name} must be a number.",
        bool: "{name} must be on or off.",
    }
    return sentences.get(kind, "{name} is not understood."), {}
