from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from clawdbot_voice.engines import Engines
from clawdbot_voice.listening import PIECES, Listening
from clawdbot_voice.options import VoiceOptions
from clawdbot_voice.speech import Heard
from clawdcore import Attachment, Chat, Message, Sender
from clawdcore.testing.clock import VirtualLoop

MANY = [Heard(f"w{number}", "en", number, 1000) for number in range(4 * PIECES)]


def run(work: Coroutine[Any, Any, None]) -> None:
    """On virtual time: what would wait for ever is an error at once."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(work)


async def bytes_of(attachment: Attachment) -> bytes:
    return b"OggS"


VOICE = Attachment("voice", "f", "audio/ogg", fetch=bytes_of)


def message(read: Callable[[Message], Awaitable[str]]) -> Message:
    return Message(
        id=1,
        update_id=1,
        chat=Chat(1, "private"),
        sender=Sender(1, "Ada"),
        attachments=(VOICE,),
        read=read,
    )


def listening(engine: Any) -> Listening:
    return Listening(Engines([engine]), VoiceOptions(), "")


def reading(listener: Listening) -> Message:
    async def read(_: Message) -> str:
        return str(await listener.read(VOICE))

    return message(read)


@pytest.mark.parametrize("error", [asyncio.CancelledError, ValueError, GeneratorExit])
def test_the_stream_ends_however_the_reading_does(
    error: type[BaseException], fake_engine: Any
) -> None:
    async def read(_: Message) -> str:
        raise error

    async def work() -> None:
        with pytest.raises(error):
            async for _ in listening(fake_engine()).stream(message(read), VOICE, "en"):
                pass

    run(work())


def test_who_leaves_while_pieces_wait_is_not_held_up(fake_engine: Any) -> None:
    engine = fake_engine(*MANY)

    async def work() -> None:
        listener = listening(engine)
        async with aclosing(listener.stream(reading(listener), VOICE, "en")) as pieces:
            await anext(pieces)
            for _ in range(10 * PIECES):  # until as many wait as may
                await asyncio.sleep(0)
        assert engine.left == 1

    run(work())


def test_an_engine_that_is_faster_than_the_chat_waits_and_nothing_is_lost(
    fake_engine: Any,
) -> None:
    given = 0

    class Counts(fake_engine):  # type: ignore[misc]
        async def listen(self, recording: Any) -> Any:
            nonlocal given
            for piece in MANY:
                given += 1
                yield piece

    async def work() -> None:
        listener = listening(Counts())
        taken: list[str] = []
        async with aclosing(listener.stream(reading(listener), VOICE, "en")) as pieces:
            async for piece in pieces:
                taken.append(piece)
                await asyncio.sleep(1)
                assert given <= len(taken) + PIECES + 1
        words = "".join(taken).partition("\n\n")[2].split()
        assert words == [each.text for each in MANY]

    run(work())
