"""Presses of buttons at the edge: their books, and what a worker's end means for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from clawdcore.broker import (
    AnswerPress,
    DeleteMessage,
    Deliver,
    Delivered,
    Done,
    EditMessage,
    Fetch,
    Fetched,
    Hello,
    Outcome,
    Port,
    Ready,
    Send,
    Started,
    Target,
    ToEdge,
    ToWorker,
    memory_broker,
)
from clawdcore.config import TelegramConfig
from clawdcore.edge.app import Edge
from clawdcore.edge.work import Death
from clawdcore.edge.workers import Attending, OneWorker
from clawdcore.messages import Button, Reply
from clawdcore.testing import FakeTelegram, VirtualLoop
from clawdcore.testing.telegram import BOT

CHAT: dict[str, Any] = {"id": 7, "type": "private"}
ADA: dict[str, Any] = {"id": 7, "is_bot": False, "first_name": "Ada"}
ROWS = ((Button("go", "go", plugin="p"),),)


def a_press(message: int) -> dict[str, Any]:
    shown = {"message_id": message, "date": 5, "chat": CHAT, "text": "x"}
    query = {"id": "77", "from": ADA, "message": shown, "data": "abcdefgh"}
    return {"callback_query": query}


class Mortal:
    """A worker that crashes when the test says so; the next one comes at once."""

    def __init__(self) -> None:
        self.ports: asyncio.Queue[Port[ToEdge, ToWorker]] = asyncio.Queue()
        self._running = True
        self._port: Port[ToWorker, ToEdge] | None = None

    async def run(self, edge: Attending) -> None:
        while self._running:
            self._port, worker = memory_broker()
            self.ports.put_nowait(worker)
            link = await edge.greet(self._port)
            await edge.attend(link)
            edge.lost(link, Death.CRASHED)

    async def stop(self) -> None:
        self._running = False
        if self._port is not None:
            self._port.close()


async def greet(worker: Port[ToEdge, ToWorker]) -> None:
    assert isinstance(await worker.receive(), Hello)
    await worker.send(Ready())


Story = Callable[[Edge, FakeTelegram, Mortal], Coroutine[None, None, None]]


def tell(story: Story, ledger: Path | None = None) -> None:
    loop = VirtualLoop()
    loop.external = ledger is not None

    async def run() -> None:
        telegram, workers = FakeTelegram(), Mortal()
        edge = Edge(TelegramConfig(), workers, telegram, ledger=ledger)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(edge.run(BOT))
            await story(edge, telegram, workers)
            edge.stop()

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


async def next_update(worker: Port[ToEdge, ToWorker]) -> Deliver:
    while not isinstance(record := await worker.receive(), Deliver):
        assert isinstance(record, Delivered)
    return record


def test_a_press_is_answered_changed_and_booked() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, workers: Mortal) -> None:
        worker = await workers.ports.get()
        await greet(worker)
        await worker.send(Send(0, Target(chat_id=7), Reply(text="Choose.", buttons=ROWS)))
        await worker.receive()
        message = telegram.sent[0].id
        number = await telegram.inject(a_press(message))
        assert (await next_update(worker)).id == number
        await worker.send(Started(number, "p"))
        await asyncio.sleep(10)
        assert (telegram.typings, telegram.reactions) == ([], []), "nobody asked for an answer"
        await worker.send(EditMessage(7, message, "Done."))
        await worker.send(AnswerPress(number, "77", "ok"))
        await worker.send(Done(number, Outcome.ANSWERED))
        await edge.quiet()
        assert telegram.answers == [("77", "ok")]
        assert (telegram.sent[0].text, telegram.sent[0].buttons) == ("Done.", ())
        await worker.send(DeleteMessage(7, message))
        await asyncio.sleep(3)
        assert telegram.deleted == [(7, message)]
        assert (edge.books.answered, edge.books.open) == (1, 0)

    tell(story)


def test_a_press_goes_to_the_next_worker_and_is_given_up_without_a_word() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, workers: Mortal) -> None:
        number = 0
        for attempt in (1, 2):
            worker = await workers.ports.get()
            await greet(worker)
            number = number or await telegram.inject(a_press(5))
            record = await next_update(worker)
            assert (record.id, record.attempt) == (number, attempt)
            await worker.send(Started(number, "p"))
            await asyncio.sleep(1)
            worker.close()
        await edge.quiet()
        assert telegram.sent == []
        assert (edge.books.skipped, edge.books.open) == (1, 0)

    tell(story)


def test_an_interim_message_leaves_the_update_open() -> None:
    """A place in line is told, the worker dies: the next one gets the message all the same."""

    async def story(edge: Edge, telegram: FakeTelegram, workers: Mortal) -> None:
        worker = await workers.ports.get()
        await greet(worker)
        chat = {"message_id": 1, "chat": CHAT, "from": ADA, "text": "x"}
        number = await telegram.inject({"message": chat})
        await next_update(worker)
        target = Target(chat_id=7, reply_to=1)
        notice = Reply(text="You are number 7.", buttons=ROWS)
        await worker.send(Send(number, target, notice, notice=True, interim=True))
        receipt = await worker.receive()
        assert isinstance(receipt, Delivered)
        assert receipt.receipt.update_id == number
        assert receipt.receipt.message_ids == (telegram.sent[0].id,)
        worker.close()
        worker = await workers.ports.get()
        await greet(worker)
        assert (await next_update(worker)).id == number
        await worker.send(Send(number, target, Reply(text="the answer")))
        await worker.send(Done(number, Outcome.ANSWERED))
        await edge.quiet()
        assert [sent.text for sent in telegram.sent] == ["You are number 7.", "the answer"]
        assert edge.books.answered == 1

    tell(story)


@pytest.mark.parametrize("began", [False, True])
def test_after_the_edge_s_own_death_a_press_gets_no_notice(tmp_path: Path, began: bool) -> None:
    """Its row is settled as nobody's; a message beside it gets its notice."""
    path = tmp_path / "ledger.db"

    async def killed() -> None:
        edge_port, worker = memory_broker()
        telegram = FakeTelegram()
        edge = Edge(TelegramConfig(), OneWorker(edge_port), telegram, ledger=path)
        running = asyncio.ensure_future(edge.run(BOT))
        await greet(worker)
        text = {"message_id": 1, "chat": CHAT, "from": ADA, "text": "x"}
        for update in (a_press(5), {"message": text}):
            number = await telegram.inject(update)
            await next_update(worker)
            if began:
                await worker.send(Started(number, "p"))
        await worker.send(Fetch(1, "none"))
        assert isinstance(await worker.receive(), Fetched), "what came before is taken"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(killed())

    async def story(edge: Edge, telegram: FakeTelegram, workers: Mortal) -> None:
        worker = await workers.ports.get()
        await greet(worker)
        async with asyncio.timeout(60):
            while edge.books.accepted < 2 or edge.books.open:
                await asyncio.sleep(0.05)
        await edge.quiet()
        assert len(telegram.sent) == 1
        assert (edge.books.unaddressed, edge.books.noticed) == (1, 1)

    tell(story, path)
