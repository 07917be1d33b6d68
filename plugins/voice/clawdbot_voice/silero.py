"""Where somebody speaks: the Silero detector that comes with faster-whisper."""

from __future__ import annotations

from typing import Final

from faster_whisper.vad import (  # type: ignore[import-untyped]
    VadOptions,
    get_speech_timestamps,
)

from .decoding import RATE, Samples
from .speech import Span

OPTIONS: Final = VadOptions(
    min_silence_duration_ms=500, speech_pad_ms=300, max_speech_duration_s=28.0
)
"""Sentences stay whole: half a second of silence ends one. Music and noise are no speech."""


def spans(samples: Samples) -> list[Span]:
    """The stretches of speech, in order, apart from each other."""
    found = get_speech_timestamps(samples, OPTIONS, sampling_rate=RATE)
    return [Span(int(each["start"]), int(each["end"])) for each in found]
