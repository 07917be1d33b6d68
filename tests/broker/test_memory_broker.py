"""The broker inside one process."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from clawdcore.broker import (
    Bot,
    Closed,
    Commands,
    Deliver,
    Delivered,
    Done,
    Draft,
    Fetch,
    Fetched,
    Hello,
    Outcome,
    Send,
    Started,
    Target,
    ToEdge,
    ToWorker,
    memory_broker,
)
from clawdcore.messages import Receipt, Reply


def test_records_arrive_in_order_both_ways() -> None:
    async def story() -> None:
        edge, worker = memory_broker()
        for number in range(3):
            await edge.send(Deliver(number, b"x"))
        got = [await worker.receive() for _ in range(3)]
        assert got == [Deliver(0, b"x"), Deliver(1, b"x"), Deliver(2, b"x")]
        await worker.send(Started(1))
        assert await edge.receive() == Started(1)

    asyncio.run(story())


def test_a_full_pipe_makes_the_sender_wait() -> None:
    async def story() -> None:
        edge, worker = memory_broker(bound=2)
        await edge.send(Deliver(1, b""))
        await edge.send(Deliver(2, b""))
        third = asyncio.ensure_future(edge.send(Deliver(3, b"")))
        fourth = asyncio.ensure_future(edge.send(Deliver(4, b"")))
        await asyncio.sleep(0)
        assert not third.done()
        ids = []
        for _ in range(4):
            record = await worker.receive()
            assert isinstance(record, Deliver)
            ids.append(record.id)
            await asyncio.sleep(0)
        assert ids == [1, 2, 3, 4]
        await asyncio.gather(third, fourth)

    asyncio.run(story())


def test_a_cancelled_sender_leaves_nothing_behind() -> None:
    async def story() -> None:
        edge, worker = memory_broker(bound=1)
        await edge.send(Deliver(1, b""))
        waiting = asyncio.ensure_future(edge.send(Deliver(2, b"")))
        await asyncio.sleep(0)
        waiting.cancel()
        await worker.receive()
        await edge.send(Deliver(3, b""))
        assert await worker.receive() == Deliver(3, b"")

    asyncio.run(story())


def test_after_closing_what_was_sent_still_arrives() -> None:
    async def story() -> None:
        edge, worker = memory_broker()
        await edge.send(Deliver(1, b""))
        edge.close()
        assert await worker.receive() == Deliver(1, b"")
        with pytest.raises(Closed):
            await worker.receive()
        with pytest.raises(Closed):
            await worker.send(Started(1))

    asyncio.run(story())


def test_closing_wakes_both_who_wait() -> None:
    async def story() -> None:
        edge, worker = memory_broker(bound=1)
        await edge.send(Deliver(1, b""))
        sender = asyncio.ensure_future(edge.send(Deliver(2, b"")))
        receiver = asyncio.ensure_future(edge.receive())
        await asyncio.sleep(0)
        worker.close()
        for task in (sender, receiver):
            with pytest.raises(Closed):
                await task

    asyncio.run(story())


TARGET = Target(chat_id=-5, topic=3, reply_to=8, private=False)


@pytest.mark.parametrize(
    "record",
    [
        Hello(Bot(1, "b", True), 2),
        Deliver(1, b"\xff\x00", 2),
        Fetched(1, b"\x00"),
        Delivered(Receipt(update_id=1, chat_id=2, message_ids=(3, 4), at=1.5)),
        Started(1),
        Draft(1, TARGET, "…"),
        Send(1, TARGET, Reply(text="x", format="html")),
        Done(1, Outcome.NOTICED),
        Fetch(1, "f"),
        Commands("zh", (("help", "帮助"),)),
    ],
)
def test_every_record_can_cross_a_process(record: ToEdge | ToWorker) -> None:
    down = isinstance(record, ToWorker)
    decoder = msgspec.msgpack.Decoder(ToWorker if down else ToEdge)  # type: ignore[arg-type]
    assert decoder.decode(msgspec.msgpack.encode(record)) == record
