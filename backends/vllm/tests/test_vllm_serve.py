"""The command `clawdbot vllm serve`."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from clawdbot_vllm.profiles import PROFILES, line
from clawdbot_vllm.serve import command


def in_a_shell(text: str) -> list[str]:
    """The words of a command that goes over several lines, without comments."""
    return shlex.split(text.replace("\\\n", ""), comments=True)


def test_it_prints_the_line_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it was started"))
    result = CliRunner().invoke(command, ["serve", "--profile", "medium", "--port", "8001"])
    assert result.exit_code == 0, result.output
    assert in_a_shell(result.stdout) == line(PROFILES["medium"], port=8001).words()


def test_own_flags_follow_and_old_ones_are_explained_beside_the_line() -> None:
    arguments = ["serve", "--model", "own/model", "--batch-max-tokens", "512", "--seed", "7"]
    result = CliRunner().invoke(command, arguments)
    words = in_a_shell(result.stdout)
    assert words[:3] == ["vllm", "serve", "own/model"]
    assert words[-4:] == ["--max-num-batched-tokens", "512", "--seed", "7"]
    assert words.count("--max-num-batched-tokens") == 1
    assert "--max-num-batched-tokens" in result.stderr


def test_run_becomes_the_server(tmp_path: Path) -> None:
    program = tmp_path / "vllm"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$$" "$@"\n')
    program.chmod(0o755)
    code = "from clawdbot_vllm.serve import command; command()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--run", "--model", "a b"],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    ) as started:
        out, _ = started.communicate(timeout=60)
    pid, *words = out.splitlines()
    assert int(pid) == started.pid
    assert words == line(PROFILES["small"], model="a b").words()[1:]


def test_run_without_vllm_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(command, ["serve", "--run"])
    assert result.exit_code == 1
    assert "pip install vllm" in result.stderr


def test_a_profile_that_is_none_names_those_that_are() -> None:
    result = CliRunner().invoke(command, ["serve", "--profile", "huge"])
    assert result.exit_code == 2
    assert all(name in result.stderr for name in PROFILES)
