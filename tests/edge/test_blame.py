"""Whose code brought a worker down, read from what faulthandler writes of real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clawdcore.edge.blame import culprit

PLUGIN = """
import ctypes, threading, time

def crash():
    ctypes.string_at(0)

def block():
    print("ready", flush=True)
    time.sleep(60)
"""
MAIN = """
import asyncio, faulthandler, signal, sys, threading
import clawdbot_bad, clawdbot_good

faulthandler.enable(all_threads=True)
faulthandler.register(signal.SIGUSR1, all_threads=True)

async def main():
    threading.Thread(target=clawdbot_good.block, daemon=True).start()
    await asyncio.sleep(0.2)
    {what}

asyncio.run(main())
"""


def said(folder: Path, what: str) -> str:
    """What a process writes when the bad plugin does ``what``; the good one waits in a thread."""
    for name in ("bad", "good"):
        (folder / f"clawdbot_{name}.py").write_text(PLUGIN)
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN.format(what=what)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        if "block" in what:
            for _ in range(2):
                process.stdout.readline()
            process.send_signal(signal.SIGUSR1)
            lines = []
            for line in process.stderr:
                lines.append(line)
                if "<module>" in line:  # the outermost frame of the thread with the loop
                    break
            process.kill()
            return "".join(lines)
        return process.stderr.read()


def homes(folder: Path) -> dict[str, str]:
    return {name: str(folder / f"clawdbot_{name}.py") for name in ("good", "bad")}


@pytest.mark.parametrize(
    "what", ["clawdbot_bad.crash()", "await asyncio.to_thread(clawdbot_bad.crash)"]
)
def test_a_crash_is_that_of_the_thread_that_crashed(tmp_path: Path, what: str) -> None:
    words = said(tmp_path, what)
    assert culprit(words, homes(tmp_path), stalled=False) == "bad"
    assert culprit(words, {"elsewhere": "/nowhere/"}, stalled=False) == ""


def test_a_stall_is_that_of_the_thread_that_runs_the_loop(tmp_path: Path) -> None:
    words = said(tmp_path, "clawdbot_bad.block()")
    assert culprit(words, homes(tmp_path), stalled=True) == "bad"


def test_a_package_is_blamed_for_all_its_files_and_no_neighbour_for_its_name() -> None:
    words = (
        'Current thread 0x1 (most recent call first):\n  File "/site/acme/deep/x.py", line 3 in f'
    )
    assert culprit(words, {"acme": "/site/acme/"}, stalled=False) == "acme"
    assert culprit(words, {"ac": "/site/ac", "me": "/site/acme"}, stalled=False) == ""


@pytest.mark.parametrize("words", ["", "Segmentation fault", "Current thread\nThread\n", "\0" * 50])
def test_where_nothing_is_seen_nobody_is_blamed(words: str) -> None:
    for stalled in (False, True):
        assert culprit(words, {"a": "/a.py", "b": ""}, stalled=stalled) == ""
