"""A look at a ledger from outside, also while a bot writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from ...errors import StorageError
from .failures import LedgerNewer, words
from .rules import State
from .schema import VERSION, version

Rows = list[dict[str, int | float | str]]
TABLES: Final = {
    "held": ("id", "chat", "message", "user", "at", "topic", "language", "state", "starts"),
    "ended": ("id", "outcome", "at"),
    "deletion": ("chat", "message", "due"),
    "plan": ("plugin", "name", "chat", "user", "due", "every"),
}
"""What the file keeps, as :func:`read_all` gives it; times in seconds since the epoch."""
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
    with _looking(path) as database:
        size = sum(file.stat().st_size for file in (path, _wal(path)) if file.exists())
        return _summary(database, path, size, rows)


def read_all(path: Path, *, chat: int | None = None, user: int | None = None) -> dict[str, Rows]:
    """Every row of the ledger at ``path``, by table; raises as :func:`read_summary`.

    With ``chat`` or ``user`` only what belongs to that one. Of a done update nobody's id
    is kept, so that none is given then.
    """
    asked = {"chat": chat, "user": user}
    with _looking(path) as database:
        found: dict[str, Rows] = {}
        for table, columns in TABLES.items():
            wanted = {name: id for name, id in asked.items() if id is not None}
            if not wanted.keys() <= set(columns):
                found[table] = []
                continue
            where = " and ".join(f"{name}=:{name}" for name in wanted) or "true"
            statement = f"select {', '.join(columns)} from {table} where {where} order by 1, 2"  # noqa: S608 - names from TABLES
            rows = database.execute(statement, wanted)
            found[table] = [dict(zip(columns, row, strict=True)) for row in rows]
        return found


@contextmanager
def _looking(path: Path) -> Iterator[sqlite3.Connection]:
    """The ledger at ``path``, as it is at one moment; raises as :func:`read_summary`."""
    try:
        where = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(where, uri=True, timeout=WAIT)) as database:
            database.execute("begin")
            found = version(database)
            if found > VERSION:
                raise LedgerNewer(path, found, VERSION)
            if found < VERSION:
                raise StorageError(
                    f"the ledger {path} is of an earlier version ({found} of {VERSION}).",
                    fix="Start the bot once; it brings the file up to date.",
                )
            yield database
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
