"""The engine openai-whisper: the original in PyTorch (extra ``whisper``)."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from . import silero
from .decoding import Samples
from .failures import NotInstalled, WeightsMissing
from .faster import TEMPERATURES, compression
from .plausible import REPEATED
from .speech import Segment, Span

BEAMS: Final = 2
"""The words of five in little more than the time of one: docs/adr/0017-voice-engines.md."""
MELS_OF_30_S: Final = 480_000
"""Samples that the model looks at; shorter ones are padded."""


class OpenaiWhisper:
    """A :class:`~clawdbot_voice.recogniser.Recogniser`."""

    def __init__(self, model: str, device: str, compute_type: str, threads: int) -> None:
        """``model`` is a ``.pt`` file. ``compute_type`` is "float16" or anything else.

        Raises:
            WeightsMissing: it is none.
            NotInstalled: the extra is not.
        """
        if not Path(model).is_file():
            raise WeightsMissing("There is no .pt file at the given place.")
        try:
            # Not at the top: it is an extra, and takes seconds to import.
            self._whisper: Any = importlib.import_module("whisper")
            torch: Any = importlib.import_module("torch")
        except ImportError as error:
            raise NotInstalled("openai-whisper is not installed.") from error
        if threads:
            torch.set_num_threads(threads)
        place = None if device == "auto" else device
        self._model: Any = self._whisper.load_model(model, device=place)
        self._half = compute_type == "float16"

    def spans(self, samples: Samples) -> Sequence[Span]:
        """As :meth:`Recogniser.spans`."""
        return silero.spans(samples)

    def language(self, samples: Samples) -> tuple[str, float]:
        """As :meth:`Recogniser.language`."""
        padded = self._whisper.pad_or_trim(samples, MELS_OF_30_S)
        mel = self._whisper.log_mel_spectrogram(padded, n_mels=self._model.dims.n_mels)
        _, chances = self._model.detect_language(mel.to(self._model.device))
        code = max(chances, key=chances.__getitem__)
        return str(code), float(chances[code])

    def segments(self, samples: Samples, language: str) -> Sequence[Segment]:
        """As :meth:`Recogniser.segments`."""
        found = self._model.transcribe(
            samples,
            language=language,
            beam_size=BEAMS,
            temperature=TEMPERATURES,
            compression_ratio_threshold=REPEATED,
            condition_on_previous_text=False,
            fp16=self._half,
            verbose=None,
        )
        return [
            Segment(
                str(each["text"]),
                float(each["no_speech_prob"]),
                float(each["avg_logprob"]),
                compression(str(each["text"])),
            )
            for each in found["segments"]
        ]
