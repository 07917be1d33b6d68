"""A message has its time; reading its files takes from another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore import Message, Request, Turn, hookimpl
from clawdcore.testing import Harness
from clawdcore.testing.clock import VirtualLoop
from clawdcore.worker.deadline import Deadline


def play(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()


@given(
    total=st.floats(1, 100),
    media=st.floats(0, 500),
    parts=st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=8),
)
def test_it_is_over_when_either_time_is_used_up(
    total: float, media: float, parts: list[tuple[bool, float]]
) -> None:
    """Against the plain sum: what readings take, up to ``media``, doesn't count."""
    over: list[float] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        time = Deadline(
            total, media, expired=lambda: over.append(loop.time() - began), moved=lambda _: None
        )
        for reading, seconds in parts:
            if reading:
                with time.stands_still():
                    await asyncio.sleep(seconds)
            else:
                await asyncio.sleep(seconds)
        await asyncio.sleep(total + media + 1)

    play(work)
    left, spare, clock = total, media, 0.0
    for reading, seconds in [*parts, (False, total + media + 1)]:
        here = left + spare if reading else left
        if seconds >= here:
            clock += here
            break
        clock += seconds
        free = min(seconds, spare) if reading else 0.0
        spare -= free
        left -= seconds - free
    assert over == [pytest.approx(clock, abs=1e-6)]


def test_parallel_readings_take_the_same_time() -> None:
    async def work() -> None:
        ends: list[float] = []
        loop = asyncio.get_running_loop()
        began = loop.time()
        time = Deadline(10, 100, expired=lambda: None, moved=ends.append)

        async def read(seconds: float) -> None:
            with time.stands_still():
                await asyncio.sleep(seconds)

        await asyncio.gather(read(20), read(30))
        assert ends[-1] - began == pytest.approx(40)
        time.cancel()

    play(work)


def test_one_that_was_cancelled_never_expires() -> None:
    async def work() -> None:
        over: list[int] = []
        time = Deadline(1, 10, expired=lambda: over.append(1), moved=lambda _: None)
        time.cancel()
        with time.stands_still():
            await asyncio.sleep(50)
        assert over == []

    play(work)


class Slow:
    """A reader that takes ``reading`` seconds, and a handler that then takes ``writing``."""

    def __init__(self, reading: float, writing: float = 0.0, *, model: bool = False) -> None:
        self.reading = reading
        self.writing = writing
        self.model = model

    @hookimpl
    def register_readers(self, register: Any) -> None:
        @register("voice")
        async def read(attachment: Any) -> str:
            await asyncio.sleep(self.reading)
            return "what was said"

    @hookimpl
    def register_handlers(self, register: Any, context: Any) -> None:
        @register("voice", "text")
        async def tell(message: Message) -> str:
            text = await message.text()
            await asyncio.sleep(self.writing)
            if self.model:
                return str(await context.models.complete(Request(turns=(Turn("user", text),))))
            return text


def config(**timeout: int) -> dict[str, Any]:
    return {"agents": {"defaults": {"timeout": timeout, "maxConcurrent": 1}}}


def test_a_long_recording_is_read_to_its_end_and_the_message_has_all_of_its_time_after() -> None:
    with Harness([Slow(300, 50)]) as bot:
        assert bot.say(voice=b"x") == "what was said"


def test_a_model_is_asked_after_a_long_recording() -> None:
    with Harness([Slow(300, model=True)]) as bot:
        bot.backend.enqueue("an answer")
        assert bot.say(voice=b"x") == "an answer"


def test_after_the_reading_the_time_of_the_message_goes_on() -> None:
    with Harness([Slow(300, 61)]) as bot:
        said = bot.say(voice=b"x")
        assert "what was said" not in said
        assert said
        assert bot.books.noticed == 1


def test_reading_has_an_end_too_and_that_is_told() -> None:
    with Harness([Slow(10_000)], config=config(media=120_000)) as bot:
        began = bot.loop.time()
        assert bot.say(voice=b"x")
        assert bot.books.noticed == 1
        assert bot.loop.time() - began == pytest.approx(180, abs=5)


def test_text_has_no_more_time_than_before() -> None:
    with Harness([Slow(0, 61)]) as bot:
        bot.say("hello")
        assert bot.books.noticed == 1


def test_who_has_read_gets_the_only_seat_again_though_its_first_time_is_over() -> None:
    with Harness([Slow(300)], config=config(media=600_000)) as bot:
        assert bot.say(voice=b"x") == "what was said"
        assert bot.say("more") == "more"
