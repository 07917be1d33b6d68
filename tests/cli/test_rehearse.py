"""The whole command: a local Telegram server, the bot with a model of its own, and the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Clawdbot = Callable[..., Any]


def test_a_busy_time_is_played_and_reported(
    clawdbot: Clawdbot, config: Callable[..., Path]
) -> None:
    done = clawdbot(
        "rehearse", "-c", config(), "--profile", "breaking", "--seconds", 5, "--json", "--yes"
    )
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    report = json.loads(line)
    assert report["profile"] == "breaking"
    assert report["sent"] == 10
    assert report["addressed"] == report["answered"] == report["in_time"] > 0
    assert report["success"] == 1.0
    assert report["met"] is True
    assert (report["lost"], report["refused"], report["open"]) == (0, 0, 0)
    assert 0 < report["p50"] <= report["p99"]
    assert report["queue"]["server"] == "echoes"
    assert report["queue"]["finished"] > 0
    # What will happen is said before it does.
    assert "10 messages in 5 s" in done.stderr
    assert "ask echoes/echo for real" in done.stderr


def test_many_who_write_in_one_moment_all_get_their_answer(
    clawdbot: Clawdbot, config: Callable[..., Path]
) -> None:
    done = clawdbot("rehearse", "-c", config(), "--at-once", 10, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sent       10, of which 10 to the bot" in done.stdout
    assert "lost       0" in done.stdout
    assert done.stdout.splitlines()[-1] == "PASS: The goal is met. Nothing to change."


def test_a_bot_that_can_not_answer_fails(clawdbot: Clawdbot, config: Callable[..., Path]) -> None:
    done = clawdbot("rehearse", "-c", config(missing=True), "--at-once", 10, "--yes")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "the model echo is not here." in done.stderr


def test_ctrl_c_ends_it_with_what_was_measured(sit_down: Any, config: Callable[..., Path]) -> None:
    with sit_down("rehearse", "-c", config(), "--minutes", 60, "--yes") as player:
        player.until("of 480 sent")
        player.type("\x03")
        text = player.until("SO FAR")
        assert player.ended() == 130
    assert "profile    quiet" in text
    assert "lost       0" in text


def test_who_says_no_starts_nothing(sit_down: Any, config: Callable[..., Path]) -> None:
    with sit_down("rehearse", "-c", config()) as player:
        player.until("Begin? [Y/n]")
        player.type("n\r")
        assert player.ended() == 1
        assert "starting" not in player.seen


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Give --yes to begin"),
        (["--minutes", 1, "--seconds", 5], "Give one of them"),
        (["--at-once", 10, "--profile", "busy"], "--at-once is a moment"),
    ],
)
def test_what_can_not_be_meant_is_refused(
    clawdbot: Clawdbot, config: Callable[..., Path], options: list[object], words: str
) -> None:
    done = clawdbot("rehearse", "-c", config(), *options)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
