"""A look at a ledger from outside, also while a bot writes it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from ...errors import StorageError
from .failures import LedgerNewer, words
from .rules import State
from .schema import VERSION, version

WAIT: Final = 5.0
"""Seconds to wait for a bot that holds the file."""


class OpenUpdate(msgspec.Struct, frozen=True):
    """An update that is not done: its ids, and ``at``, in seconds since the epoch."""

    id: int
    chat: int
    message: int
    user: int
    topic: int
    at: int
    state: str
    starts: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are of what. Times in seconds since the epoch, size in bytes."""

    path: str
    size: int
    states: dict[str, int]
    outcomes: dict[str, int]
    oldest_open: int | None
    deletions: int
    next_deletion: float | None
    plans: int
    next_plan: float | None
    open: list[OpenUpdate] = []


def read_summary(path: Path, *, rows: int = 0) -> Summary:
    """What the ledger at ``path`` says, with at most ``rows`` open updates, oldest first.

    Raises:
        LedgerNewer: a later version wrote it.
        StorageError: it can't be read.
    """
    try:
        size = sum(file.stat().st_size for file in (path, _wal(path)) if file.exists())
        where = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(where, uri=True, timeout=WAIT)) as database:
            database.execute("begin")  # all answers from one moment
            found = version(database)
            if found > VERSION:
                raise LedgerNewer(path, found, VERSION)
            if found < VERSION:
                raise StorageError(
                    f"the ledger {path} is of an earlier version ({found} of {VERSION}).",
                    fix="Start the bot once; it brings the file up to date.",
                )
            return _summary(database, path, size, rows)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"the ledger {path} can't be read ({words(error)}).",
            fix="Run this as the bot's user; the bot puts a damaged file aside when it starts.",
        ) from error


def _summary(database: sqlite3.Connection, path: Path, size: int, rows: int) -> Summary:
    states = dict.fromkeys((state.name.lower() for state in State), 0)
    for state, count in database.execute("select state, count(*) from held group by state"):
        states[State(state).name.lower()] = count
    outcomes: dict[str, int] = dict(
        database.execute("select outcome, count(*) from ended group by outcome order by outcome")
    )
    states[State.DONE.name.lower()] = sum(outcomes.values())
    deletions, next_deletion = _one(database, "select count(*), min(due) from deletion")
    plans, next_plan = _one(database, "select count(*), min(due) from plan")
    return Summary(
        path=str(path),
        size=size,
        states=states,
        outcomes=outcomes,
        oldest_open=_one(database, "select min(at) from held")[0],
        deletions=deletions,
        next_deletion=next_deletion,
        plans=plans,
        next_plan=next_plan,
        open=[
            OpenUpdate(id, chat, message, user, topic, at, State(state).name.lower(), starts)
            for id, chat, message, user, topic, at, state, starts in database.execute(
                "select id, chat, message, user, topic, at, state, starts from held"
                " order by at, id limit ?",
                (rows,),
            )
        ],
    )


def _one(database: sqlite3.Connection, statement: str) -> tuple[int, ...]:
    line: tuple[int, ...] = database.execute(statement).fetchone()
    return line


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
