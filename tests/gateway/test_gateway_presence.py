"""Who hangs up, and when; and what a connection writes at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdcore.gateway.corked import Corked
from clawdcore.gateway.presence import Gone, Hangup, Presence


async def never() -> Any:
    await asyncio.Event().wait()


def test_a_hangup_ends_the_body_and_is_no_cancellation_afterwards() -> None:
    async def scene() -> None:
        hangup = Hangup()
        asyncio.get_running_loop().call_soon(hangup.happen)
        with pytest.raises(Gone):
            async with Presence(never, hangup):
                await never()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0)

    asyncio.run(scene())


def test_who_has_hung_up_before_is_gone_at_once() -> None:
    async def scene() -> None:
        hangup = Hangup()
        hangup.happen()
        with pytest.raises(Gone):
            async with Presence(never, hangup):
                await never()

    asyncio.run(scene())


def test_a_hangup_after_the_body_ends_nothing() -> None:
    async def scene() -> None:
        hangup = Hangup()
        async with Presence(never, hangup):
            pass
        hangup.happen()
        await asyncio.sleep(0)

    asyncio.run(scene())


@pytest.mark.parametrize("offered", [True, False])
def test_a_cancellation_of_ours_stays_one_even_when_the_caller_goes_too(offered: bool) -> None:
    async def scene() -> None:
        hangup = Hangup()
        gone = asyncio.Event()

        async def receive() -> Any:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def call() -> None:
            async with Presence(receive, hangup if offered else None):
                await never()

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        task.cancel()
        hangup.happen()
        gone.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())


def test_an_error_of_the_body_is_what_counts() -> None:
    async def scene() -> None:
        with pytest.raises(ValueError, match="mine"):
            async with Presence(never):
                raise ValueError("mine")

    asyncio.run(scene())


class Wire(asyncio.Transport):
    """What was written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ended = ""

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"


HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


def test_a_head_goes_with_what_follows_and_the_rest_at_once() -> None:
    async def scene() -> None:
        wire = Wire()
        corked = Corked(wire, asyncio.get_running_loop())
        corked.write(HEAD)
        assert wire.written == []
        corked.write(b"HTTP/1.1 is a text too")
        corked.write(b"more")
        assert wire.written == [HEAD + b"HTTP/1.1 is a text too", b"more"]

    asyncio.run(scene())


def test_a_head_alone_goes_in_the_next_round() -> None:
    async def scene() -> None:
        wire = Wire()
        corked = Corked(wire, asyncio.get_running_loop())
        corked.write(HEAD)
        await asyncio.sleep(0)
        assert wire.written == [HEAD]
        corked.write(b"body")
        assert wire.written == [HEAD, b"body"]

    asyncio.run(scene())


def test_closing_sends_what_was_held_and_aborting_does_not() -> None:
    async def scene() -> None:
        for end, written in (("close", [HEAD]), ("abort", [])):
            wire = Wire()
            corked = Corked(wire, asyncio.get_running_loop())
            corked.write(HEAD)
            getattr(corked, end)()
            await asyncio.sleep(0)
            assert wire.written == written
            assert wire.ended.startswith(end)

    asyncio.run(scene())
