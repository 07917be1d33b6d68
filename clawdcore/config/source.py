"""Reads JSON5 into nodes that know their line and column.

Written for this project after trying what exists: the only maintained parser
for Python that tells positions takes a second for 39 kB and 0.2 s to import,
stands on a parser generator that its author no longer releases, and decodes an
escaped backslash before ``u0041`` wrongly; the fast ones tell no positions. The
grammar is that of https://spec.json5.org, with these refusals, each with its
own sentence: two keys of one name in an object, ``NaN`` and infinities, NUL,
lone surrogates, more than 64 levels, and more than a megabyte.
"""

from __future__ import annotations

from typing import Any, Final

from ..errors import ConfigSyntaxError
from .node import Node, quoted
from .scanner import Places, Scanner

MAX_BYTES: Final = 1_048_576
"""A configuration is some kilobytes; what is larger is some other file."""
MAX_DEPTH: Final = 64
"""The deepest core key lies 7 levels down; the rest is for plugins' options."""


def read(text: str, file: str) -> Node:
    """The nodes of ``text``. ``file`` is how errors name it.

    Raises:
        ConfigSyntaxError: the text is not JSON5, or one of the refusals above.
    """
    return Reader(text.removeprefix("\ufeff"), file).document()


def decode(data: bytes, file: str) -> str:
    """``data`` as text. Raises :class:`ConfigSyntaxError` unless it is UTF-8."""
    if len(data) > MAX_BYTES:
        raise ConfigSyntaxError(
            "the file is larger than 1 MiB.",
            fix="Give the path of clawdbot.json; a configuration is some kilobytes.",
            where=file,
        )
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ConfigSyntaxError(
            "the file is encoded as UTF-16.", fix="Save it as UTF-8.", where=f"{file}:1:1"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        line, column = Places(before).of(len(before))
        raise ConfigSyntaxError(
            "the file is not UTF-8 here.", fix="Save it as UTF-8.", where=f"{file}:{line}:{column}"
        ) from None


class Reader(Scanner):
    """Reads a whole text; raises as :func:`read`."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text, file)
        self.depth = 0

    def document(self) -> Node:
        nul = self.text.find("\0")
        if nul >= 0:
            raise self.error(
                "the file holds a NUL byte.", "It is no text file; write it anew.", nul
            )
        self.space()
        if self.at == len(self.text):
            raise self.error("the file is empty.", "Write {} into it, or remove it.")
        if self.peek() != "{":
            raise self.error("the file must begin with {.", "Put everything between { and }.")
        root = self.value()
        self.space()
        if self.at < len(self.text):
            raise self.error(
                "something follows the } that closes the file.", "Remove it, or that }."
            )
        return root

    def node(self, value: Any, start: int) -> Node:
        line, column = self.places.of(start)
        return Node(value, line, column)

    def value(self) -> Node:
        start, char = self.at, self.peek()
        if char in ("{", "["):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.error(f"more than {MAX_DEPTH} levels of brackets.", "Nest less deeply.")
            node = self.node(None, start)
            node.value = self.object(start) if char == "{" else self.array(start)
            self.depth -= 1
            return node
        if char in ('"', "'"):
            return self.node(self.string(), start)
        if char and (char in "+-." or "0" <= char <= "9"):
            return self.node(self.number(), start)
        return self.node(self.word(), start)

    def object(self, start: int) -> dict[str, Node]:
        self.at += 1
        members: dict[str, Node] = {}
        while True:
            self.space()
            if self.peek() == "}":
                self.at += 1
                return members
            key_start = self.at
            key = self.key(start)
            line, column = self.places.of(key_start)
            if key in members:
                raise self.error(
                    f"the key {quoted(key)} is given twice; the first is in line "
                    f"{members[key].key_line}.",
                    "Remove one of them.",
                    key_start,
                )
            after = self.at
            self.space()
            if self.peek() != ":":
                raise self.error(
                    f"a colon is missing after the key {quoted(key)}.", "Write key: value.", after
                )
            self.at += 1
            self.space()
            member = self.value()
            member.key_line, member.key_column = line, column
            members[key] = member
            self.comma("}", start)

    def array(self, start: int) -> list[Node]:
        self.at += 1
        items: list[Node] = []
        while True:
            self.space()
            if self.peek() == "]":
                self.at += 1
                return items
            if not self.peek():
                raise self.unclosed("[", start)
            items.append(self.value())
            self.comma("]", start)

    def comma(self, end: str, start: int) -> None:
        """Take the comma after a value, unless the closing bracket comes first."""
        after = self.at
        self.space()
        char = self.peek()
        if char == ",":
            self.at += 1
        elif not char:
            raise self.unclosed(self.text[start], start)
        elif char in "}]" and char != end:
            opened, _ = self.places.of(start)
            raise self.error(
                f"{char} does not close the {self.text[start]} of line {opened}.",
                f"Write {end} here, or add the bracket that is missing.",
            )
        elif char != end:
            raise self.error(
                f"a comma or {end} is missing after this value.",
                "Add a comma, and put text in quotes.",
                after,
            )

    def unclosed(self, bracket: str, start: int) -> ConfigSyntaxError:
        line, _ = self.places.of(start)
        end = "}" if bracket == "{" else "]"
        return self.error(
            f"the file ends before the {bracket} of line {line} is closed.",
            f"Add the missing {end}.",
        )

    def key(self, start: int) -> str:
        char = self.peek()
        if not char:
            raise self.unclosed("{", start)
        if char in ('"', "'"):
            return self.string()
        if char == ",":
            raise self.error("there is a comma too many here.", "Remove it.")
        name = self.name()
        if name:
            return name
        raise self.error(
            "a key, or }, must stand here.",
            'Put a key that is not a plain word in quotes, as in "-1001234": {}.',
        )
