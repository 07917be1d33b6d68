"""All keys that exist, read off the models: for hints, documentation and checks."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from .model import Config
from .node import Loc, path_text
from .providers import ProviderConfig
from .values import Placeholder, Section

Kind = Literal[
    "section", "map", "list", "free", "text", "secret", "peer", "whole", "number", "bool", "choice"
]
SHORT_FORMS: Final = ("agents.defaults.model", "plugins[]")
"""Sections that text alone may stand for."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that may stand in the file, or an item of one.

    ``steps`` is its path with placeholders, ``inner`` what a map or list holds,
    and ``field`` is None for items.
    """

    steps: Loc
    kind: Kind
    annotation: Any
    field: FieldInfo | None
    inner: Any = None
    placeholder: str = "[]"

    @property
    def path(self) -> str:
        """The path as documentation writes it: ``plugins[].name``."""
        return path_text(self.steps)

    @property
    def name(self) -> str:
        """The key's own name: ``name``."""
        return str(self.steps[-1]) if self.steps else ""

    @property
    def takes_text(self) -> bool:
        """Whether text, and so a variable, can stand for the value."""
        return self.kind not in ("section", "map", "list", "free") or self.path in SHORT_FORMS

    @property
    def is_leaf(self) -> bool:
        """Whether no other key lies below it."""
        if self.kind in ("map", "list"):
            return not _holds_sections(self.inner)
        return self.kind != "section"

    def below(self, step: str | int) -> Key | None:
        """The key or item named ``step``, or None where none may stand."""
        if self.kind == "section":
            field = children(self.annotation).get(str(step))
            return (
                None if field is None else _make((*self.steps, str(step)), field.annotation, field)
            )
        if self.kind in ("map", "list"):
            return _make((*self.steps, self.placeholder), self.inner, None)
        return None


def children(section: type[Section]) -> dict[str, FieldInfo]:
    """The keys of a section by their name in the file."""
    return {
        field.alias or name: field
        for name, field in section.model_fields.items()
        # A provider's name is its key in the map, not a key inside.
        if not (section is ProviderConfig and name == "name")
    }


def describe(loc: Loc) -> Key | None:
    """The key that a place of the file belongs to, or None for an unknown key."""
    key: Key | None = ROOT
    for step in loc:
        key = key.below(step) if key is not None else None
    return key


@cache
def all_keys() -> tuple[Key, ...]:
    """Every key, sections too, in the order of the models."""
    return tuple(_walk(ROOT))


def leaf_keys() -> tuple[Key, ...]:
    """The keys that hold a value rather than further keys."""
    return tuple(key for key in all_keys() if key.is_leaf)


def _walk(key: Key) -> Iterator[Key]:
    if key.field is not None:
        yield key
    if key.kind == "section":
        for name in children(key.annotation):
            below = key.below(name)
            if below is not None:
                yield from _walk(below)
    elif not key.is_leaf:
        item = key.below("")
        if item is not None:
            yield from _walk(item)


def _make(steps: Loc, annotation: Any, field: FieldInfo | None) -> Key:
    plain, _ = _bare(annotation)
    origin = get_origin(plain)
    if origin is dict:
        key_type, inner = get_args(plain)
        _, marks = _bare(key_type)
        names = [mark for mark in marks if isinstance(mark, Placeholder)]
        if not names:
            return Key(steps, "free", plain, field)
        return Key(steps, "map", plain, field, inner, str(names[0]))
    if origin in (list, tuple):
        return Key(steps, "list", plain, field, get_args(plain)[0])
    return Key(steps, _kind(plain), plain, field)


def _kind(plain: Any) -> Kind:
    if get_origin(plain) is Literal:
        return "choice"
    if get_origin(plain) in (Union, types.UnionType):
        return "peer"
    if isinstance(plain, type):
        if issubclass(plain, Section):
            return "section"
        for type_, kind in _KINDS:
            if issubclass(plain, type_):
                return kind
    return "free"


_KINDS: tuple[tuple[type, Kind], ...] = (
    (SecretStr, "secret"),
    (bool, "bool"),
    (int, "whole"),
    (float, "number"),
    (str, "text"),
)


def _bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """An annotation without ``Annotated`` and ``None``, and the marks it carried."""
    marks: tuple[Any, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            marks += tuple(more)
            continue
        if get_origin(annotation) in (Union, types.UnionType):
            rest = [part for part in get_args(annotation) if part is not type(None)]
            if len(rest) == 1:
                annotation = rest[0]
                continue
        return annotation, marks


def _holds_sections(inner: Any) -> bool:
    plain, _ = _bare(inner)
    return isinstance(plain, type) and issubclass(plain, Section)


ROOT = _make((), Config, None)
