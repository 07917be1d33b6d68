"""What ``make bench-gateway`` starts, and how it says that something can't be."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from gateway_parts import systems
from gateway_parts.pinned import cpu_seconds, output_of, running

from clawdcore.config import load

CORE = min(os.sched_getaffinity(0))


def test_the_bots_configuration_is_valid_and_admits(tmp_path: Path) -> None:
    command = systems.command("ours", 18780, "http://127.0.0.1:1", "http://127.0.0.1:2", tmp_path)
    assert command[-2:] == ["--config", str(tmp_path / "clawdbot.json")]
    config = load(tmp_path / "clawdbot.json")
    assert config.gateway.port == 18780
    assert config.gateway.max_concurrent_requests == systems.SEATS
    assert [*config.models.providers["vllm"].base_urls] == ["http://127.0.0.1:1/v1"]


def test_the_bot_in_one_process_differs_by_an_option_alone(tmp_path: Path) -> None:
    two, one = (
        systems.command(system, 1, "http://127.0.0.1:1", "http://127.0.0.1:2", tmp_path)
        for system in ("ours", "single")
    )
    assert one == [*two, "--single"]


def test_each_rival_gets_the_upstream_and_its_port(tmp_path: Path) -> None:
    for system in ("smg", "vllm-router", "litellm"):
        command = systems.command(system, 4567, "http://127.0.0.1:1234", "", tmp_path)
        assert command[0].endswith(f"/{system}/bin/{system}")
        assert command[command.index("--port") + 1] == "4567"
        told = " ".join(command)
        if system == "litellm":
            told = json.dumps(json.loads((tmp_path / "litellm.json").read_text()))
        assert "http://127.0.0.1:1234" in told


def test_a_rival_that_is_not_installed_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systems, "ENVIRONMENTS", tmp_path)
    assert "not installed" in systems.missing("smg")
    (tmp_path / "smg.log").write_text("\nerror: no such version\nmore\n")
    assert systems.missing("smg") == "it can't be installed (error: no such version)"
    (tmp_path / "smg" / "bin").mkdir(parents=True)
    (tmp_path / "smg" / "bin" / "smg").touch()
    assert systems.missing("smg") == ""


def test_no_proxy_of_the_environment_reaches_a_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    found = systems.environment(tmp_path)
    assert not any(name.lower().endswith("_proxy") for name in found)
    assert found["HOME"] == str(tmp_path)


def test_a_program_that_ends_at_once_leaves_its_last_words(tmp_path: Path) -> None:
    async def story() -> None:
        command = [sys.executable, "-c", "print('a'); print('no such option'); raise SystemExit(3)"]
        async with running(
            command, core=CORE, folder=tmp_path, log=tmp_path / "log", env={}
        ) as program:
            assert await program.process.wait() == 3
            assert program.ended == 3
            assert program.last_words() == "no such option"

    asyncio.run(story())


def test_a_program_that_runs_is_ended_with_its_body(tmp_path: Path) -> None:
    async def story() -> None:
        command = [sys.executable, "-c", "import signal; signal.pause()"]
        async with running(
            command, core=CORE, folder=tmp_path, log=tmp_path / "log", env={}
        ) as program:
            assert program.ended is None
        assert program.ended is not None
        assert program.last_words() == "it said nothing"
        assert cpu_seconds(program.process.pid) == 0

    asyncio.run(story())


def test_a_program_that_is_not_there_is_an_error_of_its_start(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(FileNotFoundError):
            async with running(
                [str(tmp_path / "none")], core=CORE, folder=tmp_path, log=tmp_path / "log", env={}
            ):
                pass

    asyncio.run(story())


def test_a_load_that_fails_says_its_last_line(tmp_path: Path) -> None:
    async def story() -> None:
        good = [sys.executable, "-c", "print(1)"]
        assert await output_of(good, core=CORE, folder=tmp_path) == b"1\n"
        with pytest.raises(RuntimeError, match="status 1: ValueError: so"):
            await output_of(
                [sys.executable, "-c", "raise ValueError('so')"], core=CORE, folder=tmp_path
            )

    asyncio.run(story())
