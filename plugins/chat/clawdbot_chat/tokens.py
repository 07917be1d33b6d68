"""How many tokens a text has, without the model's tokenizer; pure.

The estimate errs upwards for byte-level BPE vocabularies of 100,000 and more
entries (Qwen, Llama 3, GPT). The weights were set against Qwen2.5's tokenizer,
and what a model really counted corrects them: see :meth:`.sessions.Session.measured`.
"""

from __future__ import annotations

import re
from typing import Final

TURN: Final = 8
"""Tokens that a chat template puts around a turn (ChatML: 5)."""
LONG: Final = 16
"""Letters beyond which a run is no word that a vocabulary holds."""

_RUNS: Final = re.compile(
    r"(?P<word>[A-Za-z]+)"
    r"|(?P<blank> +)"
    r"|(?P<space>\s+)"
    r"|(?P<half>[\u0400-\u052f\u0590-\u06ff]+)"
    r"|(?P<dense>[\u0900-\u11ff]+)"
    r"|(?P<single>[\x00-\u03ff\u1e00-\u1eff\u2000-\u23ff\u2500-\u257f\u3000-\ud7ff\uff00-\uffee])"
    r"|(?P<rare>[\x00-\uffff])"
    r"|(?P<astral>.)",
    re.DOTALL,
)


def estimate(text: str) -> int:
    """Tokens of ``text``, rather too many than too few; 0 for ""."""
    tokens = 0
    for run in _RUNS.finditer(text):
        length = run.end() - run.start()
        match run.lastgroup:
            case "word":  # English has 4.5 letters a token, and a token at least
                tokens += (length + 3) // 4 if length <= LONG else (length + 1) // 2
            case "blank":  # one space belongs to the word behind it
                tokens += length > 1
            case "space":
                tokens += 1 + length // 8
            case "half":  # Cyrillic, Hebrew, Arabic
                tokens += (length + 1) // 2
            case "dense":  # Indic scripts, Thai, Georgian
                tokens += (5 * length + 3) // 4
            case "rare":
                tokens += 3
            case "astral":  # emoji: no vocabulary needs more than a token a byte
                tokens += 4
            case _:  # digits, signs, accented letters, Greek, CJK
                tokens += 1
    return tokens


def of_turn(text: str) -> int:
    """Tokens of a whole turn: its text, and what the template puts around it."""
    return TURN + estimate(text)
