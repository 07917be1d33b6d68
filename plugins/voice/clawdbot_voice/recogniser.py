"""From samples to text, whichever library does the hearing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import numpy as np

from .decoding import RATE, Samples
from .failures import NoSpeech
from .languages import WHISPERS
from .pieces import Piece, pieces
from .plausible import joined, plausible
from .speech import Heard, Segment, Span

SURE: Final = 0.5
"""A language with this probability is taken; below it the next piece is listened to as well."""
TRIES: Final = 3
"""Pieces that are listened to for the language."""


class Recogniser(Protocol):
    """A model in memory. ``samples`` are at :data:`~clawdbot_voice.decoding.RATE`."""

    def spans(self, samples: Samples) -> Sequence[Span]:
        """Where somebody speaks."""
        ...

    def language(self, samples: Samples) -> tuple[str, float]:
        """The code of the language of at most 30 s of speech, and its probability."""
        ...

    def segments(self, samples: Samples, language: str) -> Sequence[Segment]:
        """What is said in at most 30 s of speech."""
        ...


def recognise(recogniser: Recogniser, samples: Samples, language: str = "") -> Iterator[Heard]:
    """What is said, a piece at a time; what the model made up is left out.

    Raises:
        NoSpeech: nobody speaks, or nothing that was heard can be believed.
    """
    total = len(samples) / RATE
    found = pieces(recogniser.spans(samples))
    if not found:
        raise NoSpeech("Nobody speaks in the recording.")
    language = WHISPERS.get(language, language) or _language(recogniser, samples, found)
    said = False
    for piece in found:
        segments = recogniser.segments(speech(samples, piece), language)
        text = joined([each.text for each in segments if plausible(each)], language)
        said = said or bool(text)
        yield Heard(text, language, piece[-1].end / RATE, total)
    if not said:
        raise NoSpeech("Nothing that was heard is speech.")


def _language(recogniser: Recogniser, samples: Samples, found: Sequence[Piece]) -> str:
    best, surest = "", -1.0
    for piece in found[:TRIES]:
        code, probability = recogniser.language(speech(samples, piece))
        if probability > surest:
            best, surest = code, probability
        if surest >= SURE:
            break
    return best


def speech(samples: Samples, piece: Piece) -> Samples:
    """The samples of a piece, one stretch after the other."""
    return np.concatenate([samples[span.start : span.end] for span in piece])
