"""Recognisers for the engine's process in tests: they find spans by loudness, and invent words.

How one behaves is said by the path of its model, as tests cannot talk to the process:
``waits:2:PATH`` stops at its second piece, having made the file PATH, until it is killed;
where that file is there, it hears.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clawdbot_voice.decoding import RATE, Samples
from clawdbot_voice.failures import WeightsMissing
from clawdbot_voice.speech import Segment, Span


class Fake:
    """Every second that is not silent is a span."""

    def __init__(self, model: str, device: str, compute_type: str, threads: int) -> None:
        if model == "missing":
            raise WeightsMissing("none")
        if model == "broken":
            raise RuntimeError("secret words")
        self.model = model
        self.pieces = 0

    def spans(self, samples: Samples) -> Sequence[Span]:
        """Seconds that are not silent."""
        os.write(1, b"what a library prints must not come between the records")
        if self.model == "hangs":
            time.sleep(3600)
        loud = [
            index
            for index in range(len(samples) // RATE)
            if np.abs(samples[index * RATE : (index + 1) * RATE]).max() > 0.05
        ]
        return [Span(index * RATE, (index + 1) * RATE) for index in loud]

    def language(self, samples: Samples) -> tuple[str, float]:
        """Always Spanish."""
        return "es", 0.9

    def segments(self, samples: Samples, language: str) -> Sequence[Segment]:
        """The number of seconds, and the process that heard them."""
        self.pieces += 1
        if self.model == "crashes":
            os.abort()
        if self.model.startswith("waits:"):
            _, piece, path = self.model.split(":", 2)
            if self.pieces == int(piece) and not Path(path).exists():
                Path(path).touch()
                time.sleep(3600)
        if self.model == "pitches":
            return [Segment(" ".join(map(str, pitches(samples))), 0.1, -0.3, 1.2)]
        if self.model == "raises":
            raise ValueError("secret words")
        return [Segment(f" {len(samples) // RATE} s by {os.getpid()}.", 0.1, -0.3, 1.2)]


def pitches(samples: Samples) -> list[int]:
    """The loudest frequency of each second, in Hz to the nearest ten."""
    seconds = samples[: len(samples) // RATE * RATE].reshape(-1, RATE)
    return [int(round(float(np.abs(np.fft.rfft(each)).argmax()), -1)) for each in seconds]
