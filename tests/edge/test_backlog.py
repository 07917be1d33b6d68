"""Late messages: one notice a chat and hour, and nothing for what nobody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clawdcore.broker import Outcome, Target
from clawdcore.edge import words
from clawdcore.edge.backlog import CHATS, GATHER, TOLD, Backlog
from clawdcore.edge.heads import Head
from clawdcore.edge.work import Held
from clawdcore.messages import Reply
from clawdcore.testing import VirtualLoop

AGE = 900.0
NOW = 1_000_000.0


class Stage:
    """A backlog, and what became of each update."""

    def __init__(self, age: float = AGE) -> None:
        self.settled: list[tuple[int, Outcome]] = []
        self.said: list[tuple[Held, Target, Reply]] = []
        self.backlog = Backlog(
            age,
            settle=lambda held, outcome: self.settled.append((held.id, outcome)),
            say=lambda held, text: self.said.append((held, held.head.target, Reply(text=text))),
        )

    def take(self, *several: Held, now: float = NOW) -> None:
        for held in several:
            self.backlog.take(held, now)


def late(number: int, chat: int = 7, **head: Any) -> Held:
    known = {"message": number + 100, "user": 1, "wanted": True, "time": NOW - 2 * AGE, **head}
    return Held(id=number, head=Head(chat=chat, **known))


def play(story: Callable[[Stage], Coroutine[None, None, None]]) -> None:
    loop = VirtualLoop()

    async def run() -> None:
        await story(Stage())

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def test_late_is_what_was_written_longer_ago_than_the_age() -> None:
    backlog = Stage().backlog
    assert backlog.late(late(1, time=NOW - AGE - 1), NOW)
    assert not backlog.late(late(1, time=NOW - AGE), NOW)
    assert not backlog.late(late(1, time=0.0), NOW), "nobody knows when it was written"
    assert not backlog.late(late(1, time=NOW + 60), NOW)
    assert not Stage(age=0).backlog.late(late(1, time=1.0), NOW)


def test_a_chat_gets_one_notice_below_its_last_message() -> None:
    async def story(stage: Stage) -> None:
        stage.take(late(1), late(2, chat=8, language="en"), late(3, topic=5), late(4))
        assert stage.said == []
        await asyncio.sleep(2 * GATHER)
        assert [(held.id, held.together) for held, _, _ in stage.said] == [
            (4, (1,)),
            (2, ()),
            (3, ()),
        ]
        _, target, reply = stage.said[0]
        assert target == Target(chat_id=7, reply_to=104, private=False)
        assert reply.text == words.stale(2, "")
        assert stage.said[2][1].topic == 5
        assert stage.settled == []

    play(story)


def test_the_notice_waits_until_no_more_come() -> None:
    async def story(stage: Stage) -> None:
        for number in range(1, 6):
            stage.take(late(number))
            await asyncio.sleep(GATHER / 2)
        assert stage.said == []
        await asyncio.sleep(GATHER)
        assert [held.together for held, _, _ in stage.said] == [(1, 2, 3, 4)]

    play(story)


def test_a_chat_that_was_told_is_not_told_again_within_the_hour() -> None:
    async def story(stage: Stage) -> None:
        stage.take(late(1))
        await asyncio.sleep(2 * GATHER)
        stage.take(late(2), now=NOW + TOLD - 1)
        assert stage.settled == [(2, Outcome.NOTICED)]
        stage.take(late(3), now=NOW + TOLD)
        await asyncio.sleep(2 * GATHER)
        assert [held.id for held, _, _ in stage.said] == [1, 3]

    play(story)


def test_edits_and_what_nobody_waits_for_end_in_silence() -> None:
    async def story(stage: Stage) -> None:
        stage.take(late(1, wanted=False), late(2, edited=True))
        await asyncio.sleep(2 * GATHER)
        assert stage.settled == [(1, Outcome.UNADDRESSED), (2, Outcome.UNADDRESSED)]
        assert stage.said == []

    play(story)


def test_a_flush_tells_at_once_and_only_once() -> None:
    async def story(stage: Stage) -> None:
        stage.backlog.flush(NOW)
        stage.take(late(1))
        stage.backlog.flush(NOW)
        assert [held.id for held, _, _ in stage.said] == [1]
        stage.backlog.flush(NOW)
        await asyncio.sleep(2 * GATHER)
        assert len(stage.said) == 1

    play(story)


def test_chats_that_were_told_long_ago_are_forgotten() -> None:
    async def story(stage: Stage) -> None:
        stage.take(*(late(number, chat=number) for number in range(1, CHATS + 2)))
        await asyncio.sleep(2 * GATHER)
        stage.take(late(CHATS + 2, chat=CHATS + 1), late(CHATS + 3, chat=1))
        assert [update for update, _ in stage.settled] == [CHATS + 2]

    play(story)


COMING = st.tuples(
    st.integers(1, 3), st.booleans(), st.booleans(), st.sampled_from([0.1, 2.0, 1800.0, 4000.0])
)


@settings(max_examples=100, deadline=None)
@given(coming=st.lists(COMING, max_size=30))
def test_each_ends_once_and_no_chat_is_told_twice_an_hour(
    coming: list[tuple[int, bool, bool, float]],
) -> None:
    async def story(stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        told: dict[int, list[float]] = {}
        for number, (chat, wanted, edited, pause) in enumerate(coming, 1):
            held = late(number, chat=chat, wanted=wanted, edited=edited)
            stage.take(held, now=NOW + loop.time())
            before = len(stage.said)
            await asyncio.sleep(pause)
            for said, _, _ in stage.said[before:]:
                told.setdefault(said.head.chat, []).append(loop.time() - pause)
        stage.backlog.flush(NOW + loop.time())
        ended = [update for update, _ in stage.settled]
        for held, _, _ in stage.said:
            ended += [*held.together, held.id]
        assert sorted(ended) == list(range(1, len(coming) + 1))
        for times in told.values():
            assert all(b - a >= TOLD - 2 * GATHER for a, b in pairwise(times))

    play(story)
