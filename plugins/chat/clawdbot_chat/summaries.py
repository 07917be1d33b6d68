"""Compaction ``safeguard``: old exchanges become notes, which the model writes.

Map: each chunk of the old exchanges becomes a note. Merge: notes that together
take more than their share lose the questions that they repeat, the oldest first,
and become one if that is not enough. Each step is kept as soon as it is done, so
that one that fails later loses only what it did not reach.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from clawdcore import GenerationFailed, Turn

from . import prompts
from .compaction import chunks, newest, note_tokens, noted
from .notes import statements, tidy
from .sessions import Note, Session
from .tokens import of_turn

Ask = Callable[[Sequence[Turn], int], Awaitable[str]]
"""Gets turns and the most tokens of the answer; returns the whole answer."""


async def safeguard(session: Session, limit: int, *, room: int, ask: Ask) -> None:
    """Make the session fit into half of ``limit``, and so leave room to go on.

    ``room`` is what one request to the model may hold besides its answer. The
    newest exchanges stay word by word.

    Raises:
        clawdcore.BackendError: the model wrote no note. The session is whole: what
            was summed up until then is a note, the rest is still there.
    """
    size = note_tokens(limit)
    kept = newest(session.exchanges, limit // 2, session.ratio)
    old = session.exchanges[: len(session.exchanges) - kept]
    task = sum(of_turn(turn.content) for turn in prompts.note_of(""))
    for chunk in chunks(old, room - task, session.ratio):
        session.notes.append(await _written(ask, prompts.note_of(chunk.text), size, chunk.users))
        del session.exchanges[: chunk.whole]
        if noted(session) > 2 * size:
            _without_questions(session, 2 * size)
        if noted(session) > 2 * size:
            await _merge(session, size, ask)


def _without_questions(session: Session, room: int) -> None:
    """Leave only what was stated in the oldest notes, until all fit."""
    notes = session.notes
    for at, note in enumerate(notes):
        notes[at] = Note.of(statements(note.text), note.users)
        if noted(session) <= room:
            break
    session.notes[:] = [note for note in notes if note.text]


async def _merge(session: Session, size: int, ask: Ask) -> None:
    users = frozenset[int]().union(*(note.users for note in session.notes))
    turns = prompts.note_of_notes(session.notes)
    session.notes[:] = [await _written(ask, turns, size, users)]


async def _written(ask: Ask, turns: Sequence[Turn], size: int, users: frozenset[int]) -> Note:
    text = tidy(prompts.plain(await ask(turns, size)))
    if not text:
        raise GenerationFailed("the model wrote an empty summary.")
    return Note.of(text, users)
