"""What goes into an engine, and what comes out: recordings and what was heard in them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Recording:
    """A file with speech. ``data`` is its bytes; ``language`` an ISO 639-1 code, "" to find out."""

    data: bytes = field(repr=False)
    mime: str = "audio/ogg"
    language: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of what was said, in order.

    ``language`` is a code, "" where the engine doesn't say; it is the same in all pieces
    of a recording. ``done`` and ``total`` are seconds of the recording, 0 where unknown.
    The last piece of a recording may have no text.
    """

    text: str = field(repr=False)
    language: str = ""
    done: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Segment:
    """What a model wrote of a piece, and how sure it is.

    ``no_speech`` is the probability that nobody speaks, ``log_prob`` the mean natural
    logarithm of its tokens' probabilities, ``compression`` the text's bytes over those
    that zlib makes of them: high where it repeats itself.
    """

    text: str = field(repr=False)
    no_speech: float = 0.0
    log_prob: float = 0.0
    compression: float = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a recording, in samples; ``end`` is not in it."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many samples it has."""
        return self.end - self.start
