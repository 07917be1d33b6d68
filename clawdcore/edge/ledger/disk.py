"""The ledger's file, as its one thread sees it. Blocking; nothing here knows asyncio.

WAL with ``synchronous=FULL``: a commit returns once its bytes are on the disk, by
one fsync of one file. What is left in the WAL of deleted rows are ids.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...broker import Plan
from . import files, rules
from .batch import Batch, Found, Snapshot, Values, Written, plan_key
from .failures import Damaged, is_damage
from .rules import Row, State
from .schema import migrate

BUSY: Final = 1.0
"""Seconds to wait for another program that holds the file, before it counts as broken."""
SLICE: Final = 500
"""Done ids that one commit forgets at most."""
FREE_PAGES: Final = 1024
"""Unused pages (4 KB each) in the file beyond which some are given back."""
PRAGMAS: Final = (
    "auto_vacuum = incremental",  # acts on a new file only, and before its first table
    "journal_mode = wal",
    "synchronous = full",
    "fullfsync = on",  # macOS: an fsync that reaches the disk
    "checkpoint_fullfsync = on",
    "secure_delete = on",
    "journal_size_limit = 4194304",
    "cache_size = -1024",
    "temp_store = memory",
)
HOLD: Final = (
    "insert or ignore into held select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12"
    " where not exists (select 1 from ended where id = ?1)"
)
IS_HELD: Final = "select 1 from held where id = ?"
END: Final = "insert or ignore into ended values (?, ?, ?)"
RELEASE: Final = "delete from held where id = ?"
OWE: Final = "insert or replace into deletion values (?, ?, ?)"
PLAN: Final = "insert or replace into plan values (?, ?, ?, ?, ?, ?)"
FORGET: Final = (
    "delete from ended where id in (select id from ended where at < ? order by at limit ?)"
)
UNKNOWN: Final = "unknown"
"""The outcome of what ended while nothing could be written, and was too much to remember."""


class Disk:
    """One file. After an error it is closed, and :meth:`open` begins again."""

    def __init__(self, path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> None:
        self.path = path
        self._factory = factory
        self._database: sqlite3.Connection | None = None
        self._lock: int | None = None
        self._ended = 0

    def open(self, now: float) -> Found:
        """Lock, check, bring up to date and read. A damaged file is put aside for a new one.

        Raises:
            LedgerTaken: another process has it.
            LedgerNewer: a later version wrote it.
            sqlite3.Error, OSError: it can't be used.
        """
        self.abandon()
        files.prepare(self.path)
        if self._lock is None:
            self._lock = files.lock(self.path.parent)
        files.drop_old(self.path, now)
        try:
            return self._read(now)
        except sqlite3.Error as error:
            self.abandon()
            if not is_damage(error):
                raise
        except BaseException:
            self.abandon()
            raise
        aside = files.set_aside(self.path, now)
        files.prepare(self.path)
        try:
            found = self._read(now)
        except BaseException:
            self.abandon()
            raise
        found.aside = aside
        return found

    def _read(self, now: float) -> Found:
        database = self._database = sqlite3.connect(
            self.path, timeout=BUSY, isolation_level=None, factory=self._factory
        )
        for pragma in PRAGMAS:
            database.execute(f"pragma {pragma}").fetchall()
        if database.execute("pragma quick_check(1)").fetchall() != [("ok",)]:
            raise Damaged
        migrate(database, self.path)
        database.execute("delete from deletion where due < ?", (now - rules.DELETABLE,))
        self._ended = int(database.execute("select count(*) from ended").fetchone()[0])
        plans = [Plan(*values) for values in database.execute("select * from plan")]
        return Found(
            rows=[_row(*line) for line in database.execute("select * from held order by at, id")],
            deletions={
                (chat, message): due
                for chat, message, due in database.execute("select * from deletion")
            },
            plans={plan_key(plan): plan for plan in plans},
        )

    def write(self, batch: Batch, now: float) -> Written:
        """One transaction, durable on return.

        Raises:
            sqlite3.Error, OSError: it is not known to be there; the file is closed.
        """
        database = self._begin()
        try:
            self._end(database, batch.done)
            known = [int(values[0]) for values in batch.received if not _hold(database, values)]
            many = database.executemany
            many("update held set state = 1 where id = ? and state = 0", batch.confirmed)
            many("update held set starts = starts + 1 where id = ?", batch.started)
            many("update held set state = 2, floor = ? where id = ? and state < 2", batch.sending)
            _change(database, batch)
            gone = self._forget(database, now)
            database.execute("commit")
            if gone:
                _shrink(database)
        except BaseException:
            self.abandon()
            raise
        return Written(known, more=gone >= SLICE)

    def rewrite(self, snapshot: Snapshot, now: float) -> Found:
        """Open again, and make the file say what memory knows; one transaction.

        What the file held and memory doesn't know is returned where the file was not
        read before in this run; else it is over.

        Raises:
            as :meth:`open`.
        """
        found = self.open(now)
        database = self._begin()
        try:
            held = {values[0] for values in snapshot.held}
            self._end(database, snapshot.done)
            done = {id for id, _, _ in snapshot.done}
            found.rows = [row for row in found.rows if row.id not in held and row.id not in done]
            if snapshot.complete:
                self._end(database, [(row.id, UNKNOWN, int(now)) for row in found.rows])
                database.execute("delete from deletion")
                database.execute("delete from plan")
                found = Found([], {}, {}, found.aside)
            for values in snapshot.held:
                self._ended -= database.execute(
                    "delete from ended where id = ?", values[:1]
                ).rowcount
                database.execute(RELEASE, values[:1])
                database.execute(HOLD, values)
            _change(database, Batch(deletions=dict(snapshot.deletions), plans=dict(snapshot.plans)))
            database.execute("commit")
        except BaseException:
            self.abandon()
            raise
        return found

    def close(self) -> None:
        """Close the file and let others have it."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.execute("pragma wal_checkpoint(truncate)").fetchall()
        self.abandon()
        if self._lock is not None:
            files.unlock(self._lock)
            self._lock = None

    def abandon(self) -> None:
        """Close the file as it is; what was not committed is not there."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _begin(self) -> sqlite3.Connection:
        if self._database is None:
            raise sqlite3.ProgrammingError("the file is not open")
        try:
            self._database.execute("begin immediate")
        except BaseException:
            self.abandon()
            raise
        return self._database

    def _end(self, database: sqlite3.Connection, done: Sequence[tuple[int, str, int]]) -> None:
        if done:
            self._ended += database.executemany(END, done).rowcount
            database.executemany(RELEASE, [(id,) for id, _, _ in done])

    def _forget(self, database: sqlite3.Connection, now: float) -> int:
        """Forget a slice of what is old or too much; how many ids it was."""
        gone = database.execute(FORGET, (int(now) - rules.KEPT, SLICE)).rowcount
        if gone < SLICE and (surplus := rules.surplus(self._ended - gone)):
            limit = min(surplus, SLICE - gone)
            gone += database.execute(FORGET, (2**62, limit)).rowcount
        self._ended -= gone
        return gone


def _hold(database: sqlite3.Connection, values: Values) -> bool:
    """Write a row that was received; False if it was done before."""
    if database.execute(HOLD, values).rowcount:
        return True
    return database.execute(IS_HELD, values[:1]).fetchone() is not None


def _shrink(database: sqlite3.Connection) -> None:
    """Give the file system some pages back where many are unused; a transaction of its own."""
    if int(database.execute("pragma freelist_count").fetchone()[0]) > FREE_PAGES:
        # execute() would stop at the first page, since the statement gives rows without columns.
        database.executescript(f"pragma incremental_vacuum({FREE_PAGES // 4})")


def _change(database: sqlite3.Connection, batch: Batch) -> None:
    """Write deletions owed and plans, or that they are over."""
    for (chat, message), due in batch.deletions.items():
        if due is None:
            database.execute("delete from deletion where chat = ? and message = ?", (chat, message))
        else:
            database.execute(OWE, (chat, message, due))
    for key, plan in batch.plans.items():
        if plan is None or plan.due is None:
            database.execute(
                "delete from plan where plugin = ? and name = ? and chat = ? and user = ?", key
            )
        else:
            database.execute(PLAN, (*key, plan.due, plan.every))


def _row(
    id: int, chat: int, message: int, user: int, at: int, topic: int, language: str,
    addressed: int, private: int, state: int, starts: int, floor: int,
) -> Row:  # fmt: skip
    return Row(
        id=id,
        chat=chat,
        message=message,
        user=user,
        at=at,
        topic=topic,
        language=language,
        addressed=bool(addressed),
        private=bool(private),
        state=State(state),
        starts=starts,
        floor=floor,
    )
