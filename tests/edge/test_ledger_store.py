"""The ledger while its disk is well: what is told, kept, forgotten and shared."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import stat
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawdcore.broker import Outcome, Plan
from clawdcore.edge.ledger import LEDGER_FILE, Deletion, Ledger, Row, State, Verdict
from clawdcore.edge.ledger import disk as disk_module
from clawdcore.edge.ledger import rules as rules_module
from clawdcore.edge.ledger import view as view_module
from clawdcore.edge.ledger.rules import KEPT
from clawdcore.testing import VirtualLoop

T = TypeVar("T")
NOW = 1_000_000.0


def row(id: int, **changes: Any) -> Row:
    return Row(**{"id": id, "chat": -5, "message": id + 100, "user": 7, "at": int(NOW), **changes})


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Place:
    """A folder in which one run of a bot follows another."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "7" / LEDGER_FILE
        self.clock = Clock()
        self.told: list[str] = []
        self.left: list[Row] = []

    def run(
        self,
        story: Callable[[Ledger], Awaitable[T]],
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> T:
        """One run, to a clean end."""

        async def live() -> T:
            ledger = Ledger(
                self.path, suspended=self.told.append, clock=self.clock, factory=factory
            )
            self.left = await ledger.open()
            try:
                return await story(ledger)
            finally:
                await ledger.close()

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(live())

    def select(self, what: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as database:
            return database.execute(f"select {what}").fetchall()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_files_are_for_the_bots_user_alone(place: Place) -> None:
    place.path.parent.mkdir(mode=0o755)

    async def story(ledger: Ledger) -> dict[str, int]:
        await ledger.receive([row(1)])
        folder = place.path.parent
        return {
            file.name: stat.S_IMODE(file.stat().st_mode) for file in (folder, *folder.iterdir())
        }

    modes = place.run(story)
    assert modes.pop("7") == 0o700
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}


def test_an_update_is_worked_on_once_in_a_run(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        assert await ledger.receive([row(1), row(2), row(1)]) == ["new", "new", "known"]
        ledger.done(1, Outcome.ANSWERED)
        assert await ledger.receive([row(1), row(2), row(3)]) == ["known", "known", "new"]

    place.run(story)


def test_two_that_bring_one_update_at_once_wait_for_its_commit_and_one_works_on_it(
    place: Place,
) -> None:
    async def story(ledger: Ledger) -> None:
        verdicts = await asyncio.gather(ledger.receive([row(1)]), ledger.receive([row(1)]))
        assert [first for [first] in verdicts] == [Verdict.NEW, Verdict.KNOWN]
        assert place.select("id from held") == [(1,)]

    place.run(story)


def test_what_a_cancelled_caller_brought_goes_to_the_next_one(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        task = asyncio.create_task(ledger.receive([row(1)]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await ledger.receive([row(1)]) == [Verdict.NEW]
        assert await ledger.receive([row(1)]) == [Verdict.KNOWN]

    place.run(story)


def test_what_is_left_comes_back_oldest_first_with_all_that_was_known(place: Place) -> None:
    late = row(1, at=int(NOW) + 5, topic=3, language="zh-CN", addressed=False, private=True)

    sent = row(3)

    async def first(ledger: Ledger) -> None:
        await ledger.receive([late, row(2), sent, row(4)])
        ledger.confirm([2, 3])
        ledger.start(3)
        ledger.start(3)
        await ledger.sending(3, 77)
        await ledger.sending(3, 88)
        assert sent.floor == 77
        ledger.done(4, Outcome.ANSWERED)

    async def nothing(ledger: Ledger) -> None:
        assert ledger.open_rows == 3

    place.run(first)
    place.run(nothing)
    assert place.left == [
        row(2, state=State.CONFIRMED),
        row(3, state=State.SENDING, starts=2, floor=77),
        row(1, at=int(NOW) + 5, topic=3, language="zh-CN", addressed=False, private=True),
    ]


def test_what_was_only_received_is_adopted_once_and_what_was_further_is_not(place: Place) -> None:
    async def first(ledger: Ledger) -> None:
        await ledger.receive([row(1), row(2), row(3), row(4)])
        ledger.confirm([2])
        await ledger.sending(3, 5)
        ledger.done(4, Outcome.ANSWERED)

    async def second(ledger: Ledger) -> None:
        again = [row(1), row(2), row(3), row(4)]
        assert await ledger.receive(again) == ["adopted", "known", "known", "known"]
        assert await ledger.receive(again) == ["known"] * 4

    place.run(first)
    place.run(second)


def test_one_whose_notice_is_under_way_is_not_adopted(place: Place) -> None:
    async def first(ledger: Ledger) -> None:
        await ledger.receive([row(1), row(2)])

    async def second(ledger: Ledger) -> None:
        await ledger.sending(1, 5)
        ledger.done(2, Outcome.NOTICED)
        assert await ledger.receive([row(1), row(2)]) == ["known", "known"]

    place.run(first)
    place.run(second)


def test_an_end_is_written_without_being_waited_for(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.receive([row(1)])
        ledger.done(1, Outcome.NOTICED)
        assert place.select("id from held") == [(1,)]
        await asyncio.sleep(0.2)
        await ledger.flush()
        assert place.select("id from held") == []
        assert place.select("* from ended") == [(1, "noticed", int(NOW))]

    place.run(story)


def test_of_what_is_done_only_id_outcome_and_time_stay(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.receive([row(1, language="zh-CN", chat=-987654321)])
        await ledger.settle(1, Outcome.ANSWERED)

    place.run(story)
    assert place.select("* from ended") == [(1, "answered", int(NOW))]
    # secure_delete: not even in the pages that are free now.
    assert b"zh-CN" not in place.path.read_bytes()


def test_nobodys_words_pass_for_a_language(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.receive([row(1, language="the cellar at nine")])

    place.run(story)
    assert place.select("language from held") == [("",)]


def test_many_that_send_at_once_share_a_commit(place: Place) -> None:
    commits = 0

    class Counting(sqlite3.Connection):
        def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
            nonlocal commits
            commits += statement == "commit"
            return super().execute(statement, *arguments)

    async def story(ledger: Ledger) -> int:
        await ledger.receive([row(id) for id in range(100)])
        before = commits
        await asyncio.gather(*(ledger.sending(id, 5) for id in range(100)))
        return commits - before

    assert place.run(story, Counting) == 1
    assert place.select("count(*) from held where state = 2 and floor = 5") == [(100,)]


def test_the_loop_turns_while_the_disk_is_slow(place: Place) -> None:
    go = threading.Event()

    class Slow(sqlite3.Connection):
        def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
            if statement == "commit":
                assert go.wait(30)
            return super().execute(statement, *arguments)

    async def story(ledger: Ledger) -> None:
        receiving = asyncio.create_task(ledger.receive([row(1)]))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not receiving.done()
        go.set()
        assert await receiving == [Verdict.NEW]

    go.set()
    place.run(lambda ledger: asyncio.sleep(0), Slow)
    go.clear()
    # The first transaction of this run is the story's: the tables are there.
    place.run(story, Slow)


def test_a_done_id_is_forgotten_after_25_hours_and_not_before(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, "SLICE", 2)

    async def first(ledger: Ledger) -> None:
        await ledger.receive([row(id) for id in range(5)])
        for id in range(5):
            ledger.done(id, Outcome.ANSWERED)

    async def nothing(ledger: Ledger) -> None:
        await ledger.receive([row(99)])

    async def idle(ledger: Ledger) -> None:
        await asyncio.sleep(700)
        await ledger.flush()

    place.run(first)
    place.clock.now += KEPT
    place.run(nothing)
    assert place.select("count(*) from ended") == [(5,)]
    place.clock.now += 1
    place.run(idle)
    assert place.select("count(*) from ended") == [(0,)]
    assert place.select("id from held") == [(99,)]


def test_of_too_many_done_ids_the_oldest_go(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_module, "ENDED_LIMIT", 10)

    async def story(ledger: Ledger) -> None:
        for id in range(25):
            place.clock.now += 1
            await ledger.receive([row(id)])
            await ledger.settle(id, Outcome.ANSWERED)

    place.run(story)
    assert [id for (id,) in place.select("id from ended order by id")] == list(range(15, 25))


def test_the_file_gives_back_what_it_no_longer_needs(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, "FREE_PAGES", 16)

    async def much(ledger: Ledger) -> None:
        rows = [row(id) for id in range(20_000)]
        await ledger.receive(rows)
        for each in rows:
            ledger.done(each.id, Outcome.ANSWERED)

    async def idle(ledger: Ledger) -> None:
        await asyncio.sleep(1000)

    place.run(much)
    before = place.path.stat().st_size
    place.clock.now += KEPT + 1
    place.run(idle)
    assert place.select("count(*) from ended") == [(0,)]
    assert place.path.stat().st_size < before / 2


def test_ids_that_memory_no_longer_has_are_recognised_from_the_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_module, "RECENT", 3)

    async def story(ledger: Ledger) -> None:
        rows = [row(id) for id in range(10)]
        await ledger.receive(rows)
        for id in range(10):
            ledger.done(id, Outcome.ANSWERED)
        assert await ledger.receive(rows) == [Verdict.KNOWN] * 10
        assert ledger.open_rows == 0

    place.run(story)


def test_deletions_owed_outlive_the_process_until_they_are_paid(place: Place) -> None:
    async def first(ledger: Ledger) -> None:
        await ledger.owe(-5, 900, NOW + 60)
        await ledger.owe(-5, 901, NOW + 30)
        await ledger.owe(8, 902, NOW + 45.5)
        ledger.paid(-5, 900)
        ledger.paid(-5, 999)

    async def second(ledger: Ledger) -> list[Deletion]:
        return ledger.deletions()

    place.run(first)
    assert place.run(second) == [Deletion(-5, 901, NOW + 30), Deletion(8, 902, NOW + 45.5)]
    place.clock.now += 60 + 48 * 3600
    assert place.run(second) == []  # Telegram would refuse


PLAN = Plan("remind", "call", chat=-5, user=7, due=NOW + 60, every=30.0)


def test_plans_outlive_the_process_and_the_last_of_the_same_names_holds(place: Place) -> None:
    later = Plan("remind", "call", chat=-5, user=7, due=NOW + 90, every=30.0)
    other = Plan("remind", "other", due=NOW + 1)

    async def first(ledger: Ledger) -> None:
        assert await ledger.plan(PLAN)
        assert await ledger.plan(other)
        assert ledger.advance(later)
        assert await ledger.plan(Plan("remind", "other"))

    async def second(ledger: Ledger) -> list[Plan]:
        return ledger.plans()

    place.run(first)
    assert place.run(second) == [later]


def test_a_plugins_plans_go_with_it(place: Place) -> None:
    async def first(ledger: Ledger) -> None:
        await ledger.plan(PLAN)
        await ledger.plan(Plan("burn", "call", due=NOW))
        assert await ledger.cancel("remind") == 1
        assert await ledger.cancel("remind") == 0

    async def second(ledger: Ledger) -> list[Plan]:
        return ledger.plans()

    place.run(first)
    assert place.run(second) == [Plan("burn", "call", due=NOW)]


def test_a_plugin_with_too_many_plans_gets_no_more_and_others_do(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_module, "PLANS", 2)

    async def story(ledger: Ledger) -> None:
        assert await ledger.plan(Plan("greedy", "one", due=NOW))
        assert await ledger.plan(Plan("greedy", "two", due=NOW))
        assert not await ledger.plan(Plan("greedy", "three", due=NOW))
        assert await ledger.plan(Plan("greedy", "one", due=NOW + 1))
        assert await ledger.plan(Plan("other", "one", due=NOW))
        assert len(ledger.plans()) == 3

    place.run(story)


@pytest.mark.parametrize(
    "plan",
    [
        Plan("remind", "call", due=math.nan),
        Plan("remind", "call", due=NOW, every=math.inf),
        Plan("remind", "call", due=NOW, chat=2**63),
        Plan("remind", "the cellar at nine, " * 10, due=NOW),
        Plan("remind", "\udc80", due=NOW),
    ],
)
def test_a_plan_that_can_not_be_kept_is_refused_and_harms_nothing(place: Place, plan: Plan) -> None:
    async def story(ledger: Ledger) -> None:
        assert not await ledger.plan(plan)
        assert ledger.plans() == []
        assert await ledger.plan(PLAN)
        assert ledger.suspended == ""

    place.run(story)


def test_an_id_that_no_column_holds_is_left_out(place: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.receive([row(1, chat=2**70, user=-(2**63))])

    place.run(story)
    assert place.select("chat, user from held") == [(0, -(2**63))]
    assert place.told == []


def test_without_a_file_it_works_and_says_so(tmp_path: Path) -> None:
    told: list[str] = []

    async def story() -> None:
        ledger = Ledger(None, suspended=told.append, clock=lambda: NOW)
        assert await ledger.open() == []
        assert await ledger.receive([row(1)]) == [Verdict.NEW]
        await ledger.sending(1, 5)
        await ledger.settle(1, Outcome.ANSWERED)
        assert await ledger.receive([row(1)]) == [Verdict.KNOWN]
        await ledger.owe(-5, 1, NOW)
        assert ledger.deletions() == [Deletion(-5, 1, NOW)]
        assert "in memory only" in ledger.suspended
        await ledger.close()
        await ledger.close()

    asyncio.run(story())
    assert (told, list(tmp_path.iterdir())) == ([], [])


Change = tuple[str, int]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["receive", "confirm", "start", "sending", "done", "settle", "restart"]),
        st.integers(0, 4),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=CHANGES)
def test_any_order_of_calls_and_restarts_gives_each_update_one_state_and_one_end(
    changes: list[Change], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = Place(tmp_path_factory.mktemp("any"))
    states: dict[int, State] = {}
    takers: set[int] = set()
    runs: list[list[Change]] = [[]]
    for change in changes:
        if change[0] == "restart":
            runs.append([])
        else:
            runs[-1].append(change)

    async def apply(ledger: Ledger, change: str, id: int) -> None:
        match change:
            case "receive":
                [verdict] = await ledger.receive([row(id)])
                state = states.setdefault(id, State.RECEIVED)
                # Somebody works on it exactly if nobody does and Telegram was told nothing.
                assert (verdict is not Verdict.KNOWN) == (
                    id not in takers and state is State.RECEIVED
                )
                takers.add(id)
            case "confirm":
                ledger.confirm([id])
                if states.get(id) is State.RECEIVED:
                    states[id] = State.CONFIRMED
            case "start":
                ledger.start(id)
            case "sending":
                await ledger.sending(id, 5)
                if id in states:
                    states[id] = max(states[id], State.SENDING)
            case "done" | "settle":
                if change == "done":
                    ledger.done(id, Outcome.ANSWERED)
                else:
                    await ledger.settle(id, Outcome.ANSWERED)
                if id in states:
                    states[id] = State.DONE

    for run in runs:

        async def story(ledger: Ledger, run: list[Change] = run) -> None:
            for change, id in run:
                await apply(ledger, change, id)

        place.run(story)
        takers.clear()
        held = dict(place.select("id, state from held"))
        ended = {id for (id,) in place.select("id from ended")}
        assert held == {id: state for id, state in states.items() if state is not State.DONE}
        assert ended == {id for id, state in states.items() if state is State.DONE}
