"""``clawdbot demo`` on a terminal, played through a pseudo-terminal."""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Config = Callable[..., Path]
PATIENCE = 60.0
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches it
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Player:
    """Somebody at a terminal: types, and sees what appears."""

    def __init__(self, terminal: int, demo: subprocess.Popen[bytes]) -> None:
        self._terminal = terminal
        self.demo = demo
        self.seen = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def until(self, text: str) -> str:
        """Wait for it; what appeared up to it since the last time, without escape codes."""
        ends = time.monotonic() + PATIENCE
        while text not in self.seen:
            ready, _, _ = select.select([self._terminal], [], [], ends - time.monotonic())
            assert ready, f"{text!r} did not appear after {self.seen!r}"
            new = self._decoder.decode(os.read(self._terminal, 4096))
            self.seen = ESCAPES.sub("", self.seen + new)
        before, found, self.seen = self.seen.partition(text)
        return before + found

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        while True:
            try:
                if not os.read(self._terminal, 4096):
                    break
            except OSError:
                break  # how Linux says that nobody holds the other end
        return self.demo.wait(PATIENCE)


@contextmanager
def sit_down(environment: dict[str, str], folder: Path, *arguments: str) -> Iterator[Player]:
    ours, theirs = os.openpty()
    demo = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, "-m", "clawdcore", "demo", *arguments],
        env={**environment, "TERM": "xterm"},
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Player(ours, demo)
    finally:
        demo.kill()
        demo.wait()
        os.close(ours)


def test_answers_appear_while_they_are_written_and_ctrl_d_ends(
    environment: dict[str, str], config: Config, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    file = str(config(gate=str(gate)))
    with sit_down(environment, tmp_path, "--config", file) as player:
        assert "Model: echoes/echo" in player.until("you › ")
        player.type("first | second\n")
        player.until("clawd_bot › first")
        gate.write_text("open")
        assert player.until("you › ").strip().startswith("second")
        player.type("/help\n")
        assert "/start – Say hello" in player.until("you › ")
        player.type("\x04")
        assert player.ended() == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_is_typed_while_the_bot_writes_is_kept_below_its_answer(
    environment: dict[str, str], config: Config, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    file = str(config(gate=str(gate)))
    with sit_down(environment, tmp_path, "--config", file) as player:
        player.until("you › ")
        player.type("first | second\n")
        player.until("clawd_bot › first")
        player.type("typ")
        player.until("you › typ")
        gate.write_text("open")
        player.until("… second\r\nyou › typ")
        player.type("ed\n")
        assert "clawd_bot › typed" in player.until("clawd_bot › typed")
        player.type("\x03")
        assert player.ended() == 0


def test_a_group_shows_who_speaks_and_whom_the_bot_answers(
    environment: dict[str, str], config: Config, tmp_path: Path
) -> None:
    with sit_down(environment, tmp_path, "--group", "--config", str(config())) as player:
        player.until("Ada › ")
        player.type("nobody is asked\n")
        assert "clawd_bot" not in player.until("Ada › ").partition("\n")[2]
        player.type("bob: @bot here?\n")
        player.until("clawd_bot → Bob › ")
        player.until("Bob › ")
        player.type("/as mei\n")
        player.until("Mei › ")
        player.type("\x04")
        assert player.ended() == 0


def test_a_bot_that_dies_ends_the_prompt(
    environment: dict[str, str], config: Config, tmp_path: Path
) -> None:
    with sit_down(environment, tmp_path, "--config", str(config())) as player:
        player.until("you › ")
        player.type("/crash\n")
        player.until("clawdbot: the bot ended with exit code 3.")
        assert player.ended() == 1


def test_sigterm_ends_it_and_its_folder(
    environment: dict[str, str], config: Config, tmp_path: Path
) -> None:
    with sit_down(environment, tmp_path, "--config", str(config())) as player:
        player.until("you › ")
        player.demo.send_signal(signal.SIGTERM)
        assert player.ended() == 128 + signal.SIGTERM
    assert list((tmp_path / "tmp").iterdir()) == []
