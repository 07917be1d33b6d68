"""When a conversation is too long, and what of it goes: all pure.

Sizes are tokens. What was sent before is scaled by the ratio that the model's
own count gave; new text counts at least as estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from clawdcore import Turn

from .prompts import history, said
from .sessions import Exchange, Note, Session, tokens_of
from .tokens import estimate

SLACK: Final = 32
"""A prompt leaves one part in so many of the context free, for what a template adds."""
NOTE_SHARE: Final = 8
"""A note gets one part in so many of the history, all notes together twice that."""
NOTE_TOKENS: Final = (48, 160)
"""Least and most tokens of one note; the most is what two CPU cores write in ten seconds."""
LINE: Final = 1
"""Tokens of the end of a line."""
HISTORY: Final = 16_384
"""The most tokens of history that are kept unasked: 1,000 conversations then take 64 MB."""


@dataclass(frozen=True, slots=True)
class Window:
    """How a model's context is used: ``prompt`` and ``answer`` tokens at most.

    ``history`` is what of the prompt a conversation may take.
    """

    prompt: int
    answer: int
    history: int

    @classmethod
    def of(cls, context: int, *, output: int, answer: int, history: int | None) -> Window:
        """For a model of ``context`` tokens that writes ``output``, as the options wish.

        A history of None is half of the context. What it leaves free is for long
        questions; and a model on a CPU reads what is left after compaction in seconds.
        """
        answer = max(1, min(answer, output, context // 2))
        wanted = min(context // 2, HISTORY) if history is None else history
        return cls(context - answer - context // SLACK, answer, wanted)

    def within(self, prompt: int | None) -> Window:
        """The same for a model that is known to take no longer prompt than this."""
        return self if prompt is None else replace(self, prompt=min(self.prompt, prompt))


def scaled(tokens: int, ratio: float) -> int:
    """An estimate corrected by what the model counted."""
    return ceil(tokens * ratio)


def limit(window: Window, *, fixed: int, new: int) -> int:
    """The tokens of history that a session is kept within.

    ``fixed`` is the system turn, ``new`` the question. A question that takes more
    than half of the prompt shortens what is sent with it (:func:`view`), not what
    is kept.
    """
    half = window.prompt // 2 - fixed
    room = max(window.prompt - fixed - new, half, 0)
    return min(window.history, room)


def newest(exchanges: Sequence[Exchange], room: int, ratio: float) -> int:
    """How many of the newest exchanges fit into ``room``."""
    tokens = 0
    for count, each in enumerate(reversed(exchanges)):
        tokens += each.tokens
        if scaled(tokens, ratio) > room:
            return count
    return len(exchanges)


def noted(session: Session) -> int:
    """The tokens of the session's notes."""
    return scaled(tokens_of(session.notes), session.ratio)


def drop_oldest(session: Session, room: int) -> None:
    """Take out the oldest until the rest fits: notes beyond half of it, then exchanges."""
    while noted(session) > room // 2:
        del session.notes[0]
    kept = newest(session.exchanges, room - noted(session), session.ratio)
    del session.exchanges[: len(session.exchanges) - kept]


@dataclass(frozen=True, slots=True, repr=False)
class View:
    """What of a session is sent with a question."""

    notes: Sequence[Note] = ()
    exchanges: Sequence[Exchange] = ()

    def tokens(self, ratio: float) -> int:
        """Its size."""
        return scaled(tokens_of(self.notes) + tokens_of(self.exchanges), ratio)

    def turns(self) -> list[Turn]:
        """As the model gets it."""
        return history(self.notes, self.exchanges)


def view(session: Session, room: int) -> View:
    """What of the session is sent when there is ``room`` for it; the session stays.

    The notes come first, since they stand for the most; then the newest exchanges.
    """
    taken = noted(session)
    notes = session.notes[:] if taken <= room else []
    count = newest(session.exchanges, room - taken if notes else room, session.ratio)
    return View(notes, session.exchanges[len(session.exchanges) - count :])


def note_tokens(room: int) -> int:
    """Tokens of one note of a history of ``room`` tokens."""
    least, most = NOTE_TOKENS
    return max(least, min(most, room // NOTE_SHARE))


@dataclass(frozen=True, slots=True, repr=False)
class Chunk:
    """What is summed up at once; with it, ``whole`` more exchanges are done."""

    text: str
    users: frozenset[int]
    whole: int


def chunks(exchanges: Sequence[Exchange], room: int, ratio: float) -> list[Chunk]:
    """What was said in ``exchanges`` in chunks of at most ``room`` tokens, in order.

    What is longer than that alone is cut into pieces.
    """
    room = max(1, int(room / max(1.0, ratio)))
    result: list[Chunk] = []
    lines: list[str] = []
    users: set[int] = set()
    tokens = 0

    def close() -> None:
        nonlocal tokens
        if lines:
            result.append(Chunk("\n".join(lines), frozenset(users), len(lines)))
        lines.clear()
        users.clear()
        tokens = 0

    for each in exchanges:
        line = said(each)
        size = estimate(line) + LINE
        if tokens + size > room:
            close()
        if size > room:
            *parts, last = pieces(line, room)
            result += [Chunk(part, frozenset({each.user}), 0) for part in parts]
            result.append(Chunk(last, frozenset({each.user}), 1))
        else:
            lines.append(line)
            users.add(each.user)
            tokens += size
    close()
    return result


def pieces(text: str, room: int) -> list[str]:
    """``text`` in equal pieces of at most ``room`` tokens each."""
    count = 1
    while True:
        size = max(1, ceil(len(text) / count))
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        if size == 1 or all(estimate(part) <= room for part in parts):
            return parts
        count *= 2
