"""A terminal that two write to: a prompt at its bottom, and what the bot says above it."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final, TextIO

import click

_UP_AND_CLEAR: Final = "\x1b[{}A\r\x1b[J"
_CLEAR: Final = "\r\x1b[J"


class Screen:
    """Prints steps of a conversation without spoiling a line that is being typed.

    ``typed`` gives what the prompt's line holds now. With ``colour`` off no
    colours are used. May be used from two threads: one asks, one shows.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        colour: bool,
        ask: Callable[[str], str] = input,
        typed: Callable[[], str] = str,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        self._out = out
        self._colour = colour
        self._read = ask
        self._typed = typed
        self._columns = columns
        self._lock = threading.RLock()
        self._prompt = ""
        self._held = ""
        self._middle = False

    def ask(self, name: str) -> str:
        """Read a line behind a prompt with ``name``. Raises EOFError at the end of input."""
        prompt = f"{name} › "
        with self._lock:
            if self._middle:
                self._write("\n")
                self._middle, self._held = False, self.style("…", dim=True)
            self._prompt = prompt
        try:
            return self._read(self._hidden_colours(prompt))
        finally:
            with self._lock:
                self._prompt = ""

    def more(self, text: str) -> None:
        """Show a piece of a line, now or, while somebody types, when the line is whole."""
        with self._lock:
            if self._prompt:
                self._held += text
                return
            self._write(self._held + text)
            self._held, self._middle = "", True

    def end(self) -> None:
        """End the line that :meth:`more` began."""
        with self._lock:
            if self._prompt:
                self._above(self._held)
            else:
                self._write("\n")
            self._held, self._middle = "", False

    def line(self, text: str) -> None:
        """Show a whole line."""
        with self._lock:
            if self._middle:
                self.end()
            self.more(text)
            self.end()

    def style(self, text: str, *, dim: bool = False, bold: bool = False) -> str:
        """``text`` as it should look."""
        if not self._colour:
            return text
        return click.style(text, dim=dim or None, bold=bold or None)

    def _above(self, text: str) -> None:
        """Put lines over the prompt, and the prompt with what was typed below them."""
        typed = self._typed()
        below = cells(self._prompt + typed) // max(1, self._columns())
        self._write(_UP_AND_CLEAR.format(below) if below else _CLEAR)
        self._write(f"{text}\n{self.style(self._prompt, bold=True)}{typed}")

    def _hidden_colours(self, prompt: str) -> str:
        """The prompt with its colours marked, so that readline counts its width right."""
        styled = self.style(prompt, bold=True)
        head, found, tail = styled.partition(prompt)
        return f"\001{head}\002{found}\001{tail}\002" if head else prompt

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def open_screen(env: Mapping[str, str] = os.environ) -> Screen:
    """The terminal of this process, with line editing where Python has readline.

    Colours are off where NO_COLOR is set (no-color.org), or the terminal is "dumb".
    """
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    colour = not env.get("NO_COLOR") and env.get("TERM", "dumb") != "dumb"
    try:
        import readline
    except ImportError:
        return Screen(sys.stdout, colour=colour)
    return Screen(sys.stdout, colour=colour, typed=readline.get_line_buffer)


def cells(text: str) -> int:
    """Columns that ``text`` takes: two for wide characters, none for combining ones."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
