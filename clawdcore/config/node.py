"""A value of the file, together with where it was written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

Loc = tuple[str | int, ...]
"""A place in the configuration: keys, and indexes of lists."""

Source = Literal["default", "file", "env", "secret file"]
"""Where a value came from."""

PLACEHOLDERS: Final = frozenset({"[]", "<name>", "<chat id>"})
"""Steps of a pattern that stand for any index, any name, any chat id."""
_PLAIN: Final = re.compile(r"[A-Za-z_$][\w$-]*\Z")


@dataclass(slots=True)
class Node:
    """A value and its place: ``line`` and ``column`` of the value, both from 1.

    ``value`` is a dict or list of nodes, or a str, int, float, bool or None. A
    member of an object also has the place of its key. ``unset`` names the
    environment variable that the value waits for in vain, and ``written`` is
    the path in the file where an alias or a short form moved the value.
    """

    value: Any
    line: int = 0
    column: int = 0
    key_line: int = 0
    key_column: int = 0
    source: Source = "file"
    unset: str = ""
    written: str = ""

    @property
    def members(self) -> dict[str, Node]:
        """The members of an object; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a list; empty for anything else."""
        return self.value if isinstance(self.value, list) else []

    def get(self, *loc: str | int) -> Node | None:
        """The node at ``loc`` below this one, or None."""
        node: Node | None = self
        for step in loc:
            if node is None:
                return None
            if isinstance(step, int):
                node = node.items[step] if step < len(node.items) else None
            else:
                node = node.members.get(step)
        return node

    def nearest(self, loc: Loc) -> Node:
        """The deepest node on the way to ``loc`` that exists."""
        node = self
        for step in loc:
            found = node.get(step)
            if found is None:
                break
            node = found
        return node

    def walk(self, loc: Loc = ()) -> Iterator[tuple[Loc, Node]]:
        """This node and all below it, parents first."""
        yield loc, self
        for name, member in self.members.items():
            yield from member.walk((*loc, name))
        for index, item in enumerate(self.items):
            yield from item.walk((*loc, index))

    def plain(self) -> Any:
        """The value without places, as ``json.loads`` would give it."""
        if isinstance(self.value, dict):
            return {name: member.plain() for name, member in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


def path_text(loc: Loc) -> str:
    """``("models", "providers", "a.b", 0)`` as ``models.providers["a.b"][0]``."""
    text = ""
    for step in loc:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step in PLACEHOLDERS:
            text += step if step == "[]" else f".{step}"
        elif _PLAIN.match(step):
            text += f".{step}" if text else step
        else:
            text += f"[{quoted(step)}]"
    return text


def quoted(text: str) -> str:
    """``text`` in quotes, on one line and not longer than 60 characters."""
    cut = text if len(text) <= 60 else f"{text[:59]}…"
    inside = cut.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in inside) + '"'
