"""From a page to text, whichever engine does the reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image


@dataclass(frozen=True, slots=True)
class Seen:
    """The text of a page, "" where it has none, and the ``engine`` that read it."""

    text: str = field(repr=False)
    engine: str


class Recogniser(Protocol):
    """An engine in memory, made of the languages that it is to know (tesseract's names)."""

    def read(self, page: Image.Image) -> Seen:
        """The text of an RGB page, whichever way up it is.

        Raises:
            EngineFailed: the engine is to blame.
        """
        ...
