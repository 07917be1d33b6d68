"""A bot with the plugin, and a reader that a test makes up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from clawdbot_ocr import Ocr
from clawdbot_ocr.reading import Picture, Reading
from clawdcore.testing import Harness


class FakeReader:
    """Gives what a test says, one for each picture; an error is raised, ``...`` never done."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.pictures: list[Picture] = []
        self.given_up = 0
        self.closed = False

    async def read(self, picture: Picture) -> Reading:
        """As :meth:`Reader.read`."""
        self.pictures.append(picture)
        outcome = self.outcomes.pop(0)
        if outcome is ...:
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up += 1
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, Reading)
        return outcome

    async def close(self) -> None:
        """As :meth:`Reader.close`."""
        self.closed = True


@pytest.fixture
def fake_reader() -> type[FakeReader]:
    """``fake_reader(Reading(("Hello",)))``."""
    return FakeReader


class Bot(Harness):
    """A harness with the plugin, its options, and a reader that a test makes up."""

    def __init__(self, options: dict[str, Any], reader: FakeReader, **others: Any) -> None:
        super().__init__(
            [*others.pop("before", ()), Ocr(lambda _: reader), *others.pop("after", ())],
            config={"plugins": [{"name": "ocr", "options": options}]},
            **others,
        )


@pytest.fixture
def make_bot() -> Iterator[Callable[..., Bot]]:
    """``make_bot(reader, auto=False)``: a bot whose pictures ``reader`` reads."""
    with ExitStack() as stack:

        def make(reader: FakeReader, others: dict[str, Any] | None = None, **options: Any) -> Bot:
            bot = stack.enter_context(Bot(options, reader, **(others or {})))
            assert not bot.report.disabled
            return bot

        yield make
