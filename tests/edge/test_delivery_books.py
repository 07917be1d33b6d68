"""Whatever fails and whenever: every reply is finished once, in order, within the limits."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawdcore.broker import Draft, Send, Target
from clawdcore.edge.api import FloodWait, Reason, Rejected, Unreachable
from clawdcore.edge.delivery import Delivery
from clawdcore.edge.markup import Entity
from clawdcore.messages import Keyboard, Receipt, Reply
from clawdcore.testing import FakeTelegram, VirtualLoop
from clawdcore.testing.botapi.limits import FloodGate, Limits

CHATS = (1, 2, -7, -1_000_000_000_009)


class Moody(FakeTelegram):
    """Telegram that is slow, counts what is sent, and fails as the dice say."""

    def __init__(self, seed: int, trouble: float) -> None:
        super().__init__()
        self.dice = random.Random(seed)
        self.trouble = trouble
        self.gate = FloodGate(Limits.telegram())
        self.refused: list[int] = []

    async def send(
        self,
        target: Target,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> int:
        await self._on_the_way(target.chat_id)
        kind = self._mood()
        if kind == "before":
            raise Unreachable("x", sent=True)
        message_id = await super().send(target, text, entities, preview=preview, buttons=buttons)
        await asyncio.sleep(self.dice.random() * 0.2)
        if kind == "after":
            raise Unreachable("x", sent=True)
        return message_id

    async def edit(
        self,
        target: Target,
        message_id: int,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> None:
        await self._on_the_way(target.chat_id)
        self._mood()
        await super().edit(target, message_id, text, entities, preview=preview, buttons=buttons)

    async def _on_the_way(self, chat: int) -> None:
        await asyncio.sleep(self.dice.random() * 0.3)
        now = asyncio.get_running_loop().time()
        if self.gate.admit(chat, group=chat < 0, now=now):
            self.refused.append(chat)

    def _mood(self) -> str:
        if self.dice.random() >= self.trouble:
            return ""
        kind = self.dice.choice(("flood", "down", "before", "after", "no", "markup"))
        if kind == "flood":
            raise FloodWait(self.dice.randint(1, 5))
        if kind == "down":
            raise Unreachable("x", sent=False)
        if kind == "no":
            raise Rejected("no", self.dice.choice((Reason.OTHER, Reason.NOT_FOUND)))
        return kind


class Books:
    """What a run gives: how often each reply was finished, and in which order."""

    def __init__(self) -> None:
        self.finished: Counter[int] = Counter()
        self.order: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.announced: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()

    async def sending(self, send: Send, floor: int) -> None:
        self.announced[id(send)] += 1

    async def note(self, send: Send, receipt: Receipt) -> None:
        self.finished[id(send)] += 1
        self.errors[receipt.error] += 1
        if receipt.error != "backlog":
            self.order[send.target.chat_id, send.asker].append(send.id)


def a_send(dice: random.Random, number: int) -> Send:
    chat = dice.choice(CHATS)
    return Send(
        number,
        Target(chat_id=chat, reply_to=number, private=chat > 0, topic=dice.choice((None, 5))),
        Reply(
            text="x" * dice.choice((1, 60, 700, 700, 5000)),
            delete_after=dice.choice((0.0, 0.0, 0.0, 3.0)),
        ),
        notice=dice.random() < 0.2,
        asker=dice.randint(1, 3),
        name="Ada",
        streamed=dice.random() < 0.1,
        edited=dice.random() < 0.1,
    )


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from((0.0, 0.1, 0.4)),
    st.sampled_from((None, 3.0, 30.0)),
    st.booleans(),
)
def test_finished_exactly_once(
    seed: int, trouble: float, stopped_at: float | None, cancelled: bool
) -> None:
    loop = VirtualLoop()
    dice = random.Random(seed)
    telegram = Moody(seed, trouble)
    books = Books()
    sends = [a_send(dice, number) for number in range(1, 60)]
    handed_in: list[Send] = []

    async def run() -> None:
        delivery = Delivery(telegram, books.note, sending=books.sending)

        async def put_all(tasks: asyncio.TaskGroup) -> None:
            for send in sends:
                await asyncio.sleep(dice.random() * dice.choice((0.01, 1.0)))
                if dice.random() < 0.3:
                    delivery.show(Draft(send.id, send.target, "y" * 100), tasks)
                    await asyncio.sleep(dice.random() * 0.3)
                delivery.put(send, tasks)
                handed_in.append(send)
                if dice.random() < 0.02:
                    delivery.drop_chat(send.target.chat_id)

        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(put_all(tasks))

        running = asyncio.create_task(work())
        await asyncio.wait({running}, timeout=stopped_at)
        if running.done():
            running.result()
            await delivery.flushed()
            assert len(handed_in) == len(sends)
        elif cancelled:
            running.cancel()
            await asyncio.wait({running})
        await delivery.close()
        await asyncio.wait({running})
        assert delivery.waiting == 0

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    assert books.finished == {id(send): 1 for send in handed_in}
    assert set(books.announced.values()) <= {1}
    assert telegram.refused == []
    if "Rejected" not in books.errors and stopped_at is None:
        assert all(numbers == sorted(numbers) for numbers in books.order.values())


def test_without_trouble_everything_arrives_in_order() -> None:
    loop = VirtualLoop()
    dice = random.Random(3)
    telegram = Moody(3, 0.0)
    books = Books()

    async def run() -> None:
        delivery = Delivery(telegram, books.note)
        async with asyncio.TaskGroup() as tasks:
            for number in range(1, 200):
                delivery.put(a_send(dice, number), tasks)
                await asyncio.sleep(0.1)
        await delivery.flushed()

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    assert books.errors == {"": 199}
    assert all(numbers == sorted(numbers) for numbers in books.order.values())
    assert telegram.refused == []


@pytest.mark.parametrize("started", [False, True])
def test_cancelled_before_or_after_its_task_began(started: bool) -> None:
    books = Books()

    async def run() -> None:
        delivery = Delivery(FakeTelegram(), books.note)
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.TaskGroup() as tasks:
                for number in range(3):
                    delivery.put(Send(number, Target(chat_id=1), Reply(text="x")), tasks)
                if started:
                    await asyncio.sleep(0.5)
                raise asyncio.CancelledError
        await delivery.close()
        assert books.errors == ({"": 1, "stopped": 2} if started else {"stopped": 3})

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


@pytest.mark.parametrize("cancelled", [False, True])
def test_at_the_end_what_is_on_its_way_is_unknown_and_the_rest_is_stopped(cancelled: bool) -> None:
    books = Books()

    class Slow(FakeTelegram):
        async def send(
            self,
            target: Target,
            text: str,
            entities: tuple[Entity, ...],
            *,
            preview: bool,
            buttons: Keyboard = (),
        ) -> int:
            await asyncio.sleep(5)
            return await super().send(target, text, entities, preview=preview, buttons=buttons)

    async def run() -> None:
        delivery = Delivery(Slow(), books.note)

        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                for number in (1, 2):
                    delivery.put(Send(number, Target(chat_id=1), Reply(text="x")), tasks)

        running = asyncio.create_task(work())
        await asyncio.sleep(1)
        if cancelled:
            running.cancel()
        await delivery.close()
        await asyncio.wait({running})

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    assert books.errors == {"unknown" if cancelled else "": 1, "stopped": 1}


def test_a_pause_does_not_hold_up_the_end() -> None:
    books = Books()
    telegram = FakeTelegram()
    telegram.failures.append(FloodWait(3000))
    ended: list[float] = []

    async def run() -> None:
        delivery = Delivery(telegram, books.note)
        async with asyncio.TaskGroup() as tasks:
            delivery.put(Send(1, Target(chat_id=1), Reply(text="x")), tasks)
            await asyncio.sleep(1)
            await delivery.close()
            delivery.put(Send(2, Target(chat_id=1), Reply(text="x")), tasks)
        await delivery.flushed()
        ended.append(asyncio.get_running_loop().time())

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    assert books.errors == {"stopped": 2}
    assert ended == [1.0]
