"""Answers to presses: at once, a few at a time, never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from clawdcore.broker import AnswerPress, Send, Target
from clawdcore.edge.api import FloodWait, Rejected, Unreachable
from clawdcore.edge.delivery import Delivery
from clawdcore.edge.delivery.toasts import AT_ONCE, FRESH, WAITING
from clawdcore.messages import Receipt, Reply
from clawdcore.testing import FakeTelegram, VirtualLoop


class Slow(FakeTelegram):
    """Each answer takes ``seconds``; ``most`` were under way at once."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds
        self.running = self.most = 0

    async def answer(self, query: str, text: str, *, alert: bool) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self.seconds)
        self.running -= 1
        await super().answer(query, text, alert=alert)


def tell(
    story: Callable[[Delivery, asyncio.TaskGroup], Coroutine[None, None, None]],
    telegram: FakeTelegram,
) -> None:
    async def run() -> None:
        async def finished(send: Send, receipt: Receipt) -> None:
            assert receipt.error == ""

        delivery = Delivery(telegram, finished)
        async with asyncio.TaskGroup() as tasks:
            await story(delivery, tasks)
            await delivery.flushed()
            await delivery.close()

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def a_press(number: int = 1) -> AnswerPress:
    return AnswerPress(number, str(number), f"toast {number}")


def test_an_answer_goes_ahead_of_messages_that_wait_for_their_turn() -> None:
    telegram = FakeTelegram()

    async def story(d: Delivery, g: asyncio.TaskGroup) -> None:
        for number in range(5):
            d.put(Send(number, Target(chat_id=7), Reply(text="x")), g)
        d.answer(a_press(), g)
        await asyncio.sleep(0.01)
        assert telegram.answers == [("1", "toast 1")]
        assert len(telegram.sent) < 5

    tell(story, telegram)


def test_few_at_once_and_the_oldest_go_where_too_many_wait() -> None:
    telegram = Slow(1.0)

    async def story(d: Delivery, g: asyncio.TaskGroup) -> None:
        for number in range(AT_ONCE):
            d.answer(a_press(number), g)
        await asyncio.sleep(0.1)
        for number in range(1000, 1000 + WAITING + 3):
            d.answer(a_press(number), g)
        await d.flushed()

    tell(story, telegram)
    assert telegram.most == AT_ONCE
    assert telegram.answers[AT_ONCE][0] == "1003"


def test_an_answer_that_waited_too_long_is_let_go() -> None:
    telegram = Slow(FRESH)

    async def story(d: Delivery, g: asyncio.TaskGroup) -> None:
        for number in range(AT_ONCE + 1):
            d.answer(a_press(number), g)

    tell(story, telegram)
    assert sorted(query for query, _ in telegram.answers) == [str(n) for n in range(AT_ONCE)]


def test_what_fails_is_let_go_and_holds_nothing_up() -> None:
    telegram = FakeTelegram()
    telegram.faults["answer"] = [
        Rejected("query is too old"),
        FloodWait(30),
        Unreachable("x", sent=True),
        ValueError("odd"),  # type: ignore[list-item]
    ]

    async def story(d: Delivery, g: asyncio.TaskGroup) -> None:
        for number in range(5):
            d.answer(a_press(number), g)
        d.put(Send(9, Target(chat_id=7), Reply(text="x")), g)
        await d.flushed()
        assert asyncio.get_running_loop().time() < 1

    tell(story, telegram)
    assert telegram.answers == [("4", "toast 4")]
    assert len(telegram.sent) == 1


def test_after_the_end_none_goes_out() -> None:
    telegram = FakeTelegram()

    async def story(d: Delivery, g: asyncio.TaskGroup) -> None:
        await d.close()
        d.answer(a_press(), g)

    tell(story, telegram)
    assert telegram.answers == []
