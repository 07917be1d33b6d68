"""HTML as Telegram reads it: tags become entities, bad markup an error.

Source: core.telegram.org/bots/api#html-style; the order of checks and the error
texts follow the public source of Telegram's own library (byte offsets).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import JSON
from .links import link_entity

TAGS = frozenset(
    {
        "a", "b", "strong", "i", "em", "s", "strike", "del", "u", "ins", "tg-spoiler", "tg-emoji",
        "span", "pre", "code", "blockquote",
    }
)  # fmt: skip
_SIMPLE = {
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
    "span": "spoiler",
}
_SPACE = " \t\n\r\0\v"
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]{1,7})|#([0-9]{1,7})|(lt|gt|amp|quot));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


MAX_CODE_POINT = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)


class MarkupError(ValueError):
    """Markup that can't be read; ``str()`` says where, as Telegram does."""


@dataclass(slots=True)
class _Open:
    tag: str
    argument: str
    offset: int
    position: int


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.out: list[str] = []
        self.size = 0
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[JSON] = []

    def parse(self) -> tuple[str, list[JSON]]:
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "<":
                if self.text.startswith("</", self.at):
                    self.end_tag()
                else:
                    self.start_tag()
            else:
                self.emit(self.reference() or self.literal())
        if self.open:
            tag = self.open[-1].tag
            raise MarkupError(f'Can\'t find end tag corresponding to start tag "{tag}"')
        return "".join(self.out), self.entities

    def emit(self, char: str) -> None:
        self.out.append(char)
        self.size += 1
        self.offset += 2 if char > "\uffff" else 1

    def literal(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def reference(self) -> str:
        match = _REFERENCE.match(self.text, self.at)
        if match is None:
            return ""
        hexadecimal, decimal, name = match.groups()
        if name:
            char = _NAMED[name]
        else:
            code = int(hexadecimal, 16) if hexadecimal else int(decimal)
            if code == 0 or code >= MAX_CODE_POINT:
                return ""
            if SURROGATES[0] <= code <= SURROGATES[1]:
                raise MarkupError(
                    "Text contains invalid Unicode characters after decoding HTML entities, "
                    "check for unmatched surrogate code units"
                )
            char = chr(code)
        self.at = match.end()
        return char

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def skip_space(self) -> None:
        while self.peek() and self.peek() in _SPACE:
            self.at += 1

    def until(self, stop: str) -> str:
        begin = self.at
        while self.peek() and self.peek() not in stop:
            self.at += 1
        return self.text[begin : self.at]

    def byte_offset(self, position: int) -> int:
        return len(self.text[:position].encode("utf-8", "surrogatepass"))

    def start_tag(self) -> None:
        begin = self.at
        self.at += 1
        tag = self.until(_SPACE + ">").lower()
        where = f"at byte offset {self.byte_offset(begin)}"
        if not self.peek():
            raise MarkupError(f"Unclosed start tag {where}")
        if tag not in TAGS:
            raise MarkupError(f'Unsupported start tag "{tag}" {where}')
        argument = ""
        while True:
            self.skip_space()
            if self.peek() == ">":
                break
            name, value = self.attribute(tag, where)
            if tag == "a" and name == "href":
                argument = value
            elif tag == "code" and name == "class" and value.startswith("language-"):
                argument = value.removeprefix("language-")
            elif tag == "span" and name == "class" and value.startswith("tg-"):
                argument = value.removeprefix("tg-")
            elif tag == "tg-emoji" and name == "emoji-id":
                argument = value
            elif tag == "blockquote" and name == "expandable":
                argument = "expandable"
        self.at += 1
        if tag == "span" and argument != "spoiler":
            raise MarkupError(f'Tag "span" must have class "tg-spoiler" {where}')
        self.open.append(_Open(tag, argument, self.offset, self.size))

    def attribute(self, tag: str, where: str) -> tuple[str, str]:
        unclosed = MarkupError(f'Unclosed start tag "{tag}" {where}')
        name = self.until(_SPACE + "=>/\"'")
        if not name:
            if not self.peek():
                raise unclosed
            raise MarkupError(f'Empty attribute name in the tag "{tag}" {where}')
        self.skip_space()
        if self.peek() != "=":
            if not self.peek():
                raise unclosed
            if tag == "blockquote" and name.lower() == "expandable":
                return "expandable", ""
            raise MarkupError(
                f'Expected equal sign in declaration of an attribute of the tag "{tag}" {where}'
            )
        self.at += 1
        self.skip_space()
        if not self.peek():
            raise unclosed
        value = self.quoted() if self.peek() in "\"'" else self.token()
        if not self.peek():
            raise MarkupError(f"Unclosed start tag {where}")
        return name.lower(), value

    def quoted(self) -> str:
        quote = self.literal()
        value: list[str] = []
        while self.peek() and self.peek() != quote:
            value.append(self.reference() or self.literal())
        if self.peek():
            self.at += 1
        return "".join(value)

    def token(self) -> str:
        begin = self.at
        while self.peek() and (
            (self.peek().isascii() and self.peek().isalnum()) or self.peek() in ".-"
        ):
            self.at += 1
        if self.peek() and self.peek() not in _SPACE + ">":
            raise MarkupError(
                f"Unexpected end of name token at byte offset {self.byte_offset(begin)}"
            )
        return self.text[begin : self.at].lower()

    def end_tag(self) -> None:
        begin = self.at
        where = f"at byte offset {self.byte_offset(begin)}"
        if not self.open:
            raise MarkupError(f"Unexpected end tag {where}")
        self.at += 2
        tag = self.until(_SPACE + ">").lower()
        self.skip_space()
        if self.peek() != ">":
            raise MarkupError(f"Unclosed end tag {where}")
        self.at += 1
        opened = self.open.pop()
        if tag and tag != opened.tag:
            raise MarkupError(
                f'Unmatched end tag {where}, expected "</{opened.tag}>", found "</{tag}>"'
            )
        if self.offset > opened.offset:
            self.close(opened)

    def close(self, opened: _Open) -> None:
        span: JSON = {"offset": opened.offset, "length": self.offset - opened.offset}
        tag, argument = opened.tag, opened.argument
        if tag in _SIMPLE:
            self.entities.append({"type": _SIMPLE[tag], **span})
        elif tag == "blockquote":
            kind = "expandable_blockquote" if argument else "blockquote"
            self.entities.append({"type": kind, **span})
        elif tag == "tg-emoji":
            self.entities.append({"type": "custom_emoji", **span, "custom_emoji_id": argument})
        elif tag == "a":
            link = link_entity(argument or "".join(self.out[opened.position :]))
            if link is not None:
                self.entities.append({**link, **span})
        elif tag == "code":
            language = {"language": argument} if argument else {}
            self.close_code({"type": "code", **span, **language})
        else:
            self.close_code({"type": "pre", **span})

    def close_code(self, entity: JSON) -> None:
        """`pre` around `code`, or the other way round, is one block in a language."""
        inner = self.entities[-1] if self.entities else {}
        same = all(inner.get(key) == entity[key] for key in ("offset", "length"))
        if same and {inner["type"], entity["type"]} == {"pre", "code"}:
            self.entities[-1] = {**inner, **entity, "type": "pre"}
        else:
            self.entities.append(entity)


def parse_html(text: str) -> tuple[str, list[JSON]]:
    """Text and entities of an HTML message.

    Raises:
        MarkupError: markup that Telegram refuses.
    """
    plain, entities = _Parser(text).parse()
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return plain, sorted(entities, key=lambda e: (e["offset"], -e["length"]))
