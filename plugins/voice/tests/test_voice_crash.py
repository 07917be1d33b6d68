"""Native code that dies under the whole bot: an honest reply, and a fresh process for the next."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clawdcore.testing import ADA
from clawdcore.testing.writing import Files

Make = Callable[..., Any]
LIMIT = 120.0
"""Seconds after which a test fails that waits for a process; it takes one."""
BROKE = "My speech engine broke down over this recording. Please try again."


async def killed(engine: Any, reached: Path) -> int:
    """SIGSEGV to the engine's process as soon as it is in the middle of its work; its pid."""
    async with asyncio.timeout(LIMIT):
        while not reached.exists():
            await asyncio.sleep(0.02)
    pid = engine.pid
    assert isinstance(pid, int)
    process = engine._process._process
    os.kill(pid, signal.SIGSEGV)
    async with asyncio.timeout(LIMIT):
        # Not the signal itself: whoever sends one to a dead process reaps it, and then
        # asyncio knows only that it is gone (255).
        assert await process.wait() != 0
    return pid


def struck(bot: Any, engine: Any, data: bytes, reached: Path) -> tuple[int, str]:
    """Send a recording whose process is killed; its pid, and what is answered."""
    before = len(bot.sent)
    bot._run(bot.telegram.inject(bot._message("", ADA, None, None, Files(voice=data))))
    pid = bot._run(killed(engine, reached))
    bot.settle()
    (answer,) = bot.sent[before:]
    return pid, answer.text


def words(seconds: int, pid: int | None) -> str:
    """What the made-up recogniser writes of so many seconds."""
    return f"{seconds} s by {pid}."


@pytest.fixture
def reached(tmp_path: Path) -> Path:
    """A file that is there once the process is in the middle of its work."""
    return tmp_path / "reached"


def test_the_asker_is_told_and_the_next_note_is_read_by_a_fresh_process(
    make_bot: Make, make_engine: Make, sounds: Any, reached: Path
) -> None:
    engine = make_engine(f"waits:1:{reached}")
    bot = make_bot(engine, {"network": True})
    pid, answer = struck(bot, engine, sounds.voice(2), reached)
    assert answer == BROKE
    said = bot.say(voice=sounds.voice(3))
    assert engine.pid not in (None, pid)
    assert said.endswith(words(3, engine.pid))
    assert not bot.report.disabled


def test_what_was_heard_before_is_kept_and_said_to_break_off(
    make_bot: Make, make_engine: Make, sounds: Any, reached: Path
) -> None:
    engine = make_engine(f"waits:2:{reached}")
    bot = make_bot(engine, {"network": True})
    pid, answer = struck(bot, engine, sounds.voice(40), reached)
    assert words(28, pid) in answer
    assert answer.endswith(f"[The text breaks off here. {BROKE}]")
    said = bot.say(voice=sounds.voice(40))
    assert engine.pid not in (None, pid)
    assert said.endswith(f"{words(28, engine.pid)} {words(12, engine.pid)}")


def test_a_process_that_was_warm_is_not_held_against_the_recording(
    make_bot: Make, make_engine: Make, sounds: Any, reached: Path
) -> None:
    engine = make_engine(f"waits:2:{reached}")
    bot = make_bot(engine, {"network": True})
    first = bot.say(voice=sounds.voice(1))
    pid, answer = struck(bot, engine, sounds.voice(2), reached)
    assert words(1, pid) in first
    assert answer.endswith(words(2, engine.pid))
    assert engine.pid != pid
