"""After a start: what an earlier run left is adopted, found in its chat, or noticed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.broker import Outcome, Target
from clawdcore.config import TelegramConfig
from clawdcore.edge import words
from clawdcore.edge.ledger import Row
from clawdcore.edge.ledger.rules import State
from clawdcore.edge.receiving import Receiver
from clawdcore.edge.recovery import WEBHOOK_GRACE, Recovery
from clawdcore.edge.work import Held
from clawdcore.testing import FakeTelegram, VirtualLoop


class Stage:
    """A recovery, and what became of each row."""

    def __init__(self, rows: Iterable[Row], arrived: dict[int, bool | None] | None = None) -> None:
        self.settled: list[tuple[int, Outcome]] = []
        self.said: list[tuple[tuple[int, ...], Target, str]] = []
        self.looked: list[int] = []
        self._answers = arrived or {}
        self.recovery = Recovery(rows, arrived=self._arrived, settle=self._settle, say=self._say)

    async def _arrived(self, row: Row) -> bool | None:
        self.looked.append(row.id)
        return self._answers.get(row.id)

    def _settle(self, held: Held, outcome: Outcome) -> None:
        self.settled.append((held.id, outcome))

    def _say(self, held: Held, text: str) -> None:
        self.said.append(((*held.together, held.id), held.head.target, text))

    def end(self, *, drained: bool) -> None:
        asyncio.run(self.recovery.end(self.recovery.rows, drained=drained))

    @property
    def spoken_for(self) -> list[tuple[int, ...]]:
        return [ids for ids, _, _ in self.said]


def row(id: int, state: State = State.CONFIRMED, **more: Any) -> Row:
    known = {"chat": 7, "message": id + 100, "user": 7, "at": 0, "private": True, "language": "en"}
    return Row(id=id, state=state, **{**known, **more})


def test_what_was_confirmed_is_noticed_at_once_and_what_was_not_waits() -> None:
    stage = Stage([row(1), row(2, State.RECEIVED), row(3, user=8, chat=8)])
    stage.end(drained=False)
    assert stage.spoken_for == [(1,), (3,)]
    assert stage.said[0][1] == Target(chat_id=7, reply_to=101)
    assert stage.said[0][2] == words.interrupted(1, "en")
    assert [each.id for each in stage.recovery.rows] == [2]


def test_what_comes_again_is_adopted_and_not_noticed() -> None:
    stage = Stage([row(1, State.RECEIVED), row(2, State.RECEIVED)])
    stage.recovery.adopted(1)
    stage.recovery.adopted(99)
    stage.end(drained=True)
    assert stage.spoken_for == [(2,)]
    assert len(stage.recovery) == 0


def test_one_notice_speaks_for_all_that_an_asker_wrote_in_a_topic() -> None:
    group: dict[str, Any] = {"chat": -5, "private": False}
    stage = Stage(
        [
            row(1, user=1, **group),
            row(2, user=2, **group),
            row(3, user=1, **group),
            row(4, user=1, topic=9, **group),
            row(5, user=1),
        ]
    )
    stage.end(drained=False)
    assert stage.spoken_for == [(1, 3), (2,), (4,), (5,)]
    assert stage.said[0][1] == Target(chat_id=-5, reply_to=103, private=False)
    assert stage.said[0][2] == words.interrupted(2, "en")
    assert stage.said[2][1].topic == 9


def test_an_answer_that_is_in_its_chat_was_one_and_all_else_is_noticed() -> None:
    rows = [row(number, State.SENDING, user=number, floor=50) for number in (1, 2, 3)]
    stage = Stage(rows, {1: True, 2: False, 3: None})
    stage.end(drained=False)
    assert stage.looked == [1, 2, 3]
    assert stage.settled == [(1, Outcome.ANSWERED)]
    assert stage.spoken_for == [(2,), (3,)]


def test_nobody_is_noticed_who_asked_nothing_unless_work_on_it_had_begun() -> None:
    group: dict[str, Any] = {"chat": -5, "private": False, "addressed": False}
    stage = Stage([row(1, **group), row(2, starts=1, user=1, **group), row(3, starts=2, **group)])
    stage.end(drained=False)
    assert stage.settled == [(1, Outcome.UNADDRESSED)]
    assert stage.spoken_for == [(2, 3)], "one notice a chat"


def test_rows_from_a_file_that_could_not_be_read_before_are_seen_to_as_well() -> None:
    stage = Stage([])
    assert len(stage.recovery) == 0
    stage.recovery.add([row(4)])
    stage.end(drained=True)
    assert stage.spoken_for == [(4,)]


@pytest.mark.parametrize(
    ("answer", "gone"), [([], [3, 5, 8]), ([5, 6], [3]), ([3], []), ([9], [3, 5, 8]), ([8, 5], [3])]
)
def test_telegram_no_longer_holds_what_is_below_the_first_that_it_gives(
    answer: list[int], gone: list[int]
) -> None:
    stage = Stage(row(number, State.RECEIVED) for number in (3, 5, 8))
    assert [each.id for each in stage.recovery.gone(answer)] == gone


def test_a_row_that_is_adopted_while_another_one_is_looked_for_is_left_alone() -> None:
    stage = Stage([row(1, State.SENDING, user=1), row(2, State.RECEIVED, user=2)])

    async def arrived(_: Row) -> bool | None:
        stage.recovery.adopted(2)
        return False

    stage.recovery._arrived = arrived
    stage.end(drained=True)
    assert stage.spoken_for == [(1,)]


ROWS = st.lists(
    st.tuples(
        st.sampled_from([State.RECEIVED, State.CONFIRMED, State.SENDING]),
        st.integers(1, 3),
        st.booleans(),
        st.integers(0, 1),
        st.sampled_from([True, False, None]),
        st.booleans(),
    ),
    max_size=12,
)


@given(rows=ROWS)
def test_each_row_ends_once(
    rows: list[tuple[State, int, bool, int, bool | None, bool]],
) -> None:
    left: list[Row] = []
    arrived: dict[int, bool | None] = {}
    again: list[int] = []
    for number, (state, user, addressed, starts, found, comes) in enumerate(rows, 1):
        left.append(row(number, state, user=user, chat=-5, addressed=addressed, starts=starts))
        arrived[number] = found
        if comes and state is State.RECEIVED:
            again.append(number)
    stage = Stage(left, arrived)
    stage.end(drained=False)
    for number in again:
        stage.recovery.adopted(number)
    stage.end(drained=True)
    stage.end(drained=True)
    ended = [number for number, _ in stage.settled] + [n for ids in stage.spoken_for for n in ids]
    assert sorted([*ended, *again]) == [each.id for each in left]
    askers = [ids for ids in stage.spoken_for if left[ids[0] - 1].addressed]
    for ids in askers:
        assert len({left[number - 1].user for number in ids}) == 1


# ---- who decides when Telegram has given all that it had ----


def play(
    stage: Stage,
    config: TelegramConfig,
    telegram: FakeTelegram,
    story: Callable[[], Coroutine[None, None, None]],
) -> None:
    """``story`` beside a receiver that accepts what comes as the edge does."""
    loop = VirtualLoop()

    async def accept(pieces: Iterable[object]) -> None:
        for piece in pieces:
            stage.recovery.adopted(piece.id)  # type: ignore[attr-defined] # updates only

    async def run() -> None:
        receiver = Receiver(
            config,
            telegram,
            accept=accept,
            confirmed=lambda ids: None,
            recovery=stage.recovery,
            listens=lambda how: None,
            tell=lambda kind: None,
        )
        task = asyncio.create_task(receiver.run())
        await story()
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


class Polls(FakeTelegram):
    """``getUpdates`` that gives these ids, after so many seconds each, then nothing."""

    def __init__(self, *answers: tuple[float, list[int]]) -> None:
        super().__init__()
        self.answers = list(answers)

    async def poll(self, offset: int, *, limit: int, timeout: int) -> bytes:
        seconds, ids = self.answers.pop(0) if self.answers else (1_000_000.0, [])
        await asyncio.sleep(seconds)
        bodies = ",".join(f'{{"update_id":{number}}}' for number in ids)
        return f'{{"ok":true,"result":[{bodies}]}}'.encode()


def test_polling_proves_which_rows_come_no_more() -> None:
    numbers = (2, 5, 8)
    stage = Stage(row(number, State.RECEIVED, user=number, chat=number) for number in numbers)
    telegram = Polls((5, [5, 6]), (5, [7]), (5, []))

    async def story() -> None:
        await asyncio.sleep(4)
        assert stage.said == [], "nothing is proved before the first answer"
        await asyncio.sleep(2)
        assert stage.spoken_for == [(2,)]
        await asyncio.sleep(5)
        assert stage.spoken_for == [(2,)]
        await asyncio.sleep(5)
        assert stage.spoken_for == [(2,), (8,)]

    play(stage, TelegramConfig(), telegram, story)


def test_a_webhook_s_rows_are_noticed_after_a_grace() -> None:
    stage = Stage([row(1), row(2, State.RECEIVED, user=2), row(3, State.RECEIVED, user=3)])
    hook = {"url": "https://bot.example.org/hook", "host": "127.0.0.1", "port": 0}
    config = TelegramConfig.model_validate({"webhook": {**hook, "port": _free_port()}})

    async def story() -> None:
        await asyncio.sleep(WEBHOOK_GRACE / 2)
        assert stage.spoken_for == [(1,)]
        stage.recovery.adopted(2)
        await asyncio.sleep(WEBHOOK_GRACE)
        assert stage.spoken_for == [(1,), (3,)]

    play(stage, config, FakeTelegram(), story)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
