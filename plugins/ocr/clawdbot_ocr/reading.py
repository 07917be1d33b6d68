"""What goes into an engine, and what comes out: pictures and what was read in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Picture:
    """A file with a picture, or with several (TIFF). ``data`` is its bytes, as they were sent."""

    data: bytes = field(repr=False)
    mime: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    ``pages`` has the text of each page of the file that was looked at, "" for one without
    text; lines are ended by newlines, blocks by an empty line. ``more`` is how many pages
    of the file were left out. ``engine`` is who read it.
    """

    pages: tuple[str, ...] = field(repr=False)
    more: int = 0
    engine: str = ""


class Reader(Protocol):
    """Who reads pictures: one engine, or several behind it."""

    async def read(self, picture: Picture) -> Reading:
        """The text of a picture that has some; cancelling it ends the work.

        Raises:
            Unreadable: the picture is to blame, for one because it has no text.
            EngineFailed: the engines are.
        """
        ...

    async def close(self) -> None:
        """Give everything back. May be called more than once."""
        ...
