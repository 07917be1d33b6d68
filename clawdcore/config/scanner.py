"""The words of JSON5: space, names, numbers and text, each error with its place."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from ..errors import ConfigSyntaxError

_SPACE: Final = re.compile(
    "(?:[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
    "|//[^\n\r\u2028\u2029]*|/\\*.*?\\*/)+",
    re.DOTALL,
)
_NUMBER: Final = re.compile(
    r"[+-]?(?:(?P<hex>0[xX][0-9a-fA-F]+)"
    r"|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
_LINE_END: Final = re.compile("\r\n|\r|\n")
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WORDS: Final = {"true": True, "false": False, "null": None}
_FOREIGN: Final = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_CURLED: Final = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"


class Places:
    """Turns offsets into lines and columns, both from 1; a tab is one column."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(end.end() for end in _LINE_END.finditer(text))]

    def of(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


class Scanner:
    """Reads words at ``at``. ``file`` is how errors name the text.

    All of its methods raise :class:`~clawdcore.errors.ConfigSyntaxError`.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.at = 0
        self.places = Places(text)

    def error(self, what: str, fix: str, at: int | None = None) -> ConfigSyntaxError:
        line, column = self.places.of(self.at if at is None else at)
        return ConfigSyntaxError(what, fix=fix, where=f"{self.file}:{line}:{column}")

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        if found:
            self.at = found.end()
        if self.text.startswith("/*", self.at):
            raise self.error("this comment is not closed.", "Close it with */.")

    def name(self) -> str:
        """An unquoted key, or a bare word; "" where none begins."""
        letters: list[str] = []
        while True:
            at, char = self.at, self.peek()
            if char == "\\":
                if not self.text.startswith("u", self.at + 1):
                    raise self.error("this backslash can't stand in a key.", "Remove it.")
                self.at += 2
                char = self.code(4, at)
            else:
                self.at += 1
            # Python's identifiers are JSON5's, without $ and the two joiners.
            if letters:
                fits = f"a{char}".isidentifier() or char in ("$", "\u200c", "\u200d")
            else:
                fits = char.isidentifier() or char == "$"
            if not fits or not char:
                self.at = at
                return "".join(letters)
            letters.append(char)

    def word(self) -> bool | None:
        start = self.at
        name = self.name()
        if name in _WORDS:
            return _WORDS[name]
        if name in _FOREIGN:
            raise self.error(f"{name} is no JSON5 value.", f"Write {_FOREIGN[name]}.", start)
        if name in ("NaN", "Infinity"):
            raise self.error(f"{name} is of no use here.", "Write a number.", start)
        if name:
            raise self.error("text must be in quotes.", 'Write it as "…".', start)
        char = self.peek()
        if char and char in _CURLED:
            raise self.error("these are typographic quotes.", 'Use straight ones: "…".')
        if char == ",":
            raise self.error(
                "a value is missing before this comma.", "Add it, or remove the comma."
            )
        raise self.error(
            "a value is missing here.", 'Write a number, true, false, null, "text", [ … ] or { … }.'
        )

    def number(self) -> int | float:
        start = self.at
        found = _NUMBER.match(self.text, start)
        if found is None:
            if self.text[start + 1 : start + 2] in ("I", "N"):
                raise self.error("infinities and NaN are of no use here.", "Write a number.")
            raise self.error("this is no number.", "Write digits, or put text in quotes.")
        self.at = found.end()
        follows = self.peek()
        if follows and (follows == "$" or f"a{follows}".isidentifier()):
            raise self.error(
                "this number runs into other characters.",
                "Write numbers without leading zeros and units, and put text in quotes.",
                start,
            )
        digits = found.group()
        if len(digits) > 100:
            raise self.error("this number is too long.", "Write fewer digits.", start)
        if found["hex"]:
            return int(digits, 16)
        try:
            return int(digits)
        except ValueError:
            number = float(digits)
        if number in (float("inf"), float("-inf")):
            raise self.error("this number is too large.", "Write a smaller one.", start)
        # JSON5 has one kind of number: 1e3 and 8.0 are as whole as 1000 and 8.
        return int(number) if number.is_integer() and abs(number) < 2**53 else number

    def string(self) -> str:
        start, quote = self.at, self.peek()
        plain = re.compile(f"[^{quote}\\\\\n\r]*")
        pieces: list[str] = []
        self.at += 1
        while True:
            found = plain.match(self.text, self.at)
            pieces.append(found.group() if found else "")
            self.at += len(pieces[-1])
            char = self.peek()
            if char == quote:
                self.at += 1
                break
            if char != "\\":
                raise self.error(
                    "the text that begins here is not closed on its line.",
                    f"Close it with {quote}; a line break inside is written \\n.",
                    start,
                )
            pieces.append(self.escape())
        return self.sound("".join(pieces), start)

    def sound(self, text: str, start: int) -> str:
        """``text`` with surrogate pairs joined: two escapes may write one character."""
        if "\0" in text:
            raise self.error("this text holds a NUL character.", "Remove it.", start)
        if not text.isascii():
            try:
                text = text.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                raise self.error(
                    "this text holds half a character (a lone surrogate).",
                    "Write both halves, or the character itself.",
                    start,
                ) from None
        return text

    def escape(self) -> str:
        start = self.at
        char = self.text[start + 1 : start + 2]
        self.at += 2
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char == "u":
            return self.code(4, start)
        if char == "x":
            return self.code(2, start)
        if char == "\r" and self.peek() == "\n":
            self.at += 1
        if char in ("\r", "\n", "\u2028", "\u2029"):
            return ""
        if "0" <= char <= "9":
            follows = self.peek()
            if char == "0" and not ("0" <= follows <= "9"):
                return "\0"
            raise self.error("a backslash can't stand before a digit.", "Write \\\\.", start)
        return char

    def code(self, length: int, start: int) -> str:
        """The character that ``length`` hexadecimal digits from here stand for."""
        digits = self.text[self.at : self.at + length]
        if not re.fullmatch(f"[0-9a-fA-F]{{{length}}}", digits):
            raise self.error(
                f"\\{'u' if length == 4 else 'x'} needs {length} hexadecimal digits.",
                "Write \\\\ for a backslash.",
                start,
            )
        self.at += length
        return chr(int(digits, 16))
