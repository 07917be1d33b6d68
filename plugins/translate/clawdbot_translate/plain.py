"""How a text goes through an engine that knows nothing but sentences: LibreTranslate, Google."""

from __future__ import annotations

import re
from typing import Final

from .engines.contract import Engine
from .languages import Language
from .protection import Masked, between, joined, mask
from .scripts import letters

LINE: Final = re.compile(r"(\s*(?:(?:[-*•·>–—]|\d{1,3}[.)])\s+)*)(.*?)(\s*)", re.DOTALL)
"""A line: its indent and list mark, what it says, and the space at its end."""


async def translate_plainly(engine: Engine, text: str, source: str, target: Language) -> str:
    """``text`` in ``target``, line by line, with all that must stay as it was.

    Fixed parts go as ``[1]``; where the engine doesn't bring each of them back exactly
    once, the text between them is translated by itself, in a second request.

    Raises:
        clawdbot_translate.engines.contract.EngineFailed: as :meth:`Engine.translate`.
        clawdcore.BackendError: the same.
    """
    lines = [_parted(line) for line in text.split("\n")]
    masked = [mask(said) for _, said, _ in lines]
    answers = await _asked(engine, [each.text for each in masked], source, target)
    restored = [_restored(each, answer) for each, answer in zip(masked, answers, strict=True)]
    cut = [between(lines[at][1]) for at, done in enumerate(restored) if done is None]
    if cut:
        pieces = [piece for line in cut for piece, wanted in line if wanted]
        found = iter(await _asked(engine, pieces, source, target))
        mended = iter(
            [
                joined([(_spaced(next(found), p) if wanted else p, wanted) for p, wanted in line])
                for line in cut
            ]
        )
        restored = [next(mended) if done is None else done for done in restored]
    whole = zip(lines, restored, strict=True)
    return "\n".join(f"{head}{said}{tail}" for (head, _, tail), said in whole)


async def _asked(engine: Engine, texts: list[str], source: str, target: Language) -> list[str]:
    """The engine's answers; what holds no letters is not sent."""
    wanted = [text for text in texts if letters(text)]
    found = iter(await engine.translate(wanted, source, target) if wanted else ())
    return [next(found) if letters(text) else text for text in texts]


def _restored(masked: Masked, answer: str) -> str | None:
    """The answer with its fixed parts, or None. White space stays outside of what is sent."""
    return masked.restore(answer.strip())


def _spaced(answer: str, piece: str) -> str:
    """The answer with the white space around it that ``piece`` has."""
    head = piece[: len(piece) - len(piece.lstrip())]
    tail = piece[len(piece.rstrip()) :]
    return f"{head}{answer.strip()}{tail}"


def _parted(line: str) -> tuple[str, str, str]:
    match = LINE.fullmatch(line)
    assert match is not None  # every part of it may be empty
    return match[1], match[2], match[3]
