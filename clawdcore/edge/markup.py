"""Telegram's HTML subset to text and entities; pure.

We send entities, not markup: they survive splitting, and a stray ``<`` can't
make Telegram refuse a whole message. Offsets and lengths are in UTF-16 code
units (core.telegram.org/bots/api#messageentity, #html-style).
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

import msgspec

TAGS: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
}


class Entity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A span of the text that is shown in its own way; ``user`` is whom a text mention names."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None
    user: int | None = None


class BadMarkup(ValueError):
    """The markup can't be read; the text is then sent as it is.

    The reason is one of few, and quotes nothing: a tag's name may be what a
    user wrote.
    """


def units(text: str) -> int:
    """The length of ``text`` in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse_html(source: str) -> tuple[str, tuple[Entity, ...]]:
    """The plain text of ``source`` and its entities, outer ones first.

    Raises:
        BadMarkup: an unknown tag, or tags that don't nest.
    """
    parser = _Parser()
    try:
        parser.feed(source)
        parser.close()
    except AssertionError:  # html.parser's word for a declaration it can't read, as in "<![>"
        raise BadMarkup("a declaration is not text") from None
    if parser.open:
        raise BadMarkup("a tag is not closed")
    entities = sorted(parser.entities, key=lambda e: (e.offset, -e.length))
    return "".join(parser.text), tuple(entities)


class _Open(msgspec.Struct):
    """A tag that was opened and not yet closed."""

    tag: str
    type: str
    offset: int
    url: str | None = None
    language: str | None = None


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.length = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        self.length += units(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        kind = TAGS.get(tag)
        if tag == "span" and given.get("class") == "tg-spoiler":
            kind = "spoiler"
        if tag == "br":
            self.handle_data("\n")
            return
        if kind is None:
            raise BadMarkup("a tag is not one of Telegram's")
        outer = self.open[-1] if self.open else None
        if tag == "code" and outer is not None and outer.tag == "pre":
            outer.language = (given.get("class") or "").removeprefix("language-") or None
            kind = ""
        self.open.append(_Open(tag, kind, self.length, given.get("href")))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].tag != tag:
            raise BadMarkup("a closing tag closes nothing")
        opened = self.open.pop()
        length = self.length - opened.offset
        if not opened.type or not length:
            return
        if opened.type == "text_link" and not opened.url:
            return
        url = opened.url if opened.type == "text_link" else None
        self.entities.append(Entity(opened.type, opened.offset, length, url, opened.language))

    def unknown_decl(self, data: str) -> None:
        raise BadMarkup("a declaration is not text")
