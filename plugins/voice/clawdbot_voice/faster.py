"""The engine faster-whisper: CTranslate2, int8 on a processor."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from faster_whisper import WhisperModel  # type: ignore[import-untyped]

from . import silero
from .decoding import Samples
from .failures import WeightsMissing
from .plausible import REPEATED
from .speech import Segment, Span

TEMPERATURES: Final = (0.0, 0.2, 0.4, 0.6)
"""Tried in order while the text repeats itself or the model is unsure."""
BEAMS: Final = 1
"""Greedy: five heard no better here, see docs/adr/0017-voice-engines.md."""


class FasterWhisper:
    """A :class:`~clawdbot_voice.recogniser.Recogniser`."""

    def __init__(self, model: str, device: str, compute_type: str, threads: int) -> None:
        """``model`` is a folder with CTranslate2 weights.

        Raises:
            WeightsMissing: it is none.
        """
        if not (Path(model) / "model.bin").is_file():
            raise WeightsMissing("There is no model at the given place.")
        self._model = WhisperModel(
            model,
            device=device,
            compute_type=compute_type,
            cpu_threads=threads,
            local_files_only=True,
        )

    def spans(self, samples: Samples) -> Sequence[Span]:
        """As :meth:`Recogniser.spans`."""
        return silero.spans(samples)

    def language(self, samples: Samples) -> tuple[str, float]:
        """As :meth:`Recogniser.language`."""
        code, probability, _ = self._model.detect_language(samples)
        return code, probability

    def segments(self, samples: Samples, language: str) -> Sequence[Segment]:
        """As :meth:`Recogniser.segments`."""
        found, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=BEAMS,
            temperature=TEMPERATURES,
            compression_ratio_threshold=REPEATED,
            # What was made up in one piece must not be carried into the next.
            condition_on_previous_text=False,
            vad_filter=False,
        )
        return [
            Segment(each.text, each.no_speech_prob, each.avg_logprob, compression(each.text))
            for each in found
        ]


def compression(text: str) -> float:
    """As :attr:`Segment.compression`, of this text alone."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 1.0
