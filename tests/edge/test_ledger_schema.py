"""From one version of the ledger's file to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from clawdcore.edge.ledger import LedgerNewer
from clawdcore.edge.ledger.schema import STEPS, VERSION, migrate, version

OLD = (("create table note (id integer primary key, age integer)",),)
NEXT = (
    *OLD,
    (
        "alter table note add column due integer not null default 0",
        "update note set due = age * 2",
    ),
)


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def tables(database: sqlite3.Connection) -> set[str]:
    found = database.execute("select name from sqlite_schema where type = 'table'")
    return {name for (name,) in found}


def test_an_empty_file_gets_every_step(database: sqlite3.Connection) -> None:
    migrate(database, Path("ledger.db"))
    assert version(database) == VERSION == len(STEPS)
    assert tables(database) == {"held", "ended", "deletion", "plan"}


def test_an_up_to_date_file_is_left_alone(database: sqlite3.Connection) -> None:
    migrate(database, Path("ledger.db"))
    database.execute("insert into ended values (7, 'answered', 100)")
    migrate(database, Path("ledger.db"))
    assert database.execute("select id from ended").fetchall() == [(7,)]


def test_an_old_file_gets_the_steps_that_it_lacks_and_keeps_its_rows(
    database: sqlite3.Connection,
) -> None:
    migrate(database, Path("ledger.db"), OLD)
    database.execute("insert into note values (1, 20)")
    migrate(database, Path("ledger.db"), NEXT)
    assert version(database) == 2
    assert database.execute("select * from note").fetchall() == [(1, 20, 40)]


def test_a_step_that_fails_changes_nothing(database: sqlite3.Connection) -> None:
    migrate(database, Path("ledger.db"), OLD)
    broken = (*OLD, ("create table half (id integer)", "insert into nowhere values (1)"))
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(database, Path("ledger.db"), broken)
    assert (version(database), tables(database)) == (1, {"note"})


def test_a_newer_file_is_refused_with_what_to_do(database: sqlite3.Connection) -> None:
    migrate(database, Path("ledger.db"), NEXT)
    with pytest.raises(LedgerNewer) as caught:
        migrate(database, Path("ledger.db"), OLD)
    assert str(caught.value) == (
        "the ledger ledger.db has version 2, and this clawdcore knows 1. "
        "Install the clawdcore that wrote it or a later one, or move the file away."
    )
    assert version(database) == 2


def test_no_column_could_hold_what_somebody_wrote(database: sqlite3.Connection) -> None:
    migrate(database, Path("ledger.db"))
    texts = {
        f"{table}.{name}"
        for table in tables(database)
        for _, name, kind, *_ in database.execute(f"pragma table_info({table})")
        if kind.lower() not in {"integer", "real"}
    }
    assert texts == {"held.language", "ended.outcome", "plan.plugin", "plan.name"}
