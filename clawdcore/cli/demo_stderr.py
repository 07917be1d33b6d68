"""What the demo's bot prints on standard error: shown until the bot is ready, then kept back."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import BinaryIO, Final

READY: Final = b"clawdbot: ready: "
"""How the line begins that ``clawdbot run`` prints once it listens."""
SAYS: Final = "clawdbot: "
"""How lines meant for people begin; all others are logs."""
_ESCAPES: Final = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
KEPT: Final = 50
"""Lines kept back for :meth:`Stderr.last_words`."""


class Stderr:
    """The reading end; ``theirs`` is the descriptor that the process gets.

    Where ours is a terminal theirs is one too, so that progress bars work.
    """

    def __init__(self, *, forward_all: bool = False, out: BinaryIO | None = None) -> None:
        self._out = sys.stderr.buffer if out is None else out
        self._forward_all = forward_all
        self._ours, self.theirs = _terminal() if self._out.isatty() else os.pipe()
        self._settled = threading.Event()
        self._ready = False
        self._line = b""
        self._shown = 0
        self._hidden: deque[str] = deque(maxlen=KEPT)
        self._thread = threading.Thread(target=self._pump, name="stderr", daemon=True)

    def started(self) -> None:
        """The process has its end: begin to read ours."""
        os.close(self.theirs)
        self._thread.start()

    def wait_ready(self) -> bool:
        """Wait until the process is ready (True) or has ended (False)."""
        self._settled.wait()
        return self._ready

    def last_words(self) -> list[str]:
        """What it said to people after it was ready, if it has ended."""
        self._thread.join(timeout=1.0)
        return [line.removeprefix(SAYS) for line in self._hidden if line.startswith(SAYS)]

    def close(self) -> None:
        """Stop reading, once the process has ended."""
        self._thread.join(timeout=1.0)
        if not self._thread.is_alive():
            os.close(self._ours)

    def _pump(self) -> None:
        try:
            # A terminal whose other end was closed gives an error in place of an end.
            with suppress(OSError):
                while data := os.read(self._ours, 4096):
                    for piece in data.splitlines(keepends=True):
                        self._take(piece)
            if not self._ready:
                self._show(self._line[self._shown :])
        finally:
            self._settled.set()

    def _take(self, piece: bytes) -> None:
        """Show a piece of a line, or keep it back: what may yet be the ready line waits."""
        self._line += piece
        whole = piece.endswith((b"\n", b"\r"))
        words = _ESCAPES.sub(b"", self._line)
        if self._ready:
            if whole:
                self._hidden.append(words.decode(errors="replace").strip())
            if self._forward_all:
                self._show(piece)
        elif words.startswith(READY):
            if whole:
                self._ready = True
                self._settled.set()
                # A progress bar's last act, to show the cursor again, is on the same line.
                unseen = self._line[self._shown :]
                self._show(unseen if self._forward_all else b"".join(_ESCAPES.findall(unseen)))
        elif whole or not READY.startswith(words):
            self._show(self._line[self._shown :])
            self._shown = len(self._line)
        if whole:
            self._line, self._shown = b"", 0

    def _show(self, data: bytes) -> None:
        with suppress(OSError, ValueError):
            self._out.write(data)
            self._out.flush()


def _terminal() -> tuple[int, int]:
    """A new terminal as wide as ours, that changes no character on its way."""
    import fcntl
    import termios

    ours, theirs = os.openpty()
    settings = termios.tcgetattr(theirs)
    settings[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    with suppress(OSError):
        size = fcntl.ioctl(sys.stderr.fileno(), termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    return ours, theirs
