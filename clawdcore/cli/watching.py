"""Has the configuration been edited? A look a second, as works on every file system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

EVERY: Final = 1.0
"""Seconds between two looks."""

Stamp = tuple[int, int, int]
"""What tells one state of a file from another: its time in ns, its bytes, its inode."""


def stamp(path: Path | None) -> Stamp | None:
    """That of the file at ``path``; None where there is none, or it can't be looked at."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Watch:
    """Whether a file has another state than the one that was taken up last.

    Who saves a file may write it in pieces, or take it away for a moment: a new state
    counts once two looks in a row have seen it.
    """

    def __init__(self, look: Callable[[], Stamp | None]) -> None:
        self._look = look
        self._taken = self._seen = look()

    def taken(self) -> None:
        """The file as it is now is being read, whoever asked for that."""
        self._taken = self._seen = self._look()

    def edited(self) -> bool:
        """Look once; True, once for each new state, when it is to be read."""
        now = self._look()
        steady = now == self._seen
        self._seen = now
        if not steady or now is None or now == self._taken:
            return False
        self._taken = now
        return True
