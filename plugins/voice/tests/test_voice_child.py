"""The engine's process by itself, spoken to over its pipes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clawdbot_voice.wire import HEADER, Answer, Job, Setup, length, pack, unpack

LIMIT = 120.0
"""Seconds after which a test fails that waits for a process; it takes one."""


@contextmanager
def child(behaviour: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "clawdbot_voice.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    with process:
        tell(process, Setup("voice_recogniser:Fake", behaviour))
        try:
            yield process
        finally:
            process.kill()


def tell(process: subprocess.Popen[bytes], record: object) -> None:
    assert process.stdin is not None
    process.stdin.write(pack(record))
    process.stdin.flush()


def answer(process: subprocess.Popen[bytes]) -> Answer:
    assert process.stdout is not None
    return unpack(process.stdout.read(length(process.stdout.read(HEADER))), Answer)


def test_it_ends_when_the_bot_does_in_the_middle_of_a_recording(sounds: Any) -> None:
    with child("hangs") as process:
        tell(process, Job(sounds.voice(1), "", 60))
        assert answer(process) == Answer()  # the model is loaded
        assert answer(process) == Answer()  # the file is decoded
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(LIMIT) == 0


def test_it_ends_when_what_it_gets_is_no_job() -> None:
    with child("hears") as process:
        tell(process, "nonsense")
        assert process.wait(LIMIT) == 0


def test_it_is_nicer_than_the_bot_and_leaves_no_core(sounds: Any) -> None:
    with child("hangs") as process:
        tell(process, Job(sounds.voice(1), "", 60))
        answer(process)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 10
        limits = Path(f"/proc/{process.pid}/limits")
        if limits.exists():
            (core,) = [line for line in limits.read_text().splitlines() if "core file" in line]
            assert core.split()[4:6] == ["0", "0"]


def test_a_crash_says_nothing_of_the_recording(sounds: Any) -> None:
    with child("raises") as process:
        tell(process, Job(sounds.voice(1), "", 60))
        assert process.wait(LIMIT) != 0
        assert process.stdout is not None
        assert b"secret" not in process.stdout.read()
