"""The door: each update once, durable first, and nothing half taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawdcore.access import Policy
from clawdcore.broker import Outcome
from clawdcore.config import TelegramConfig
from clawdcore.edge.books import Books
from clawdcore.edge.heads import Heads
from clawdcore.edge.intake import Broken, Update
from clawdcore.edge.ledger import LEDGER_FILE, Ledger, Row, Verdict
from clawdcore.edge.reception import Reception
from clawdcore.edge.room import Room
from clawdcore.edge.work import Held, Work
from clawdcore.testing import VirtualLoop
from clawdcore.testing.telegram import BOT

NOW = 1_000_000.0


class Slow(Ledger):
    """A ledger whose disk takes ``seconds`` for a commit."""

    seconds = 0.0

    async def receive(self, rows: Sequence[Row]) -> list[Verdict]:
        self.asked = [*getattr(self, "asked", []), [row.id for row in rows]]
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return await super().receive(rows)


class Stage:
    """A reception with a room for few, and whom it let in."""

    def __init__(self, updates: int = 4, size: int = 10_000, path: Path | None = None) -> None:
        self.ledger = Slow(path, suspended=lambda reason: None, clock=lambda: NOW)
        self.work = Work()
        self.room = Room(updates=updates, size=size)
        self.books = Books()
        self.taken: list[Held] = []
        self.reception = Reception(
            heads=Heads(BOT, Policy(TelegramConfig())),
            ledger=self.ledger,
            work=self.work,
            room=self.room,
            books=self.books,
            taken=self._take,
            clock=lambda: NOW,
        )

    def _take(self, held: Held) -> None:
        self.work.add(held)
        self.taken.append(held)

    async def take(self, *pieces: Update | Broken) -> None:
        await self.reception.take(pieces)

    def begin(self, *pieces: Update | Broken) -> asyncio.Task[None]:
        return asyncio.create_task(self.reception.take(pieces))

    def end(self, number: int) -> None:
        """What the desk does with an update whose work is over."""
        held = self.work.get(number)
        assert held is not None
        assert held.size is not None
        self.room.give_back(held.size)
        self.work.close(number)
        self.books.settle(Outcome.ANSWERED)
        self.ledger.done(number, Outcome.ANSWERED)

    @property
    def ids(self) -> list[int]:
        return [held.id for held in self.taken]


def update(number: int, text: str = "hello") -> Update:
    message = {
        "message_id": number + 100,
        "chat": {"id": 7, "type": "private"},
        "from": {"id": 7, "language_code": "de"},
        "text": text,
    }
    return Update(number, msgspec.json.encode({"update_id": number, "message": message}))


def play(story: Callable[[Stage], Coroutine[None, None, None]], path: Path | None = None) -> None:
    async def run() -> None:
        stage = Stage(path=path)
        await stage.ledger.open()
        try:
            await story(stage)
        finally:
            await stage.ledger.close()

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


async def end_of(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_batch_is_one_commit_and_comes_in_its_order() -> None:
    async def story(stage: Stage) -> None:
        await stage.take(update(3), update(4), update(9))
        assert stage.ids == [3, 4, 9]
        assert stage.ledger.asked == [[3, 4, 9]]
        held = stage.taken[0]
        assert (held.head.chat, held.head.message, held.head.language) == (7, 103, "de")
        assert (held.body, held.size) == (update(3).body, len(update(3).body))
        assert stage.room.bytes == sum(len(each.body) for each in stage.taken)
        assert stage.books.accepted == 3

    play(story)


def test_nobody_gets_an_update_before_it_is_durable(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.ledger.seconds = 5
        taking = stage.begin(update(1))
        await asyncio.sleep(4)
        assert stage.ids == []
        assert not taking.done()
        await taking
        assert stage.ids == [1]
        assert stage.ledger.open_rows == 1

    play(story, tmp_path / LEDGER_FILE)


def test_pieces_that_are_no_updates_are_counted_and_don_t_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.take(Broken(None, "not JSON"), update(1), Broken(5, "no update"))
        assert stage.ids == [1]
        assert (stage.books.broken, stage.books.accepted) == (2, 1)
        await stage.take(Broken(6, "again"))
        assert stage.books.broken == 3
        assert stage.ledger.asked == [[1]]

    play(story)
    assert "5" in caplog.text


def test_what_came_before_is_let_in_once() -> None:
    async def story(stage: Stage) -> None:
        await stage.take(update(1))
        await stage.take(update(1), update(2))
        stage.end(1)
        await stage.take(update(1))
        assert stage.ids == [1, 2]
        assert (stage.books.accepted, stage.books.repeated) == (2, 2)
        assert (stage.room.updates, stage.room.bytes) == (1, len(update(2).body))

    play(story)


def test_one_that_was_done_in_an_earlier_run_is_known(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        await stage.take(update(1), update(2))
        stage.end(1)

    async def after(stage: Stage) -> None:
        await stage.take(update(1), update(2), update(3))
        assert stage.ids == [2, 3], "1 is done; of 2 Telegram was never told that we have it"
        assert (stage.books.accepted, stage.books.repeated) == (2, 1)
        assert stage.room.updates == 2

    path = tmp_path / LEDGER_FILE
    play(before, path)
    play(after, path)


def test_one_that_gives_up_while_it_waits_for_room_has_taken_nothing() -> None:
    async def story(stage: Stage) -> None:
        await stage.take(update(1), update(2), update(3))
        waits = stage.begin(update(4), update(5))
        await asyncio.sleep(1)
        assert stage.room.updates == 4, "it has room for one of two"
        await end_of(waits)
        assert stage.room.updates == 3
        assert stage.ids == [1, 2, 3]
        assert stage.ledger.open_rows == 3
        stage.end(1)
        await stage.take(update(4), update(5))
        assert stage.ids == [1, 2, 3, 4, 5]
        assert (stage.books.accepted, stage.books.repeated) == (5, 0)

    play(story)


def test_one_that_gives_up_while_the_disk_writes_has_taken_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.ledger.seconds = 5
        waits = stage.begin(update(1))
        await asyncio.sleep(1)
        await end_of(waits)
        assert (stage.room.updates, stage.room.bytes, stage.ids) == (0, 0, [])
        await stage.take(update(1))
        assert stage.ids == [1]
        assert (stage.books.accepted, stage.books.repeated) == (1, 0)

    play(story)


def test_a_repeat_waits_for_the_first_try_and_takes_over_where_that_gives_up() -> None:
    async def story(stage: Stage) -> None:
        stage.ledger.seconds = 5
        first, second, third = (stage.begin(update(1)) for _ in range(3))
        await asyncio.sleep(1)
        await end_of(first)
        await asyncio.gather(second, third)
        assert stage.ids == [1]
        assert (stage.books.accepted, stage.books.repeated) == (1, 1)
        assert stage.room.updates == 1

    play(story)


def test_the_same_id_twice_in_one_batch_is_let_in_once() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.wait_for(stage.take(update(1), update(1), update(2)), 60)
        assert stage.ids == [1, 2]
        assert (stage.books.accepted, stage.books.repeated) == (2, 1)

    play(story)


def test_two_calls_with_the_same_updates_in_another_order_both_end() -> None:
    async def story(stage: Stage) -> None:
        stage.ledger.seconds = 1
        first = stage.begin(update(9))
        await asyncio.sleep(0.1)
        others = [stage.begin(*map(update, ids)) for ids in ((1, 9, 2), (2, 9, 1))]
        await asyncio.wait_for(asyncio.gather(first, *others), 60)
        assert sorted(stage.ids) == [1, 2, 9]
        assert (stage.books.accepted, stage.books.repeated) == (3, 4)

    play(story)


def test_two_calls_that_fill_the_room_together_both_end() -> None:
    async def story(stage: Stage) -> None:
        await stage.take(*map(update, (1, 2, 3, 4)))
        calls = [stage.begin(*map(update, ids)) for ids in ((5, 6, 7), (8, 9, 10))]
        for number in (1, 2, 3, 4):
            await asyncio.sleep(1)
            stage.end(number)
        await asyncio.wait_for(calls[0], 60)
        for number in (5, 6, 7):
            stage.end(number)
        await asyncio.wait_for(calls[1], 60)
        assert stage.ids == list(range(1, 11))

    play(story)


CALLS = st.lists(
    st.tuples(
        st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True),
        st.booleans(),
        st.sampled_from([0.0, 0.5, 3.0]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(calls=CALLS)
def test_however_calls_overlap_and_give_up_each_update_is_let_in_once(
    calls: list[tuple[list[int], bool, float]],
) -> None:
    async def story(stage: Stage) -> None:
        stage.ledger.seconds = 1
        running: list[tuple[list[int], asyncio.Task[None]]] = []
        wanted: set[int] = set()
        for ids, gives_up, pause in calls:
            task = stage.begin(*(update(number) for number in ids))
            await asyncio.sleep(pause)
            if gives_up and not task.done():
                task.cancel()
            running.append((ids, task))

        async def serve() -> None:
            while True:
                await asyncio.sleep(2)
                for held in stage.taken:
                    if held.id in stage.work:
                        stage.end(held.id)

        serving = asyncio.create_task(serve())
        done = await asyncio.wait_for(
            asyncio.gather(*(task for _, task in running), return_exceptions=True), 1000
        )
        await asyncio.sleep(5)
        serving.cancel()
        for (ids, _), result in zip(running, done, strict=True):
            assert result is None or isinstance(result, asyncio.CancelledError)
            wanted |= set() if result else set(ids)
        assert len(stage.ids) == len(set(stage.ids)), "somebody was let in twice"
        assert wanted <= set(stage.ids), "a call returned without its updates"
        assert stage.books.accepted == len(stage.ids)
        assert (stage.room.updates, stage.room.bytes) == (0, 0)

    play(story)
