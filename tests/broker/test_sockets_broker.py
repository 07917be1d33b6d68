"""The broker across a pair of sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from clawdcore import Member
from clawdcore.broker import (
    Answered,
    AnswerPress,
    AskMember,
    Beat,
    Bot,
    Called,
    Closed,
    Commands,
    DeleteLater,
    DeleteMessage,
    Deliver,
    Delivered,
    Done,
    Draft,
    Drain,
    Due,
    EditMessage,
    Fetch,
    Fetched,
    Hello,
    Outcome,
    Plan,
    Port,
    Ready,
    Remember,
    Remembered,
    Rests,
    Send,
    Started,
    Stop,
    Target,
    Tell,
    ToEdge,
    ToWorker,
)
from clawdcore.broker.sockets import FRAME_LIMIT, UNREAD, edge_end, worker_end
from clawdcore.messages import Button, Receipt, Reply

Ends = tuple[Port[ToWorker, ToEdge], Port[ToEdge, ToWorker]]


@asynccontextmanager
async def pair() -> AsyncIterator[Ends]:
    ours, theirs = socket.socketpair()
    edge, worker = await edge_end(ours), await worker_end(theirs)
    try:
        yield edge, worker
    finally:
        edge.close()
        worker.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


TARGET = Target(chat_id=-5, topic=3, reply_to=9, private=False)
ROWS = ((Button("x", "a", "é", plugin="p"),), (Button("y", url="https://example.org"),))
TO_WORKER: list[ToWorker] = [
    Hello(Bot(1, "b"), 2, 1, (("x", 3.5),)),
    Remembered("chat", "7", b"\x00\xff"),
    Deliver(1, b"{}", 2),
    Fetched(4, b"x", more=True),
    Answered(5, Member(admin=True, can_delete=True)),
    Due(1, "p", "n", 5, 6, 7.0),
    Tell("started"),
    Delivered(Receipt(update_id=1, chat_id=2, message_ids=(3, 4))),
    Stop(),
]
TO_EDGE: list[ToEdge] = [
    Ready(("a",), "", exclusive=True, disabled=("b",), homes={"c": "/c/"}),
    Beat(),
    Started(1, "chat"),
    Rests("chat", 60.0),
    Draft(1, TARGET, "so far"),
    Send(1, TARGET, Reply(text="é😀", format="markdown"), asker=5, name="Ada"),
    Send(1, TARGET, Reply(text="x", buttons=ROWS), interim=True),
    AnswerPress(1, "77", "é", alert=True),
    EditMessage(-5, 9, None, "html", ROWS),
    DeleteMessage(-5, 9),
    Done(1, Outcome.NOTICED),
    Fetch(1, "file"),
    AskMember(5, -5, 7),
    DeleteLater(6, -5, 9, 3.5),
    Drain(),
    Commands("", (("help", "Help"),)),
    Remember("chat", "7", None),
    Plan("p", "n", 1, 2, 3.0, 4.0),
    Called(9),
]


def test_every_record_of_the_contract_gets_across_as_it_was() -> None:
    async def story() -> None:
        async with pair() as (edge, worker):
            for down in TO_WORKER:
                await edge.send(down)
            for up in TO_EDGE:
                await worker.send(up)
            assert [await worker.receive() for _ in TO_WORKER] == TO_WORKER
            assert [await edge.receive() for _ in TO_EDGE] == TO_EDGE

    asyncio.run(story())
    assert {type(r) for r in TO_WORKER} == set(ToWorker.__args__)
    assert {type(r) for r in TO_EDGE} == set(ToEdge.__args__)


def test_a_sender_waits_while_nobody_reads() -> None:
    async def story() -> None:
        async with pair() as (edge, worker):
            body = bytes(100_000)
            sent = 0

            async def flood() -> None:
                nonlocal sent
                for number in range(200):
                    await edge.send(Deliver(number, body))
                    sent += 1

            flooding = asyncio.ensure_future(flood())
            before = -1
            while sent != before:
                before = sent
                await asyncio.sleep(0.05)
            assert sent < 60, "20 MB must not fit under way"
            assert sent * len(body) > UNREAD // 2
            for number in range(200):
                record = await worker.receive()
                assert isinstance(record, Deliver)
                assert record.id == number
            await flooding

    asyncio.run(story())


def test_what_was_sent_before_the_end_can_still_be_received() -> None:
    async def story() -> None:
        async with pair() as (edge, worker):
            await worker.send(Started(1))
            await worker.send(Done(1, Outcome.ANSWERED))
            worker.close()
            assert await edge.receive() == Started(1)
            assert await edge.receive() == Done(1, Outcome.ANSWERED)
            with pytest.raises(Closed):
                await edge.receive()
            with pytest.raises(Closed):
                await edge.send(Deliver(1, b""))

    asyncio.run(story())


def test_a_sender_that_waits_learns_that_the_other_end_is_gone() -> None:
    async def story() -> None:
        async with pair() as (edge, worker):

            async def flood() -> None:
                while True:
                    await edge.send(Deliver(1, bytes(500_000)))

            flooding = asyncio.ensure_future(flood())
            await asyncio.sleep(0.05)
            worker.close()
            with pytest.raises(Closed):
                await asyncio.wait_for(flooding, 5)

    asyncio.run(story())


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack("!I", 3) + b"abc",
        struct.pack("!I", FRAME_LIMIT + 1),
        struct.pack("!I", 20) + msgspec.msgpack.encode({"type": "Nonsense"}).ljust(20, b"\0"),
    ],
)
def test_what_is_no_record_ends_the_connection(frame: bytes) -> None:
    async def story() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            edge = await edge_end(ours)
            theirs.sendall(frame)
            with pytest.raises(Closed):
                await asyncio.wait_for(edge.receive(), 5)
            with pytest.raises(Closed):
                await edge.send(Deliver(1, b""))
            edge.close()
            await asyncio.sleep(0)

    asyncio.run(story())


def test_a_frame_in_crumbs_is_put_together() -> None:
    async def story() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            edge = await edge_end(ours)
            body = msgspec.msgpack.encode(Started(7, "x"))
            for byte in struct.pack("!I", len(body)) + body:
                theirs.sendall(bytes([byte]))
                await asyncio.sleep(0)
            assert await asyncio.wait_for(edge.receive(), 5) == Started(7, "x")
            edge.close()
            await asyncio.sleep(0)

    asyncio.run(story())
