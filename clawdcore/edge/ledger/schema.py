"""The ledger's tables, and the steps from one version of the file to the next.

``held`` has an update until it is done; ``ended`` then keeps its id and outcome
alone, so that a repeated one is recognised. An id is in one of them at most.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from .failures import LedgerNewer

STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        create table held (
            id integer primary key, chat integer not null, message integer not null,
            user integer not null, at integer not null, topic integer not null,
            language text not null, addressed integer not null, private integer not null,
            state integer not null, starts integer not null, floor integer not null
        )
        """,
        "create table ended (id integer primary key, outcome text not null, at integer not null)",
        "create index ended_at on ended (at)",
        """
        create table deletion (
            chat integer not null, message integer not null, due real not null,
            primary key (chat, message)
        ) without rowid
        """,
        """
        create table plan (
            plugin text not null, name text not null, chat integer not null,
            user integer not null, due real not null, every real not null,
            primary key (plugin, name, chat, user)
        ) without rowid
        """,
    ),
)
"""Step n makes version n + 1 of version n; a step that was released is never changed."""
VERSION: Final = len(STEPS)


def version(database: sqlite3.Connection) -> int:
    """The version of the file; 0 for an empty one."""
    return int(database.execute("pragma user_version").fetchone()[0])


def migrate(
    database: sqlite3.Connection, path: Path, steps: tuple[tuple[str, ...], ...] = STEPS
) -> None:
    """Bring the file to the version of ``steps``: a transaction a step, so that none is half done.

    Raises:
        LedgerNewer: it has a version beyond that; nothing was changed.
        sqlite3.Error: a step failed.
    """
    found = version(database)
    if found > len(steps):
        raise LedgerNewer(path, found, len(steps))
    for number, statements in enumerate(steps[found:], start=found + 1):
        database.execute("begin immediate")
        try:
            for statement in statements:
                database.execute(statement)
            database.execute(f"pragma user_version = {number}")
            database.execute("commit")
        except BaseException:
            if database.in_transaction:
                database.execute("rollback")
            raise
