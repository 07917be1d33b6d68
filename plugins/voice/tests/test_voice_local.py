from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from clawdbot_voice.engines import Engine
from clawdbot_voice.failures import (
    EngineBusy,
    EngineCrashed,
    EngineFailed,
    EngineSlow,
    NoSpeech,
    NotAudio,
    TooLong,
    WeightsMissing,
)
from clawdbot_voice.local import LocalEngine
from clawdbot_voice.speech import Recording

Make = Callable[..., LocalEngine]
LIMIT = 120.0
"""Seconds after which a test fails that waits for a process; it takes one."""


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(LIMIT):
            await work

    asyncio.run(limited())


@asynccontextmanager
async def closing(engine: LocalEngine) -> AsyncIterator[LocalEngine]:
    try:
        yield engine
    finally:
        await engine.close()


async def failure(hear: Any, engine: Engine, data: bytes) -> type[BaseException]:
    with pytest.raises(EngineFailed) as caught:
        await hear(engine, Recording(data))
    return caught.type


def gone(pid: int) -> bool:
    """Whether a process of ours has ended and was waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_long_speech_comes_in_pieces_with_language_and_progress(
    make_engine: Make, sounds: Any, hear: Any
) -> None:
    async def work() -> None:
        async with closing(make_engine()) as engine:
            pieces = await hear(engine, Recording(sounds.voice(40)))
            assert [piece.text.partition(" by")[0] for piece in pieces] == ["28 s", "12 s"]
            assert {piece.language for piece in pieces} == {"es"}
            assert [round(piece.done) for piece in pieces] == [28, 40]
            assert round(pieces[0].total) == 40

    run(work())


def test_the_bot_goes_first_where_processors_are_short(
    make_engine: Make, sounds: Any, hear: Any
) -> None:
    async def work() -> None:
        async with closing(make_engine()) as engine:
            await hear(engine, Recording(sounds.voice(2)))
            assert engine.pid is not None
            assert os.getpriority(os.PRIO_PROCESS, engine.pid) == 19
            session = Path(f"/proc/{engine.pid}/autogroup")
            if session.exists():  # a kernel that shares processors between sessions first
                assert session.read_text().split()[-1] == "19"

    run(work())


def test_the_model_is_loaded_once_for_many_recordings(
    make_engine: Make, sounds: Any, hear: Any
) -> None:
    async def work() -> None:
        async with closing(make_engine()) as engine:
            assert engine.pid is None
            first = await hear(engine, Recording(sounds.voice(2)))
            pid = engine.pid
            second = await hear(engine, Recording(sounds.voice(2)))
            assert first == second
            assert engine.pid == pid
        assert pid is not None
        assert gone(pid)

    run(work())


@pytest.mark.parametrize(
    ("data", "error"),
    [("silence", NoSpeech), ("junk", NotAudio), ("long", TooLong)],
)
def test_a_recording_that_is_to_blame_leaves_the_process_alone(
    data: str, error: type[Exception], make_engine: Make, sounds: Any, hear: Any
) -> None:
    made = {
        "silence": lambda: sounds.voice(2, loud=0),
        "junk": lambda: b"\0" * 500,
        "long": lambda: sounds.voice(10),
    }[data]

    async def work() -> None:
        async with closing(make_engine(most=5)) as engine:
            await hear(engine, Recording(sounds.voice(1)))
            pid = engine.pid
            with pytest.raises(error):
                await hear(engine, Recording(made()))
            assert engine.pid == pid
            assert await hear(engine, Recording(sounds.voice(1)))

    run(work())


def test_a_crash_of_native_code_is_told_and_the_next_recording_starts_a_new_process(
    make_engine: Make, sounds: Any, hear: Any
) -> None:
    async def work() -> None:
        async with closing(make_engine("crashes")) as engine:
            for _ in range(2):
                assert await failure(hear, engine, sounds.voice(1)) is EngineCrashed
                assert engine.pid is None

    run(work())


def test_a_kill_in_the_middle_is_survived(make_engine: Make, sounds: Any, hear: Any) -> None:
    async def work() -> None:
        async with closing(make_engine()) as engine:
            pieces = engine.listen(Recording(sounds.voice(40)))
            await anext(pieces)
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGKILL)
            rest: list[object] = []
            try:
                async for piece in pieces:
                    rest.append(piece)
            except EngineCrashed:
                pass
            assert len(rest) <= 1
            await pieces.aclose()
            assert await hear(engine, Recording(sounds.voice(1)))

    run(work())


def test_a_process_that_died_between_two_recordings_is_not_noticed(
    make_engine: Make, sounds: Any, hear: Any
) -> None:
    async def work() -> None:
        async with closing(make_engine()) as engine:
            await hear(engine, Recording(sounds.voice(1)))
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGKILL)
            assert await hear(engine, Recording(sounds.voice(1)))

    run(work())


def test_errors_of_libraries_are_told_without_their_texts(
    make_engine: Make, sounds: Any, hear: Any
) -> None:
    async def work() -> None:
        for behaviour in ("raises", "broken"):
            async with closing(make_engine(behaviour)) as engine:
                with pytest.raises(EngineFailed) as caught:
                    await hear(engine, Recording(sounds.voice(1)))
                assert "secret" not in repr(caught.value)

    run(work())


def test_a_missing_model_is_told(make_engine: Make, sounds: Any, hear: Any) -> None:
    async def work() -> None:
        async with closing(make_engine("missing")) as engine:
            assert await failure(hear, engine, sounds.voice(1)) is WeightsMissing

    run(work())


def test_one_that_hangs_is_killed_after_its_patience(
    make_engine: Make, sounds: Any, hear: Any
) -> None:
    async def work() -> None:
        async with closing(make_engine("hangs", patience=3.0)) as engine:
            assert await failure(hear, engine, sounds.voice(1)) is EngineSlow
            assert engine.pid is None

    run(work())


def test_who_gives_up_ends_the_process_and_the_next_in_line_gets_a_new_one(
    make_engine: Make, sounds: Any, hear: Any
) -> None:
    async def work() -> None:
        async with closing(make_engine()) as engine:
            async with aclosing(engine.listen(Recording(sounds.voice(50)))) as pieces:
                await anext(pieces)
                pid = engine.pid
                waiting = asyncio.create_task(hear(engine, Recording(sounds.voice(1))))
                await asyncio.sleep(0)
                assert not waiting.done()
            assert pid is not None
            assert gone(pid)
            assert len(await waiting) == 1
            assert engine.pid not in (None, pid)

    run(work())


def test_a_cancelled_recording_ends_a_process_that_hangs(make_engine: Make, sounds: Any) -> None:
    async def work() -> None:
        async with closing(make_engine("hangs")) as engine:
            task = asyncio.create_task(anext(engine.listen(Recording(sounds.voice(1)))))
            while engine.pid is None:
                await asyncio.sleep(0.01)
            pid = engine.pid
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert gone(pid)

    run(work())


def test_the_line_is_bounded(make_engine: Make, sounds: Any, hear: Any) -> None:
    async def work() -> None:
        async with closing(make_engine(line=1)) as engine:
            data = sounds.voice(1)
            tasks = [asyncio.create_task(hear(engine, Recording(data))) for _ in range(3)]
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert [isinstance(result, EngineBusy) for result in results] == [False, False, True]

    run(work())


def test_an_idle_model_is_unloaded_and_loaded_again(
    make_engine: Make, sounds: Any, hear: Any
) -> None:
    async def work() -> None:
        async with closing(make_engine(idle=0.05)) as engine:
            await hear(engine, Recording(sounds.voice(1)))
            while engine.pid is not None:
                await asyncio.sleep(0.01)
            assert await hear(engine, Recording(sounds.voice(1)))

    run(work())


def test_closing_ends_who_is_listening(make_engine: Make, sounds: Any, hear: Any) -> None:
    async def work() -> None:
        engine = make_engine("hangs")
        task = asyncio.create_task(hear(engine, Recording(sounds.voice(1))))
        while engine.pid is None:
            await asyncio.sleep(0.01)
        pid = engine.pid
        await engine.close()
        await engine.close()
        assert gone(pid)
        with pytest.raises(EngineCrashed):
            await task
        assert await failure(hear, engine, sounds.voice(1)) is EngineFailed

    run(work())


def test_the_loop_goes_on_while_the_process_works(make_engine: Make, sounds: Any) -> None:
    async def work() -> None:
        async with closing(make_engine("hangs")) as engine:
            task = asyncio.create_task(anext(engine.listen(Recording(sounds.voice(50)))))
            turns = 0
            while engine.pid is None or turns < 100:
                await asyncio.sleep(0)
                turns += 1
            assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(work())
