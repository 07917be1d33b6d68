"""The programs of a flood, each a process of its own that ends with the bench."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from chaos_parts.site import FAST, TOKEN, free_port, program

from .plan import CHATS

BENCH: Final = Path(__file__).parents[1]
ROOT: Final = BENCH.parent
MODEL: Final = "simulated"
READY: Final = 120.0
"""Seconds that a program may take to be ready."""
KEPT: Final = 1_000_000
"""Records that the local Telegram keeps of what the bot did."""


class CannotStart(Exception):
    """A program did not come up; the text says which, and what it said last."""


def token(kind: str, chat: int) -> str:
    """The bearer token of a chat."""
    return f"token-of-{kind}-{chat}"


def clients() -> list[dict[str, str]]:
    """``gateway.auth.clients`` in which every chat of a plan is a caller with its class."""
    return [
        {"name": f"{kind}-{chat}", "token": token(kind, chat), "priority": kind}
        for kind, count in CHATS.items()
        for chat in range(count)
    ]


@asynccontextmanager
async def process(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    ready: Callable[[], Any],
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[None]:
    """Run ``command`` and wait until ``ready()`` (awaited) is true; end it on leaving.

    Raises:
        CannotStart: it ended, or wasn't ready in time.
    """
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
        )
    try:
        try:
            async with asyncio.timeout(READY):
                while not await ready():
                    if running.returncode is not None:
                        raise CannotStart(f"{name} ended with {running.returncode}: {_last(log)}")
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise CannotStart(f"{name} was not ready after {READY:g} s: {_last(log)}") from None
        yield
    finally:
        if running.returncode is None:
            running.terminate()
            try:
                await asyncio.wait_for(running.wait(), 30)
            except TimeoutError:
                running.kill()
                await running.wait()


def _last(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


@asynccontextmanager
async def simulator(parameters: Mapping[str, Any], preset: str) -> AsyncIterator[str]:
    """The simulated engine; gives its root."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, str(BENCH / "simulate.py"), "--with-parent", "--model", MODEL),
        *("--preset", preset, "--parameters", json.dumps(parameters)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        yield json.loads(await running.stdout.readline())["root"]
    finally:
        running.stdin.close()
        await running.wait()


@asynccontextmanager
async def vllm(folder: Path, limit: int) -> AsyncIterator[str]:
    """A real vLLM on the CPU with ``limit`` sequences at once; gives its root.

    Raises:
        CannotStart: .venv/vllm is not there, or the server didn't come up.
    """
    python = ROOT / ".venv" / "vllm" / "bin" / "python"
    if not python.exists():
        raise CannotStart("vLLM is not installed in .venv/vllm: `make test-vllm` does it")
    root = f"http://127.0.0.1:{free_port()}"
    command = [
        *(str(python), str(ROOT / "tools" / "vllm_cpu" / "serve.py")),
        *("--port", root.rpartition(":")[2], "--max-num-seqs", str(limit)),
        *("--served-model-name", MODEL),
    ]
    async with process("vLLM", command, folder / "vllm.log", ready=lambda: _ok(f"{root}/health")):
        yield root


@asynccontextmanager
async def clawdbot(
    folder: Path,
    engine: str,
    *,
    limit: int,
    within: float,
    api_root: str,
    plugins: Sequence[str] = ("chat", "translate"),
) -> AsyncIterator[str]:
    """The whole bot before the engine; gives its gateway's root.

    ``limit`` generations at once, ``within`` seconds for an answer. It has a folder of its
    own in ``folder``: a ledger that was there before would know the updates of a new
    Telegram, which begin with the same ids.
    """
    folder = Path(tempfile.mkdtemp(prefix="bot-", dir=folder))
    port = free_port()
    milliseconds = math.ceil(within * 1000)
    config = {
        "agents": {
            "defaults": {
                "workspace": str(folder / "state"),
                "model": {"primary": f"vllm/{MODEL}"},
                "maxConcurrent": 256,
                "timeout": {"request": milliseconds, "total": milliseconds},
            }
        },
        "models": {"providers": {"vllm": {"baseUrl": f"{engine}/v1"}}},
        "channels": {
            "telegram": {
                "apiRoot": api_root,
                "pace": FAST,  # Telegram's limits are another bench's: bench/group_flood.py
                "groups": {"*": {"requireMention": False}},
            }
        },
        "gateway": {
            "port": port,
            "maxConcurrentRequests": limit,
            "auth": {"clients": clients()},
        },
        "plugins": list(plugins),
    }
    file = folder / "clawdbot.json"
    file.write_text(json.dumps(config))
    (folder / "state").mkdir(exist_ok=True)
    root = f"http://127.0.0.1:{port}"
    environment = {"TELEGRAM_BOT_TOKEN": TOKEN, "HOME": str(folder)}
    command = [*program(), "run", "--config", str(file)]
    async with process(
        "clawdbot",
        command,
        folder / "clawdbot.log",
        ready=lambda: _ok(f"{root}/ready"),
        environment=environment,
    ):
        yield root


@asynccontextmanager
async def smg(folder: Path, engine: str, *, limit: int, within: float) -> AsyncIterator[str]:
    """The gateway smg with its priority scheduler on; gives its root.

    Raises:
        CannotStart: its program is not installed, or didn't come up.
    """
    binary = ROOT / ".venv" / "bench-gateway" / "smg" / "bin" / "smg"
    if not binary.exists():
        raise CannotStart(f"{binary.relative_to(ROOT)} is not there")
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    patience = max(1, round(within))
    # Its own defaults, but for the floors: those are for hundreds of slots, and here are `limit`.
    reserved = {"system": 0.0, "interactive": 0.25, "default": 0.1, "bulk": 0.0}
    starving = {"system": 5, "interactive": 5, "default": 30, "bulk": 120}
    scheduler = folder / "scheduler.yaml"
    scheduler.write_text(
        "classes:\n"
        + "".join(
            f"  {name}: {{reserved_floor: 0, reserved_per_slot: {share}, queue_size: 128, "
            f"queue_timeout_secs: {patience}, starvation_threshold_secs: {starving[name]}, "
            f"can_preempt: {str(name in ('system', 'interactive')).lower()}}}\n"
            for name, share in reserved.items()
        )
    )
    keys = [part for each in clients() for part in ("--tenant-api-key", _tenant(each))]
    command = [
        *(str(binary), "launch", "--host", "127.0.0.1", "--port", str(port)),
        *("--worker-urls", engine, "--backend", "vllm", "--policy", "round_robin"),
        *("--max-concurrent-requests", str(limit), "--queue-size", "128"),
        *("--queue-timeout-secs", str(patience)),
        *("--priority-scheduler-enabled", "--priority-scheduler-config", str(scheduler)),
        *("--priority-scheduler-default-max-class", "interactive"),
        *("--retry-max-retries", "1", "--prometheus-port", str(free_port()), *keys),
    ]
    async with process("smg", command, folder / "smg.log", ready=lambda: _ok(f"{root}/readiness")):
        yield root


@asynccontextmanager
async def plain(folder: Path, engine: str, *, api_root: str) -> AsyncIterator[None]:
    """A bot as its library's guide shows it, which asks the model for every message."""
    command = [
        *(sys.executable, str(Path(__file__).with_name("plain.py"))),
        *("--api-root", api_root, "--engine", engine, "--model", MODEL, "--token", TOKEN),
    ]
    log = folder / "plain.log"

    async def polls() -> bool:
        return "polls" in log.read_text(errors="replace")

    async with process("the plain bot", command, log, ready=polls):
        yield


def _tenant(client: Mapping[str, str]) -> str:
    return f"{client['name']}:{client['token']}"


async def _ok(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
