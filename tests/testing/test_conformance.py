"""The tests that a backend's author subclasses: they pass for a good one, and fail for bad ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from clawdcore import Backend, Chunk, Load, ModelInfo, Overloaded, Request
from clawdcore.testing import BackendConformance, FakeBackend

NAMES = [name for name in vars(BackendConformance) if name.startswith("test_")]


class TestFake(BackendConformance):
    backend = FakeBackend


class TestBusy(BackendConformance):
    """One that refuses what is too much."""

    @staticmethod
    def backend() -> Backend:
        class Busy(FakeBackend):
            async def generate(self, request: Request) -> AsyncIterator[Chunk]:
                if self.running >= 2:
                    raise Overloaded("full.", retry_after=1.0)
                await asyncio.sleep(0)
                async for chunk in super().generate(request):
                    yield chunk

        made = Busy()
        made.delay = 0.001
        return made


class Nameless(FakeBackend):
    async def models(self) -> list[ModelInfo]:
        return []


class Endless(FakeBackend):
    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        async for chunk in super().generate(request):
            yield msgspec.structs.replace(chunk, finish=None)


class Keeps(FakeBackend):
    """Counts what was given up as running for ever."""

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        self.running += 1
        async for chunk in super().generate(request):
            yield chunk
        self.running -= 1


class Hopeless(FakeBackend):
    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        if self.running:
            raise RuntimeError("one at a time")
        async for chunk in super().generate(request):
            await asyncio.sleep(0)
            yield chunk


class Wrong(FakeBackend):
    async def load(self) -> Load:
        return Load(running=0, waiting=0, capacity=1, cache_use=40.0)


class Once(FakeBackend):
    closed = 0

    async def close(self) -> None:
        self.closed += 1
        if self.closed > 1:
            raise RuntimeError("closed already")


@pytest.mark.parametrize(
    ("bad", "fails"),
    [
        (Nameless, {"test_it_names_its_models_and_their_limits"}),
        (Endless, {"test_an_answer_comes_in_pieces_and_its_last_one_says_why_it_ended"}),
        (Keeps, {"test_closing_the_answer_ends_the_work"}),
        (Hopeless, {"test_many_at_once_are_each_answered_or_refused_with_a_time"}),
        (Wrong, {"test_its_load_makes_sense"}),
        (Once, {"test_it_can_be_closed_in_any_state_and_more_than_once"}),
    ],
)
def test_what_is_wrong_fails_its_test_and_no_other(bad: type[Backend], fails: set[str]) -> None:
    class Suite(BackendConformance):
        backend = bad
        patience = 2.0

    failed = set()
    for name in NAMES:
        try:
            getattr(Suite(), name)()
        except (AssertionError, RuntimeError, TimeoutError):
            failed.add(name)
    assert fails <= failed
    if bad is not Keeps:  # what never ends is seen wherever the end is waited for
        assert failed == fails
