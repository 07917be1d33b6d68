"""Edits of the plugin list in a clawdbot.json that somebody wrote: the rest stays as it is.

Comments, order, indentation and quotes are kept. What is switched off stays in its place,
with its options, as ``{ name: "x", enabled: false }``. Pure: text in, text out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from .model import DEFAULT_PLUGINS
from .node import Node
from .source import Reader

_REST_OF_LINE = re.compile(r"[ \t]*(?:/\*[^\r\n]*?\*/[ \t]*)*(?://[^\r\n]*)?")


def enabled(
    text: str, name: str, file: str = "", *, default: Sequence[str] = DEFAULT_PLUGINS
) -> str:
    """``text`` with the plugin ``name`` on its list, switched on.

    Where there is no list, one is written with the ``default`` plugins and this one.

    Raises:
        clawdcore.errors.ConfigSyntaxError: ``text`` is no JSON5; ``file`` is its name.
    """
    document = _Document(text, file)
    if document.plugins is None:
        names = [*default, *([] if name in default else [name])]
        return document.with_list([json.dumps(each) for each in names])
    entry = document.entry(name)
    if entry is None:
        return document.appended(json.dumps(name))
    if isinstance(entry.value, str):
        return text
    switch = entry.members.get("enabled")
    if switch is None or switch.value is not False:
        return text
    if entry.members.keys() == {"name", "enabled"}:
        return document.replaced(entry, document.of(entry.members["name"]))
    return document.replaced(switch, "true")


def disabled(
    text: str, name: str, file: str = "", *, default: Sequence[str] = DEFAULT_PLUGINS
) -> str:
    """``text`` with the plugin ``name`` switched off; as it is where it is not on the list.

    Raises:
        clawdcore.errors.ConfigSyntaxError: as :func:`enabled`.
    """
    document = _Document(text, file)
    if document.plugins is None:
        if name not in default:
            return text
        entries = [_off(json.dumps(each)) if each == name else json.dumps(each) for each in default]
        return document.with_list(entries)
    entry = document.entry(name)
    if entry is None:
        return text
    if isinstance(entry.value, str):
        return document.replaced(entry, _off(document.of(entry)))
    switch = entry.members.get("enabled")
    if switch is not None:
        return document.replaced(switch, "false")
    return document.opened(entry, ' "enabled": false,')


def _off(quoted: str) -> str:
    return f'{{ "name": {quoted}, "enabled": false }}'


class _Document(Reader):
    """A parsed text that knows where each value begins and ends."""

    def __init__(self, text: str, file: str) -> None:
        self.mark = text[: len(text) - len(text.removeprefix("\ufeff"))]
        super().__init__(text.removeprefix("\ufeff"), file or "clawdbot.json")
        self.spans: dict[int, tuple[int, int]] = {}
        self._kept: list[Node] = []
        self.root = self.document()
        found = self.root.members.get("plugins")
        self.plugins = found if found is not None and isinstance(found.value, list) else None

    def value(self) -> Node:
        start = self.at
        node = super().value()
        self.spans[id(node)] = (start, self.at)
        self._kept.append(node)  # an id is one's own only as long as one is there
        return node

    def of(self, node: Node) -> str:
        """A value as it is written."""
        start, end = self.spans[id(node)]
        return self.text[start:end]

    def entry(self, name: str) -> Node | None:
        """The list's entry of that name."""
        for each in self.plugins.items if self.plugins is not None else []:
            named = each.members.get("name")
            if each.value == name or (named is not None and named.value == name):
                return each
        return None

    def replaced(self, node: Node, new: str) -> str:
        """The text with ``new`` in the place of a value."""
        start, end = self.spans[id(node)]
        return f"{self.mark}{self.text[:start]}{new}{self.text[end:]}"

    def opened(self, node: Node, new: str) -> str:
        """The text with ``new`` behind the bracket that opens a value."""
        start, _ = self.spans[id(node)]
        return f"{self.mark}{self.text[: start + 1]}{new}{self.text[start + 1 :]}"

    def with_list(self, entries: list[str]) -> str:
        """The text with a key ``plugins`` before all others, or in the place of a null."""
        whole = f"[{', '.join(entries)}]"
        there = self.root.members.get("plugins")
        if there is not None:
            return self.replaced(there, whole)
        more = "," if self.root.members else "\n"
        return self.opened(self.root, f'\n  "plugins": {whole}{more}')

    def appended(self, entry: str) -> str:
        """The text with one more entry at the list's end, in the form of the last one."""
        assert self.plugins is not None
        items = self.plugins.items
        text = self.text
        if not items:
            return self.opened(self.plugins, entry)
        start, end = self.spans[id(items[-1])]
        before = text[text.rfind("\n", 0, start) + 1 : start]
        if before.strip():  # beside others
            return f"{self.mark}{text[:end]}, {entry}{text[end:]}"
        self.at = end
        self.space()
        comma = self.at if self.peek() == "," else None
        if comma is None:
            line = _end_of_line(text, end)
            new = f"{text[:end]},{text[end:line]}\n{before}{entry}{text[line:]}"
        else:
            line = _end_of_line(text, comma + 1)
            new = f"{text[:line]}\n{before}{entry},{text[line:]}"
        return f"{self.mark}{new}"


def _end_of_line(text: str, at: int) -> int:
    """Where what stands in this line after ``at``, comments for one, is over."""
    found = _REST_OF_LINE.match(text, at)
    return found.end() if found is not None else at
