"""Walk the tokens of a Markdown text and write what Telegram shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from markdown_it.token import Token

from ..markup import Entity, units
from .tables import table

BULLET: Final = "•"
INDENT: Final = "  "
RULE: Final = "──────────"
STYLES: Final = {"strong": "bold", "em": "italic", "s": "strikethrough"}
_LANGUAGE: Final = re.compile(r"[\w+#.-]{1,32}")


class Rendering:
    """The text and the entities so far.

    Blocks are as many lines apart as in the source. Offsets are UTF-16 units.
    A style is interrupted where code is, since code takes none; code in a link
    is the link's text. Of quotes in quotes only the outer one is an entity.
    """

    def __init__(self, source: str) -> None:
        self._lines = source.split("\n")
        self._line = 0
        """The first line of the source that is not yet written."""
        self._text: list[str] = []
        self._at = 0
        self._entities: list[Entity] = []
        self._styles: dict[str, list[int]] = {}
        """Where each open style began; a style within itself has more than one."""
        self._links: list[tuple[str, int]] = []
        self._items: list[Token] = []
        self._marks: list[str] = []
        """Bullets and numbers of list items whose text is still to come."""
        self._quotes = 0
        self._quote: int | None = None

    def result(self) -> tuple[str, tuple[Entity, ...]]:
        """The text with its line breaks at the end, and its entities."""
        for line in self._lines[self._line :]:
            self._write("\n" if self._text else "")
            self._write(_blank(line))
        text = "".join(self._text)
        data = text.encode("utf-16-le", "surrogatepass")
        trimmed = [_trimmed(entity, data) for entity in self._entities]
        entities = [entity for entity in trimmed if entity.length > 0]
        entities.reverse()  # of two over the same text the inner one was added first
        return text, tuple(sorted(entities, key=lambda e: (e.offset, -e.length)))

    def blocks(self, tokens: Sequence[Token]) -> None:
        """Write the block tokens of a whole text."""
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "table_open":
                end = next(i for i in range(at, len(tokens)) if tokens[i].type == "table_close")
                self._table(token, tokens[at:end])
                at = end
            elif token.type in ("paragraph_open", "heading_open"):
                self._paragraph(token, tokens[at + 1])
                at += 2
            else:
                self._block(token)
            at += 1

    def _block(self, token: Token) -> None:
        if token.type == "list_item_open":
            self._item(token)
        elif token.type == "list_item_close":
            item = self._items.pop()
            if self._marks:  # an item without text: "-" may be all that somebody wrote
                self._marks = []
                line = (item.map or [self._line])[0]
                self._begin(line, line + 1, level=1)
                self._write(self._lines[line].strip())
        elif token.type == "blockquote_open":
            self._quotes += 1
        elif token.type == "blockquote_close":
            self._quotes -= 1
            if not self._quotes and self._quote is not None:
                self._add("blockquote", self._quote)
                self._quote = None
        elif token.type == "fence":
            self._pre(token, token.content, token.info.strip())
        elif token.type == "hr":
            self._leaf(token)
            self._write(RULE)
        elif token.type == "math_block":
            self._leaf(token)
            self._write(token.content)

    def _item(self, token: Token) -> None:
        mark = f"{token.info}{token.markup}" if token.info else BULLET
        outside = "" if self._marks else INDENT * len(self._items)
        self._marks.append(f"{outside}{mark} ")
        self._items.append(token)

    def _leaf(self, token: Token) -> None:
        start, end = token.map or (self._line, self._line)
        self._begin(start, end, level=token.level)

    def _begin(self, start: int, end: int, *, level: int) -> None:
        """Go to the line of the source that a block without blocks in it starts at."""
        self._write("\n" if self._text else "")
        for line in self._lines[self._line : start]:
            self._write(f"{'' if level else _blank(line)}\n")
        if self._quotes and self._quote is None:
            self._quote = self._at
        self._line = max(self._line, end)
        self._write("".join(self._marks) or INDENT * len(self._items))
        self._marks = []

    def _paragraph(self, token: Token, inline: Token) -> None:
        start, end = token.map or (self._line, self._line)
        raw = "\n".join(self._lines[start:end])
        heading = token.type == "heading_open"
        before = after = ""
        if not token.level and not heading:
            # The library trims a paragraph; plain text is to stay as it is.
            before, _, after = raw.partition(inline.content) if inline.content else (raw, "", "")
        self._leaf(token)
        self._write(before)
        if heading:
            self._open("bold")
        self._inline(inline.children or ())
        if heading:
            self._close("bold")
        self._write(after)

    def _pre(self, token: Token, content: str, info: str = "") -> None:
        language = info if _LANGUAGE.fullmatch(info) else None
        start, end = token.map or (self._line, self._line)
        if self._marks:  # the block is below its bullet
            self._begin(start, start, level=1)
            self._write("\n")
        elif not content.strip():
            self._leaf(token)
        else:
            items, self._items = self._items, []
            self._leaf(token)
            self._items = items
        self._line = max(self._line, end)
        if info and not language:
            self._write(f"{info}\n")
        at = self._at
        self._write(content.removesuffix("\n"))
        self._add("pre", at, language=language)

    def _table(self, token: Token, inside: Sequence[Token]) -> None:
        start, end = token.map or (self._line, self._line)
        raw = "\n".join(line.strip() for line in self._lines[start:end])
        self._pre(token, table(inside, raw))

    def _inline(self, children: Sequence[Token]) -> None:
        for token in children:
            name, _, side = token.type.rpartition("_")
            if token.type == "code_inline":
                self._code(token.content)
            elif token.type in ("softbreak", "hardbreak"):
                self._write("\n" + INDENT * len(self._items))
            elif token.type == "link_open":
                url = str(token.attrGet("href") or "")
                if token.markup == "autolink" and url.startswith("mailto:"):
                    url = ""  # Telegram finds an address by itself
                self._links.append((url, self._at))
            elif token.type == "link_close":
                self._link(*self._links.pop())
            elif name in STYLES:
                (self._open if side == "open" else self._close)(STYLES[name])
            else:
                self._write(token.content)

    def _code(self, content: str) -> None:
        if self._links:
            self._write(content)
            return
        for style, starts in self._styles.items():
            self._add(style, starts[0])
        at = self._at
        self._write(content)
        self._add("code", at)
        for starts in self._styles.values():
            starts[0] = self._at

    def _link(self, url: str, at: int) -> None:
        if self._links or not url:
            return
        if self._at == at:
            self._write(url)
        self._add("text_link", at, url=url)

    def _open(self, style: str) -> None:
        self._styles.setdefault(style, []).append(self._at)

    def _close(self, style: str) -> None:
        starts = self._styles[style]
        start = starts.pop()
        if not starts:
            del self._styles[style]
            self._add(style, start)

    def _add(
        self, kind: str, start: int, *, url: str | None = None, language: str | None = None
    ) -> None:
        self._entities.append(Entity(kind, start, self._at - start, url, language))

    def _write(self, text: str) -> None:
        if text:
            self._text.append(text)
            self._at += units(text)


def _blank(line: str) -> str:
    """A line between two blocks: as it is, unless markup was all that was on it."""
    return "" if line.strip() else line


def _trimmed(entity: Entity, data: bytes) -> Entity:
    """Without white space at its ends; the first line of a block of code keeps its own."""
    start, end = entity.offset, entity.offset + entity.length
    while end > start and _space(data, end - 1):
        end -= 1
    while entity.type != "pre" and start < end and _space(data, start):
        start += 1
    return Entity(entity.type, start, end - start, entity.url, entity.language)


def _space(data: bytes, at: int) -> bool:
    return chr(int.from_bytes(data[at * 2 : at * 2 + 2], "little")).isspace()
