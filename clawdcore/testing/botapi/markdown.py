"""MarkdownV2, and the older Markdown, as Telegram reads them.

Source: core.telegram.org/bots/api#markdownv2-style and #markdown-style; error
texts follow the public source of Telegram's own library (byte offsets).
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import JSON
from .html import MarkupError
from .links import link_entity

_RESERVED = "_*[]()~`>#+-=|{}.!"
_NAMES = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "pre": "Pre",
    "text_link": "TextUrl",
    "custom_emoji": "CustomEmoji",
    "blockquote": "BlockQuote",
}
_ENDS = {
    "bold": "*",
    "underline": "__",
    "strikethrough": "~",
    "spoiler": "||",
    "code": "`",
    "pre": "```",
    "text_link": "]",
    "custom_emoji": "]",
}


@dataclass(slots=True)
class _Open:
    kind: str
    argument: str
    offset: int
    position: int
    begin: int


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.out: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[JSON] = []
        self.line_start = True

    def parse(self) -> tuple[str, list[JSON]]:
        while self.at < len(self.text):
            self.step()
        if self.open and self.open[-1].kind == "blockquote":
            self.end_quote()
        if self.open:
            last = self.open[-1]
            name = "PreCode" if last.kind == "pre" and last.argument else _NAMES[last.kind]
            raise MarkupError(
                f"Can't find end of {name} entity at byte offset {self.byte_offset(last.begin)}"
            )
        return "".join(self.out), self.entities

    def byte_offset(self, position: int) -> int:
        return len(self.text[:position].encode("utf-8", "surrogatepass"))

    def emit(self, char: str) -> None:
        self.out.append(char)
        self.offset += 2 if char > "\uffff" else 1
        self.line_start = char == "\n"

    def escaped(self) -> str:
        """The character that a backslash here escapes, or ""."""
        following = self.text[self.at + 1 : self.at + 2]
        if self.text[self.at] == "\\" and following and 0 < ord(following) <= 126:
            return following
        return ""

    def step(self) -> None:
        if char := self.escaped():
            self.at += 2
            self.emit(char)
            return
        top = self.open[-1].kind if self.open else ""
        char = self.text[self.at]
        if char == "\n" and top not in ("code", "pre"):
            self.newline(top)
        elif self.is_end(top):
            self.end(top)
        elif (char not in _RESERVED) or (top in ("code", "pre") and char != "`"):
            self.at += 1
            self.emit(char)
        else:
            self.begin(char)

    def newline(self, top: str) -> None:
        self.at += 1
        if top == "blockquote" and self.text[self.at : self.at + 1] != ">":
            self.end_quote()
        elif top == "blockquote":
            self.at += 1
            self.emit("\n")
            self.line_start = False
            return
        self.emit("\n")

    def is_end(self, top: str) -> bool:
        if top == "italic":
            return self.text[self.at] == "_" and not self.text.startswith("__", self.at)
        return top in _ENDS and self.text.startswith(_ENDS[top], self.at)

    def begin(self, char: str) -> None:
        begin = self.at
        rest = self.text[self.at : self.at + 3]
        argument = ""
        if rest.startswith("__"):
            kind, width = "underline", 2
        elif rest.startswith("||"):
            kind, width = "spoiler", 2
        elif rest.startswith("!["):
            kind, width = "custom_emoji", 2
        elif rest == "```":
            kind, width = "pre", 3
            argument, skipped = self.language(self.at + 3)
            width += skipped
        elif char == ">" and self.line_start:
            kind, width = "blockquote", 1
        elif char in _STARTS:
            kind, width = _STARTS[char], 1
        else:
            raise MarkupError(
                f"Character '{char}' is reserved and must be escaped with the preceding '\\'"
            )
        self.at += width
        self.line_start = False
        self.open.append(_Open(kind, argument, self.offset, len(self.out), begin))

    def language(self, position: int) -> tuple[str, int]:
        end = position
        while end < len(self.text) and not self.text[end].isspace() and self.text[end] != "`":
            end += 1
        named = end < len(self.text) and self.text[end] != "`"
        language = self.text[position:end] if named else ""
        after = end if named else position
        line_end = self.text[after : after + 2]
        if line_end[:1] in ("\n", "\r"):
            after += 2 if line_end in ("\r\n", "\n\r") else 1
        return language, after - position

    def end(self, kind: str) -> None:
        self.at += len(_ENDS.get(kind, "_"))
        opened = self.open.pop()
        span: JSON = {"offset": opened.offset, "length": self.offset - opened.offset}
        entity: JSON | None = {"type": kind}
        if kind == "pre" and opened.argument:
            entity = {"type": kind, "language": opened.argument}
        elif kind in ("text_link", "custom_emoji"):
            url = self.url(opened)
            entity = link_entity(url)
            if kind == "custom_emoji":
                emoji = url.removeprefix("tg://emoji?id=")
                if emoji == url:
                    raise MarkupError(
                        "Custom emoji URL must have an emoji identifier at byte offset "
                        f"{self.byte_offset(opened.begin)}"
                    )
                entity = {"type": kind, "custom_emoji_id": emoji}
        if entity is not None and span["length"] > 0:
            self.entities.append({**entity, **span})

    def url(self, opened: _Open) -> str:
        if self.text[self.at : self.at + 1] != "(":
            return "".join(self.out[opened.position :])
        self.at += 1
        begin = self.at
        url: list[str] = []
        while self.at < len(self.text) and self.text[self.at] != ")":
            char = self.escaped()
            url.append(char or self.text[self.at])
            self.at += 2 if char else 1
        if self.at >= len(self.text):
            raise MarkupError(f"Can't find end of a URL at byte offset {self.byte_offset(begin)}")
        self.at += 1
        return "".join(url)

    def end_quote(self) -> None:
        opened = self.open.pop()
        length = self.offset - opened.offset
        if length > 0:
            self.entities.append({"type": "blockquote", "offset": opened.offset, "length": length})


_STARTS = {
    "_": "italic",
    "*": "bold",
    "~": "strikethrough",
    "`": "code",
    "[": "text_link",
}


def parse_markdown_v2(text: str) -> tuple[str, list[JSON]]:
    """Text and entities of a MarkdownV2 message.

    Raises:
        MarkupError: markup that Telegram refuses.
    """
    plain, entities = _Parser(text).parse()
    return plain, sorted(entities, key=lambda e: (e["offset"], -e["length"]))


def parse_markdown(text: str) -> tuple[str, list[JSON]]:
    """Text and entities of a message in the older Markdown (no nesting).

    Raises:
        MarkupError: an entity without an end.
    """
    parser = _Parser(text)
    while parser.at < len(text):
        char = text[parser.at]
        following = text[parser.at + 1 : parser.at + 2]
        if char == "\\" and following and following in "_*`[":
            parser.emit(following)
            parser.at += 2
        elif char in "_*`[":
            _legacy_entity(parser, char)
        else:
            parser.emit(char)
            parser.at += 1
    return "".join(parser.out), parser.entities


def _legacy_entity(parser: _Parser, char: str) -> None:
    begin, text = parser.at, parser.text
    kind = _STARTS[char]
    argument = ""
    parser.at += 1
    if text.startswith("```", begin):
        kind = "pre"
        argument, skipped = parser.language(begin + 3)
        parser.at = begin + 3 + skipped
    closing = {"text_link": "]", "pre": "```"}.get(kind, char)
    end = text.find(closing, parser.at)
    if end < 0:
        raise MarkupError(
            f"Can't find end of the entity starting at byte offset {parser.byte_offset(begin)}"
        )
    opened = _Open(kind, argument, parser.offset, len(parser.out), begin)
    for inner in text[parser.at : end]:
        parser.emit(inner)
    parser.at = end
    if kind == "text_link" and text[end + 1 : end + 2] != "(":
        parser.at += 1
        return
    parser.open.append(opened)
    parser.end(kind)
