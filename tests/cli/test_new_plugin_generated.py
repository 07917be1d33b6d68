"""What ``clawdbot new-plugin`` writes is installed, tested, checked and run as it is."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import pytest
from aiohttp import web

from clawdcore.cli.new_plugin_text import Draft, texts

Clawdbot = Callable[..., "subprocess.CompletedProcess[str]"]
KINDS = pytest.mark.parametrize("backend", [False, True], ids=["plugin", "backend"])
NAME = "my-own"
NOT_HERE = "is not installed here; it is in the development group"


def generated(clawdbot: Clawdbot, place: Path, *options: str) -> Path:
    done = clawdbot("new-plugin", NAME, "--yes", "--author", "Ada", *options)
    assert done.returncode == 0, done.stderr
    return place / f"clawdbot-{NAME}"


def installed(folder: Path) -> str:
    """A PYTHONPATH with which it is as if installed: its folder, with what pip would note there."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    about = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (about / "METADATA").write_text(metadata)
    points = project["entry-points"]["clawdbot"]
    lines = [f"{name} = {value}" for name, value in points.items()]
    (about / "entry_points.txt").write_text("\n".join(["[clawdbot]", *lines, ""]))
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))


def passes(folder: Path, path: str, *command: str) -> str:
    """Run a tool of Python in the folder; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@KINDS
def test_its_tests_pass(backend: bool, clawdbot: Clawdbot, tmp_path: Path) -> None:
    folder = generated(clawdbot, tmp_path, *["--backend"] * backend)
    said = passes(folder, installed(folder), "pytest", "-q", "-p", "no:cacheprovider")
    assert " passed" in said and "skipped" not in said


@KINDS
def test_the_type_checker_has_nothing_to_say(
    backend: bool, clawdbot: Clawdbot, tmp_path: Path
) -> None:
    if find_spec("mypy") is None:
        pytest.skip(f"mypy {NOT_HERE}")
    folder = generated(clawdbot, tmp_path, *["--backend"] * backend)
    assert "no issues found" in passes(folder, installed(folder), "mypy")


@KINDS
@pytest.mark.parametrize("length", [1, 12, 32])
def test_the_linter_has_nothing_to_say_however_long_the_name_is(
    length: int, backend: bool, tmp_path: Path
) -> None:
    if find_spec("ruff") is None:
        pytest.skip(f"ruff {NOT_HERE}")
    for path, text in texts(
        Draft(
            name="a" * length,
            description='It says "\\d" — always',
            author="Ada <ada@example.org>",
            backend=backend,
            year=2026,
            core="0.1.0",
        )
    ).items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    passes(tmp_path, "", "ruff", "check", "--no-cache")
    passes(tmp_path, "", "ruff", "format", "--no-cache", "--check")


def test_a_bot_answers_with_the_plugin(
    clawdbot: Clawdbot,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    folder = generated(clawdbot, tmp_path)
    config = tmp_path / "bot.json"
    values = {
        "agents": {"defaults": {"model": "echoes/echo"}},
        "models": {"providers": {"echoes": {}}},
        "plugins": [{"name": NAME, "options": {"minimum": 3}}, "parrot"],
    }
    config.write_text(json.dumps(values))
    path = os.pathsep.join((installed(folder), environment["PYTHONPATH"]))
    said = "/my_own 100\nhello\nthree long words\n"
    done = clawdbot("demo", "--config", config, said=said, PYTHONPATH=path)
    assert done.stdout.splitlines() == [
        "You read 100 words in a minute.",
        "hello",
        "Time to read it: 1 min.",
    ], done.stderr


@contextmanager
def model_server() -> Iterator[str]:
    """The address of a server that answers each question with its words in capitals."""

    async def models(request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": [{"id": "shout"}]})

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = (await request.json())["messages"][-1]["content"]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for text, finish in ((asked.upper(), None), ("", "stop")):
            event = {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    async def start() -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.get("/v1/models", models), web.post("/v1/chat/completions", answer)])
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    loop = asyncio.new_event_loop()
    runner = loop.run_until_complete(start())
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(runner.cleanup())
        loop.close()


def test_a_bot_answers_with_the_backend(
    clawdbot: Clawdbot,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    folder = generated(clawdbot, tmp_path, "--backend")
    path = os.pathsep.join((installed(folder), environment["PYTHONPATH"]))
    config = tmp_path / "bot.json"
    with model_server() as url:
        values = {
            "agents": {"defaults": {"model": f"{NAME}/shout"}},
            "models": {"providers": {NAME: {"baseUrl": url}}},
            "plugins": ["parrot"],
        }
        config.write_text(json.dumps(values))
        done = clawdbot("demo", "--config", config, said="good day\n", PYTHONPATH=path)
    assert done.stdout == "GOOD DAY\n", done.stderr
