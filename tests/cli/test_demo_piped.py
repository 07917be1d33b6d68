"""``clawdbot demo`` in a pipe: real processes, real HTTP, only the answers on standard output."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Clawdbot = Callable[..., "subprocess.CompletedProcess[str]"]
Config = Callable[..., Path]


def test_each_line_is_answered_before_the_next_and_nothing_else_is_printed(
    clawdbot: Clawdbot, config: Config, tmp_path: Path
) -> None:
    said = "one two\n\n/long\n   \nthree\n"
    result = clawdbot("demo", "--config", config(), said=said)
    parts = [letter * 3000 for letter in "abc"]
    assert result.stdout.splitlines() == ["one two", *parts, "three"]
    assert result.stderr == "clawdbot: starting a local Telegram server and the bot\n"
    assert result.returncode == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_line_without_an_answer_ends_it_with_1(clawdbot: Clawdbot, config: Config) -> None:
    said = "one\n/silent\ntwo\n"
    result = clawdbot("demo", "--config", config(), "--timeout", "2", said=said)
    assert result.stdout == "one\n"
    assert result.stderr.splitlines()[-1] == "clawdbot: line 2 was not answered within 2 s."
    assert result.returncode == 1


def test_a_bot_that_dies_is_told_in_one_line(clawdbot: Clawdbot, config: Config) -> None:
    result = clawdbot("demo", "--config", config(), said="/crash\n")
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("clawdbot: the bot ended by SIGKILL")
    assert result.returncode == 1


def test_in_a_group_only_those_who_mention_the_bot_are_answered(
    clawdbot: Clawdbot, config: Config
) -> None:
    said = "hello all\nbob: is @bot here?\n/as eve\n@clawd_bot yes\nmei: /nope@clawd_bot\n"
    result = clawdbot("demo", "--group", "--config", config(), said=said)
    bob, eve, mei = result.stdout.splitlines()
    assert bob == "→ Bob: is @clawd_bot here?"
    assert eve == "→ Eve: yes"
    assert mei.startswith("→ Mei: ") and "/nope" in mei
    assert result.returncode == 0


@pytest.mark.parametrize(
    ("options", "plugin", "told"),
    [
        ({"missing": True}, "parrot", "the model echo is not here. Connect to the internet."),
        ({}, "no-such", "plugin 'no-such' is not installed."),
    ],
)
def test_what_keeps_the_bot_from_starting_is_one_line(
    clawdbot: Clawdbot, config: Config, options: dict[str, bool], plugin: str, told: str
) -> None:
    file = config(**options)
    file.write_text(file.read_text().replace("parrot", plugin))
    result = clawdbot("demo", "--config", file, said="hello\n")
    assert result.returncode == 1
    assert result.stdout == ""
    starting, *reason = result.stderr.splitlines()
    assert starting.startswith("clawdbot: starting")
    assert len(reason) == 1
    assert reason[0].startswith(f"clawdbot: {told}")


def test_a_model_that_is_not_configured_is_named_before_anything_starts(
    clawdbot: Clawdbot, config: Config
) -> None:
    result = clawdbot("demo", "--config", config(), "--model", "vllm/x", said="hello\n")
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("clawdbot: --model: agents.defaults.model")
    assert "not configured" in line


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waiting for others' ends needs Linux")
def test_nothing_is_left_behind_when_it_is_killed(
    environment: dict[str, str], config: Config, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "clawdcore", "demo", "--config", str(config())]
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdin=-1, stdout=-1, stderr=-1
    ) as demo:
        assert demo.stdin is not None and demo.stdout is not None
        demo.stdin.write(b"hello\n")
        demo.stdin.flush()
        assert demo.stdout.readline() == b"hello\n"
        children = list(_children(demo.pid))
        assert len(children) == 2
        watched = [os.pidfd_open(child) for child in children]
        demo.kill()
    for process in watched:
        ended, _, _ = select.select([process], [], [], 30)
        os.close(process)
        assert ended


def _children(parent: int) -> Iterator[int]:
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        if int(fields[1]) == parent:
            yield int(status.parent.name)
