"""The edge between Telegram and a worker that the test plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence

import pytest

from clawdcore.broker import (
    Closed,
    Commands,
    Deliver,
    Delivered,
    Done,
    Fetch,
    Fetched,
    Hello,
    Outcome,
    Port,
    Ready,
    Send,
    Target,
    ToEdge,
    ToWorker,
    memory_broker,
)
from clawdcore.config import TelegramConfig
from clawdcore.edge.api import Conflict, FloodWait, Rejected, Unreachable
from clawdcore.edge.app import DRAIN_LIMIT, Edge
from clawdcore.edge.intake import Broken, Update
from clawdcore.edge.polling import CONFLICTS_AT_START, REFUSALS, Poller
from clawdcore.edge.receiving import Receiver
from clawdcore.edge.room import Room
from clawdcore.edge.workers import OneWorker
from clawdcore.errors import SecondPoller, TokenRefused
from clawdcore.messages import Reply
from clawdcore.testing import FakeTelegram, VirtualLoop
from clawdcore.testing.telegram import BOT

TEXT = {"message": {"message_id": 1, "chat": {"id": 7, "type": "private"}, "text": "x"}}
Story = Callable[[Edge, FakeTelegram, Port[ToEdge, ToWorker]], Coroutine[None, None, None]]


IN_FLIGHT = 20
"""Updates for which the edges of these tests have room."""


def tell(story: Story) -> None:
    loop = VirtualLoop()

    async def run() -> None:
        edge_port, worker = memory_broker()
        telegram = FakeTelegram()
        edge = Edge(TelegramConfig(), OneWorker(edge_port), telegram, room=Room(updates=IN_FLIGHT))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(edge.run(BOT))
            await greet(worker)
            await story(edge, telegram, worker)
            edge.stop()

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


async def greet(worker: Port[ToEdge, ToWorker]) -> None:
    assert await worker.receive() == Hello(BOT)
    await worker.send(Ready())


def reply(update: int, text: str = "y") -> Send:
    return Send(update, Target(chat_id=7, reply_to=1), Reply(text=text))


def test_an_update_is_open_until_its_work_is_done_and_its_reply_is_out() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        number = await telegram.inject(TEXT)
        record = await worker.receive()
        assert isinstance(record, Deliver)
        assert record.id == number
        telegram.failures.append(FloodWait(20))
        await worker.send(reply(number))
        await worker.send(Done(number, Outcome.ANSWERED))
        await asyncio.sleep(10)
        assert (edge.books.open, edge.books.answered) == (1, 0)
        await edge.quiet()
        assert (edge.books.open, edge.books.answered, edge.books.sent) == (0, 1, 1)
        receipt = await worker.receive()
        assert isinstance(receipt, Delivered)
        assert receipt.receipt.message_ids == (telegram.sent[0].id,)

    tell(story)


def test_stop_waits_for_what_is_under_way_and_takes_nothing_more() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        number = await telegram.inject(TEXT)
        await worker.receive()
        edge.stop()
        await asyncio.sleep(DRAIN_LIMIT / 2)
        await worker.send(reply(number))
        await worker.send(Done(number, Outcome.ANSWERED))
        with pytest.raises(Closed):
            while True:
                await worker.receive()
        assert [sent.text for sent in telegram.sent] == ["y"]
        assert edge.books.open == 0

    tell(story)


def test_repeated_updates_are_recognised_while_open_and_after() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        for _ in range(2):
            await edge.accept(Update(77, b"{}"))
        await worker.receive()
        await worker.send(Done(77, Outcome.UNADDRESSED))
        await edge.quiet()
        await edge.accept(Update(77, b"{}"))
        assert (edge.books.accepted, edge.books.repeated) == (1, 2)

    tell(story)


def test_a_full_edge_stops_taking_and_goes_on_when_there_is_room() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        for number in range(IN_FLIGHT):
            await edge.accept(Update(number + 1, b"{}"))
        more = asyncio.ensure_future(edge.accept(Update(5000, b"{}")))
        given_up = asyncio.ensure_future(edge.accept(Update(6000, b"{}")))
        await asyncio.sleep(1)
        assert not more.done()
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        for _ in range(IN_FLIGHT):
            record = await worker.receive()
            assert isinstance(record, Deliver)
            await worker.send(Done(record.id, Outcome.UNADDRESSED))
        await more
        assert await worker.receive() == Deliver(5000, b"{}")
        await worker.send(Done(5000, Outcome.UNADDRESSED))
        await edge.quiet()
        assert edge.books.accepted == IN_FLIGHT + 1
        await edge.accept(Update(6000, b"{}"))
        assert edge.books.repeated == 0
        await worker.send(Done(6000, Outcome.UNADDRESSED))

    tell(story)


def test_an_undeliverable_reply_still_settles_its_update() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        number = await telegram.inject(TEXT)
        telegram.failures.append(Rejected("blocked"))
        await worker.send(reply(number))
        await worker.send(Done(number, Outcome.NOTICED))
        await edge.quiet()
        assert (edge.books.noticed, edge.books.undelivered) == (1, 1)

    tell(story)


def test_a_paused_chat_doesn_t_stop_the_others() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        telegram.failures.append(FloodWait(3600))
        many = 3 * IN_FLIGHT
        for number in range(1, many + 1):
            await edge.accept(Update(number, b"{}"))
            await worker.send(reply(number))
            await worker.send(Done(number, Outcome.ANSWERED))
            await worker.receive()
        async with asyncio.timeout(60):
            await edge.accept(Update(5000, b"{}"))
        other = Send(5000, Target(chat_id=8), Reply(text="elsewhere"))
        await worker.send(other)
        await worker.send(Done(5000, Outcome.ANSWERED))
        await asyncio.sleep(1)
        assert [sent.text for sent in telegram.sent] == ["elsewhere"]
        assert edge.books.open == many
        await edge.quiet()
        assert (edge.books.answered, edge.books.sent) == (many + 1, many + 1)

    tell(story)


def test_a_drain_ends_after_its_limit_and_says_what_is_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(edge: Edge, telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        number = await telegram.inject(TEXT)
        telegram.failures.append(FloodWait(3600))
        await worker.send(reply(number))
        await worker.send(Done(number, Outcome.ANSWERED))
        began = asyncio.get_running_loop().time()
        edge.stop()
        with pytest.raises(Closed):
            while True:
                await worker.receive()
        assert asyncio.get_running_loop().time() - began == pytest.approx(DRAIN_LIMIT, abs=1)
        assert (edge.books.open, telegram.sent) == (1, [])

    tell(story)
    assert "1 updates still open" in caplog.text


def test_a_repeat_shares_the_fate_of_a_first_try_that_waits_for_room() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        for number in range(IN_FLIGHT):
            await edge.accept(Update(number + 1, b"{}"))
        first = asyncio.ensure_future(edge.accept(Update(5000, b"{}")))
        again = asyncio.ensure_future(edge.accept(Update(5000, b"{}")))
        await asyncio.sleep(1)
        assert not again.done()
        assert (edge.books.accepted, edge.books.repeated) == (IN_FLIGHT, 0)
        first.cancel()
        await asyncio.sleep(1)
        assert not again.done()
        for _ in range(IN_FLIGHT):
            record = await worker.receive()
            assert isinstance(record, Deliver)
            await worker.send(Done(record.id, Outcome.UNADDRESSED))
        await again
        assert await worker.receive() == Deliver(5000, b"{}")
        assert (edge.books.accepted, edge.books.repeated) == (IN_FLIGHT + 1, 0)
        await worker.send(Done(5000, Outcome.UNADDRESSED))

    tell(story)


def test_what_a_dead_worker_had_is_open_when_the_edge_ends() -> None:
    async def run() -> None:
        edge_port, worker = memory_broker()
        telegram = FakeTelegram()
        edge = Edge(TelegramConfig(), OneWorker(edge_port), telegram, drain_limit=5)
        serving = asyncio.ensure_future(edge.run(BOT))
        await greet(worker)
        await telegram.inject(TEXT)
        await worker.receive()
        worker.close()
        await serving
        assert (edge.books.accepted, edge.books.open) == (1, 1)

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def test_what_was_accepted_is_settled_before_an_error_ends_the_run() -> None:
    async def run() -> None:
        edge_port, worker = memory_broker()
        update = answer(b'{"update_id":1}')
        telegram = Script(update, *[TokenRefused("revoked")] * REFUSALS)
        edge = Edge(TelegramConfig(), OneWorker(edge_port), telegram)
        serving = asyncio.ensure_future(edge.run(BOT))
        await greet(worker)
        assert await worker.receive() == Deliver(1, b'{"update_id":1}')
        await asyncio.sleep(30)
        assert not serving.done()
        await worker.send(reply(1))
        await worker.send(Done(1, Outcome.ANSWERED))
        with pytest.raises(TokenRefused):
            await serving
        assert [sent.text for sent in telegram.sent] == ["y"]
        assert (edge.books.answered, edge.books.open) == (1, 0)

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def test_files_and_commands() -> None:
    async def story(edge: Edge, telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        telegram.files["f"] = b"data"
        await worker.send(Fetch(1, "f"))
        assert await worker.receive() == Fetched(1, b"data")
        await worker.send(Fetch(2, "gone"))
        answer = await worker.receive()
        assert isinstance(answer, Fetched)
        assert "no such file" in answer.error
        await worker.send(Commands("", (("help", "Help"),)))
        await asyncio.sleep(1)
        assert telegram.commands == {"": (("help", "Help"),)}

    tell(story)


class Script(FakeTelegram):
    """Polls that go as a list says; then none ends."""

    def __init__(self, *answers: bytes | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[int] = []

    async def poll(self, offset: int, *, limit: int, timeout: int) -> bytes:
        self.asked.append(offset)
        if not self.answers:
            await asyncio.sleep(1_000_000)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def poll(script: Script, seconds: float) -> list[Update | Broken]:
    """What a poller hands on in so many virtual seconds."""
    loop = VirtualLoop()
    taken: list[Update | Broken] = []

    async def accept(pieces: Sequence[Update | Broken]) -> None:
        taken.extend(pieces)

    async def run() -> None:
        task = asyncio.ensure_future(Poller(script, accept).run())
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return taken


def answer(*pieces: bytes) -> bytes:
    return b'{"ok":true,"result":[' + b",".join(pieces) + b"]}"


def test_the_next_poll_confirms_what_was_accepted() -> None:
    script = Script(answer(b'{"update_id":5}', b'{"update_id":6}'))
    assert [piece.id for piece in poll(script, 5)] == [5, 6]
    assert script.asked == [0, 7]


def test_pieces_without_an_id_are_stepped_over() -> None:
    script = Script(answer(b"null"), answer(b'{"update_id":5}'), answer(b"null"), answer(b"3"))
    assert len(poll(script, 100)) == 4
    assert script.asked == [0, 0, 6, 7, 8]


def test_trouble_is_waited_out_with_growing_pauses() -> None:
    script = Script(*[Unreachable("x", sent=True)] * 6, FloodWait(99), answer(b'{"update_id":1}'))
    assert poll(script, 120) == []
    script = Script(*[Unreachable("x", sent=True)] * 6, FloodWait(99), answer(b'{"update_id":1}'))
    assert len(poll(script, 200)) == 1


def test_conflicts_from_the_start_end_it() -> None:
    with pytest.raises(SecondPoller, match="token of its own"):
        poll(Script(*[Conflict("409")] * CONFLICTS_AT_START), 60)


def test_conflicts_later_are_waited_out() -> None:
    script = Script(answer(), answer(), *[Conflict("409")] * 6, answer(b'{"update_id":1}'))
    assert len(poll(script, 600)) == 1


@pytest.mark.parametrize(
    "body",
    [b"<html>Please log in</html>", b'{"ok":false,"result":[]}', answer(b'{"update_id":6}')[:-3]],
)
def test_what_is_no_answer_moves_nothing_and_is_waited_out(body: bytes) -> None:
    script = Script(answer(b'{"update_id":5}'), body, body, answer(b'{"update_id":6}'))
    assert [piece.id for piece in poll(script, 60)] == [5, 6]
    assert script.asked == [0, 6, 6, 6, 7]


def test_ids_that_begin_again_lower_are_followed() -> None:
    script = Script(answer(b'{"update_id":900}'), answer(b'{"update_id":3}'))
    assert [piece.id for piece in poll(script, 5)] == [900, 3]
    assert script.asked == [0, 901, 4]


def test_a_token_is_refused_for_good_only_after_several_times_in_a_row() -> None:
    refused = TokenRefused("revoked")
    passing = [refused] * (REFUSALS - 1)
    script = Script(answer(), *passing, answer(), *passing, answer(b'{"update_id":1}'))
    assert len(poll(script, 60)) == 1
    with pytest.raises(TokenRefused):
        poll(Script(answer(), *[refused] * REFUSALS), 60)


class Lingering(Receiver):
    """A receiver that still brings an update while it is being ended."""

    async def run(self) -> None:
        self._listens("late")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            await self._accept([Update(7, b"{}")])


def test_what_comes_while_receiving_ends_is_settled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawdcore.edge.app.Receiver", Lingering)

    async def run() -> None:
        edge_port, worker = memory_broker()
        edge = Edge(TelegramConfig(), OneWorker(edge_port), FakeTelegram())
        serving = asyncio.ensure_future(edge.run(BOT))
        await greet(worker)
        await edge.listening
        edge.stop()
        assert await worker.receive() == Deliver(7, b"{}")
        await worker.send(reply(7))
        await worker.send(Done(7, Outcome.ANSWERED))
        await serving
        assert (edge.books.answered, edge.books.sent, edge.books.open) == (1, 1, 0)

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
