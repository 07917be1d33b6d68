"""The ledger while its disk is not well: it goes on in memory, says so, and catches up."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawdcore.broker import Outcome, Plan
from clawdcore.edge.ledger import (
    LEDGER_FILE,
    UNKNOWN,
    Deletion,
    Ledger,
    LedgerNewer,
    LedgerTaken,
    Row,
    State,
    Verdict,
)
from clawdcore.edge.ledger import commits as commits_module
from clawdcore.edge.ledger import disk as disk_module
from clawdcore.edge.ledger import store as store_module
from clawdcore.edge.ledger import view as view_module
from clawdcore.testing import VirtualLoop

T = TypeVar("T")
NOW = 1_000_000.0
MINUTE = 61.0


def row(id: int, state: State = State.RECEIVED) -> Row:
    return Row(id=id, chat=-5, message=id + 100, user=7, at=int(NOW), state=state)


class Switch:
    """Whether the disk fails: with this error, or not at all."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.pages = 1_000_000
        self.before: Callable[[str], None] = lambda statement: None

    def factory(switch) -> type[sqlite3.Connection]:  # noqa: N805 - `self` is the connection's
        class Switched(sqlite3.Connection):
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                try:
                    super().execute(f"pragma max_page_count = {switch.pages}")
                except sqlite3.Error:
                    self.close()
                    raise

            def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
                switch.before(statement)
                if switch.error is not None and statement in ("commit", "begin immediate"):
                    raise switch.error
                return super().execute(statement, *arguments)

        return Switched


FULL = sqlite3.OperationalError("database or disk is full")
FULL.sqlite_errorcode = sqlite3.SQLITE_FULL  # as SQLite itself does
FULL_LINE = (
    "the ledger can't be kept: the disk is full. What is under way is lost if the bot is killed. "
    "Check the workspace's rights and free space; it is tried again every minute."
)


class Place:
    """A folder with a ledger, a disk that may fail, and what the owner was told."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "7" / LEDGER_FILE
        self.disk = Switch()
        self.told: list[str] = []
        self.now = NOW

    def ledger(self) -> Ledger:
        return Ledger(
            self.path,
            suspended=self.told.append,
            clock=lambda: self.now,
            factory=self.disk.factory(),
        )

    def run(self, story: Callable[[Ledger], Awaitable[T]]) -> T:
        async def live() -> T:
            ledger = self.ledger()
            try:
                return await story(ledger)
            finally:
                await ledger.close()

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(live())

    def select(self, what: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as database:
            return database.execute(f"select {what}").fetchall()

    def fill(self, *rows: Row) -> None:
        """What an earlier run left."""

        async def story(ledger: Ledger) -> None:
            await ledger.open()
            await ledger.receive(rows)

        self.run(story)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@contextmanager
def somebody_without_rights() -> Iterator[None]:
    """For root no folder is read-only: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_failing_disk_is_told_once_and_when_it_is_well_again(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.open()
        place.disk.error = FULL
        assert await ledger.receive([row(1)]) == [Verdict.NEW]
        assert ledger.suspended == FULL_LINE
        await asyncio.sleep(10 * MINUTE)
        assert place.told == [FULL_LINE]
        place.disk.error = None
        await asyncio.sleep(MINUTE)
        assert place.told == [FULL_LINE, ""]
        assert ledger.suspended == ""
        assert place.select("id from held") == [(1,)]

    place.run(story)


def test_meanwhile_memory_decides_and_then_the_file_says_what_it_knew(place: Place) -> None:
    plan = Plan("remind", "call", due=NOW + 60)

    async def story(ledger: Ledger) -> None:
        await ledger.open()
        await ledger.receive([row(1), row(2), row(3)])
        await ledger.owe(-5, 900, NOW)
        await ledger.owe(-5, 901, NOW)
        place.disk.error = FULL
        await ledger.settle(1, Outcome.ANSWERED)
        await ledger.sending(2, 77)
        ledger.confirm([3])
        ledger.start(3)
        ledger.paid(-5, 900)
        assert await ledger.plan(plan)
        assert await ledger.receive([row(4), row(5)]) == ["new", "new"]
        ledger.done(4, Outcome.SKIPPED)
        assert await ledger.receive([row(id) for id in range(1, 6)]) == ["known"] * 5
        place.disk.error = None
        await asyncio.sleep(MINUTE)
        assert await ledger.receive([row(id) for id in range(1, 6)]) == ["known"] * 5
        assert ledger.deletions() == [Deletion(-5, 901, NOW)]

    place.run(story)
    assert place.select("id, state, starts, floor from held") == [
        (2, 2, 0, 77),
        (3, 1, 1, 0),
        (5, 0, 0, 0),
    ]
    assert place.select("id, outcome from ended") == [(1, "answered"), (4, "skipped")]
    assert place.select("message from deletion") == [(901,)]
    assert place.select("plugin, due from plan") == [("remind", NOW + 60)]


def test_a_clean_end_is_a_last_try(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.open()
        await ledger.receive([row(1), row(2)])
        place.disk.error = FULL
        await ledger.settle(1, Outcome.ANSWERED)
        place.disk.error = None

    place.run(story)
    assert place.select("id from held") == [(2,)]
    assert place.select("id, outcome from ended") == [(1, "answered")]


def test_a_clean_end_without_a_disk_is_still_an_end(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.open()
        place.disk.error = FULL
        await ledger.receive([row(1)])

    place.run(story)
    assert place.told == [FULL_LINE]


def test_a_disk_that_is_really_full(place: Place) -> None:
    place.disk.pages = 30
    rows = [row(id) for id in range(5000)]

    async def story(ledger: Ledger) -> None:
        await ledger.open()
        for start in range(0, 5000, 100):
            assert await ledger.receive(rows[start : start + 100]) == [Verdict.NEW] * 100
        assert place.told == [FULL_LINE]
        assert 0 < place.select("count(*) from held")[0][0] < 5000
        place.disk.pages = 1_000_000
        await asyncio.sleep(MINUTE)
        assert place.told == [FULL_LINE, ""]
        assert place.select("count(*) from held") == [(5000,)]

    place.run(story)


def test_what_ended_meanwhile_and_was_too_much_to_remember_is_over_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_module, "RECENT", 2)

    async def story(ledger: Ledger) -> None:
        await ledger.open()
        await ledger.receive([row(id) for id in range(5)])
        place.disk.error = FULL
        for id in range(4):
            await ledger.settle(id, Outcome.ANSWERED)
        place.disk.error = None
        await asyncio.sleep(MINUTE)

    place.run(story)
    assert place.select("id from held") == [(4,)]
    assert place.select("id, outcome from ended") == [
        (0, UNKNOWN),
        (1, UNKNOWN),
        (2, "answered"),
        (3, "answered"),
    ]


class Gate:
    """Lets the ledger's thread wait before a statement."""

    def __init__(self, place: Place, statement: str) -> None:
        self._statement = statement
        self._there, self._go = threading.Event(), threading.Event()
        place.disk.before = self._before

    def _before(self, statement: str) -> None:
        if statement == self._statement:
            self._there.set()
            assert self._go.wait(30)

    async def reached(self) -> None:
        while not self._there.is_set():
            await asyncio.sleep(0)

    def open(self) -> None:
        self._go.set()


def test_what_waits_behind_a_commit_that_fails_is_not_lost(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.open()
        await ledger.receive([row(1), row(2), row(3)])
        gate = Gate(place, "commit")
        first = asyncio.create_task(ledger.settle(1, Outcome.ANSWERED))
        await gate.reached()
        place.disk.error = FULL  # from here on: its transaction has begun
        second = asyncio.create_task(ledger.settle(2, Outcome.NOTICED))
        ledger.done(3, Outcome.SKIPPED)
        await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(first, second)
        assert ledger.suspended == FULL_LINE
        place.disk.error = None

    place.run(story)
    assert place.select("id from held") == []
    outcomes = [(1, "answered"), (2, "noticed"), (3, "skipped")]
    assert place.select("id, outcome from ended") == outcomes


def test_a_disk_that_gives_no_answer_is_given_up_until_it_does(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits_module, "STALL", 0.05)
    monkeypatch.setattr(store_module, "RETRY", 0.05)

    async def story() -> None:
        ledger = place.ledger()
        await ledger.open()
        await ledger.receive([row(1), row(2)])
        gate = Gate(place, "commit")
        await ledger.settle(1, Outcome.ANSWERED)
        assert "the ledger can't be kept: the disk gives no answer." in ledger.suspended
        assert await ledger.receive([row(1), row(3)]) == ["known", "new"]
        ledger.done(2, Outcome.NOTICED)
        gate.open()
        while ledger.suspended:
            await asyncio.sleep(0.01)
        await ledger.close()

    asyncio.run(story())  # real time: a thread hangs
    assert place.select("id from held") == [(3,)]
    assert place.select("id, outcome from ended") == [(1, "answered"), (2, "noticed")]


def test_an_owner_who_can_not_be_told_keeps_nobody_waiting(place: Place) -> None:
    shown: list[str] = []

    def broken(reason: str) -> None:
        raise ValueError

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: shown.append(type(context["exception"]).__name__)
        )
        ledger = Ledger(place.path, suspended=broken, factory=place.disk.factory())
        await ledger.open()
        place.disk.error = FULL
        assert await ledger.receive([row(1)]) == [Verdict.NEW]
        await ledger.close()

    asyncio.run(story())
    assert shown == ["ValueError"]


@pytest.mark.parametrize("end", [False, True])
def test_what_happens_while_it_catches_up_is_not_lost(place: Place, end: bool) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.open()
        await ledger.receive([row(1), row(2)])
        place.disk.error = FULL
        await ledger.settle(1, Outcome.ANSWERED)
        gate = Gate(place, "delete from plan")
        place.disk.error = None
        await asyncio.sleep(60)
        await gate.reached()
        await ledger.settle(2, Outcome.NOTICED)
        assert await ledger.receive([row(3)]) == [Verdict.NEW]
        assert ledger.suspended == FULL_LINE
        gate.open()
        if end:
            return  # and close at once
        await asyncio.sleep(1)
        assert ledger.suspended == ""
        assert await ledger.receive([row(2), row(3)]) == ["known", "known"]

    place.run(story)
    assert place.select("id from held") == [(3,)]
    assert place.select("id, outcome from ended") == [(1, "answered"), (2, "noticed")]


def test_what_was_done_long_ago_and_came_again_unrecognised_has_one_state(place: Place) -> None:
    place.fill(row(1))

    async def before(ledger: Ledger) -> None:
        await ledger.open()
        await ledger.settle(1, Outcome.ANSWERED)

    async def story(ledger: Ledger) -> None:
        place.disk.error = FULL
        with closing(sqlite3.connect(place.path, isolation_level=None)) as other:
            other.execute("pragma locking_mode = exclusive")
            other.execute("begin exclusive")
            assert await ledger.open() == []
        assert await ledger.receive([row(1)]) == [Verdict.NEW]
        place.disk.error = None

    place.run(before)
    place.run(story)
    assert place.select("id from held") == [(1,)]
    assert place.select("id from ended") == []


def test_a_workspace_that_can_not_be_made_is_no_reason_to_stop(place: Place) -> None:
    place.path.parent.write_text("a file where the folder should be")

    async def story(ledger: Ledger) -> None:
        assert await ledger.open() == []
        assert "the ledger can't be kept: file exists." in ledger.suspended
        assert await ledger.receive([row(1)]) == [Verdict.NEW]
        place.path.parent.unlink()
        await asyncio.sleep(MINUTE)
        assert ledger.suspended == ""
        assert place.select("id from held") == [(1,)]

    place.run(story)


def test_a_read_only_folder() -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name))
        place.path.parent.mkdir()
        place.path.parent.parent.chmod(0o755)
        place.path.parent.chmod(0o555)

        async def story(ledger: Ledger) -> None:
            with somebody_without_rights():
                assert await ledger.open() == []
                assert "the ledger can't be kept: permission denied." in ledger.suspended
                assert await ledger.receive([row(1)]) == [Verdict.NEW]
            place.path.parent.chmod(0o755)
            await asyncio.sleep(MINUTE)
            assert ledger.suspended == ""

        place.run(story)
        assert place.select("id from held") == [(1,)]


def test_what_an_earlier_run_left_is_found_late(place: Place) -> None:
    place.fill(row(1), row(2), row(3))

    async def story(ledger: Ledger) -> None:
        place.disk.error = FULL
        with closing(sqlite3.connect(place.path, isolation_level=None)) as other:
            other.execute("pragma locking_mode = exclusive")
            other.execute("begin exclusive")
            assert await ledger.open() == []
        assert "another program holds it" in ledger.suspended
        # Telegram brings one again, and it is answered before the file can be read.
        assert await ledger.receive([row(1), row(2)]) == ["new", "new"]
        await ledger.settle(1, Outcome.ANSWERED)
        assert ledger.take_left() == []
        place.disk.error = None
        await asyncio.sleep(MINUTE)
        assert ledger.suspended == ""
        assert [left.id for left in ledger.take_left()] == [3]
        assert await ledger.receive([row(1), row(2), row(3)]) == ["known", "known", "adopted"]

    place.run(story)
    assert place.select("id from held") == [(2,), (3,)]
    assert place.select("id, outcome from ended") == [(1, "answered")]


def test_another_program_that_holds_the_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_module, "BUSY", 0.05)

    async def story(ledger: Ledger) -> None:
        await ledger.open()
        with closing(sqlite3.connect(place.path, isolation_level=None)) as other:
            other.execute("begin immediate")
            assert await ledger.receive([row(1)]) == [Verdict.NEW]
            assert "the ledger can't be kept: another program holds it." in ledger.suspended
        await asyncio.sleep(MINUTE)
        assert ledger.suspended == ""
        assert place.select("id from held") == [(1,)]

    place.run(story)


def test_a_second_bot_on_the_folder_is_refused_until_the_first_has_ended(place: Place) -> None:
    async def story(first: Ledger) -> None:
        await first.open()
        second = place.ledger()
        with pytest.raises(LedgerTaken) as caught:
            await second.open()
        assert str(caught.value) == (
            f"another bot runs with the ledger in {place.path.parent}. Stop that one first, "
            "or give this one another agents.defaults.workspace."
        )
        await second.close()
        await first.receive([row(1)])
        await first.close()
        third = place.ledger()
        assert await third.open() == [row(1)]
        await third.close()

    place.run(story)
    assert place.told == []


def test_a_newer_file_is_refused_and_left_as_it_is(place: Place) -> None:
    place.fill(row(1))
    with closing(sqlite3.connect(place.path)) as database:
        database.execute("pragma user_version = 99")

    async def story(ledger: Ledger) -> None:
        with pytest.raises(LedgerNewer, match="has version 99, and this clawdcore knows 1"):
            await ledger.open()

    place.run(story)
    place.run(story)  # the lock was given back
    assert place.select("id from held") == [(1,)]


def damage_all(file: Path) -> None:
    file.write_bytes(b"this was never a database" * 200)


def damage_a_page(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[3 * 4096 : 4 * 4096] = b"\xa5" * 4096
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "sign"), [(damage_all, b"never a database"), (damage_a_page, b"\xa5" * 4096)]
)
def test_a_damaged_file_is_put_aside_for_a_new_one(
    place: Place, damage: Callable[[Path], None], sign: bytes
) -> None:
    place.fill(row(1), row(2))
    damage(place.path)
    aside = place.path.with_name(f"{LEDGER_FILE}.broken-{int(NOW)}")

    async def story(ledger: Ledger) -> None:
        assert await ledger.open() == []
        assert ledger.suspended == ""
        await asyncio.sleep(0)
        assert place.told == [
            f"the ledger was damaged and is now {aside.name}; a new one was begun. What was under "
            "way when the bot last stopped can't be told, and deletions and plans in it are lost.",
            "",
        ]
        assert await ledger.receive([row(1)]) == [Verdict.NEW]

    place.run(story)
    assert sign in aside.read_bytes()
    assert place.select("id from held") == [(1,)]


def test_a_file_that_is_damaged_while_the_bot_runs_is_replaced_with_what_memory_knows(
    place: Place,
) -> None:
    place.fill(row(9))

    async def story(ledger: Ledger) -> None:
        await ledger.open()
        await ledger.receive([row(1), row(2)])
        await ledger.settle(2, Outcome.ANSWERED)
        damage_all(place.path)
        place.disk.error = FULL
        await ledger.sending(1, 5)
        place.disk.error = None
        await asyncio.sleep(MINUTE)
        assert ledger.suspended == ""

    place.run(story)
    assert place.select("id, state from held") == [(1, 2), (9, 0)]


def test_what_was_put_aside_goes_after_a_week(place: Place) -> None:
    place.fill()
    old, new = (place.path.with_name(f"{LEDGER_FILE}.broken-{age}") for age in (1, 2))
    for file, age in ((old, 8), (new, 6)):
        file.touch()
        os.utime(file, (NOW - age * 86400, NOW - age * 86400))
    place.fill()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_mistake_of_ours_is_shown_and_stops_nothing(place: Place) -> None:
    shown: list[str] = []

    async def story(ledger: Ledger) -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: shown.append(type(context["exception"]).__name__)
        )
        await ledger.open()
        assert await ledger.receive([row(2**70), row(1)]) == ["new", "new"]
        assert "the ledger can't be kept: OverflowError." in ledger.suspended
        await asyncio.sleep(MINUTE)
        assert ledger.suspended == ""
        await ledger.settle(2**70, Outcome.ANSWERED)
        assert await ledger.receive([row(2**70)]) == ["known"]

    place.run(story)
    assert set(shown) == {"OverflowError"}
    assert place.select("id from held") == [(1,)]


KINDS = ["receive", "confirm", "sending", "done", "settle", "break", "mend", "wait"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 4)), max_size=40),
)
def test_however_the_disk_comes_and_goes_nothing_raises_and_the_file_ends_up_right(
    changes: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = Place(tmp_path_factory.mktemp("any"))
    states: dict[int, State] = {}

    async def change(ledger: Ledger, kind: str, id: int) -> None:
        match kind:
            case "receive":
                verdict = Verdict.KNOWN if id in states else Verdict.NEW
                assert await ledger.receive([row(id)]) == [verdict]
            case "confirm":
                ledger.confirm([id])
            case "sending":
                await ledger.sending(id, 5)
            case "done":
                ledger.done(id, Outcome.ANSWERED)
            case "settle":
                await ledger.settle(id, Outcome.ANSWERED)
            case "break":
                place.disk.error = FULL
            case "mend":
                place.disk.error = None
            case "wait":
                await asyncio.sleep(MINUTE)

    reached = {
        "confirm": State.CONFIRMED,
        "sending": State.SENDING,
        "done": State.DONE,
        "settle": State.DONE,
    }

    async def story(ledger: Ledger) -> None:
        await ledger.open()
        for kind, id in changes:
            await change(ledger, kind, id)
            if kind == "receive":
                states.setdefault(id, State.RECEIVED)
            elif kind in reached and id in states:
                states[id] = max(states[id], reached[kind])
        place.disk.error = None

    place.run(story)
    held = dict(place.select("id, state from held"))
    ended = dict(place.select("id, outcome from ended"))
    assert held == {id: state for id, state in states.items() if state is not State.DONE}
    assert ended == {id: "answered" for id, state in states.items() if state is State.DONE}
