"""Notes without what a small model pads them with; pure.

Qwen2.5-1.5B copies rather than sums up, and repeats itself when it has nothing more
to say. What it copied of questions is worth less than what it copied of facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# A full stop ends a sentence only before a space: numbers and names of files have one inside.
_SENTENCE: Final = re.compile(r".+?(?:[.!?](?=\s|$)|[。！？]|$)")
_QUESTION: Final = ("?", "？")
_MARKS: Final = " \t-*•"


def tidy(text: str) -> str:
    """``text`` with each sentence once; a last one that was cut off counts as repeated."""
    kept = dict.fromkeys(_sentences(text))
    last = next(reversed(kept), "")
    if any(each != last and each.startswith(last) for each in kept):
        del kept[last]
    return "\n".join(kept)


def statements(text: str) -> str:
    """``text`` without its questions; "" where it has nothing else."""
    return "\n".join(each for each in _sentences(text) if not each.endswith(_QUESTION))


def _sentences(text: str) -> Iterator[str]:
    for line in text.splitlines():
        for found in _SENTENCE.finditer(line):
            if sentence := found.group().strip(_MARKS):
                yield sentence
