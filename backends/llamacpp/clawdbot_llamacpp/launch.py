"""Start the engine's process, and hold on to it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import httpx

from clawdcore import BackendUnavailable

ENGINE: Final = (sys.executable, "-P", str(Path(__file__).with_name("engine.py")))
"""Run by path and not as a module: the package's imports would double its size and start."""
PASSIVE: Final = {"OMP_WAIT_POLICY": "passive"}
"""Threads that wait sleep, instead of spinning on a core that somebody else needs. Measured on
two cores that others used too: 4 to 10 tokens a second, where spinning gave 0.5 to 0.8."""
LOAD_SECONDS: Final = 300.0
"""A model that takes longer to load is on a disk that no request should wait for."""
STOP_SECONDS: Final = 3.0
TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
"""Seconds without a byte; the engine sends one every ten, so that silence means it hangs."""
FRESH: Final = httpx.Limits(max_keepalive_connections=0)
"""A connection for each request: a kept one may be closed in the moment it is used."""
READY: Final = b"ready\n"
"""What the engine writes to stdout when it serves."""
TAIL: Final = 2000
"""Bytes of what llama.cpp printed while loading that are kept for the error."""


class EngineFailed(BackendUnavailable):
    """The engine did not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the engine is started with. ``context`` is in tokens of one slot."""

    model: str
    name: str
    slots: int
    context: int
    threads: int
    batch: int
    repack: bool
    gpu_layers: int | None


class Engine:
    """A running engine: its process, and an HTTP client that alone knows its key."""

    def __init__(
        self, process: asyncio.subprocess.Process, folder: Path, client: httpx.AsyncClient
    ) -> None:
        self.client = client
        self.folder = folder
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        """Wait for its end; the exit status, negative for a signal."""
        return await self._process.wait()

    def kill(self) -> None:
        """End it at once, as one ends a process that hangs."""
        if self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """End it, and give back what it held. May be called more than once."""
        await _end(self._process)
        await self.client.aclose()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def context(self) -> int:
        """Tokens of one slot; less than asked for where the model takes no more.

        Raises:
            EngineFailed: it can't be asked.
        """
        try:
            slots = (await self.client.get("/slots")).raise_for_status().json()
        except httpx.HTTPError as error:
            raise EngineFailed(
                f"llama.cpp ended right after it was started ({type(error).__name__}).",
                fix="Choose a smaller model or context; dmesg shows whether memory ran out.",
            ) from error
        return int(slots[0]["n_ctx"])


async def launch(settings: Settings, command: Sequence[str] = ENGINE) -> Engine:
    """Start an engine, and return when it has loaded the model.

    It listens on a Unix socket in a folder that only this user may enter, so
    that no other user reaches it, and asks for a key made for this start.

    Raises:
        EngineFailed: it ended, or was not ready in :data:`LOAD_SECONDS`.
    """
    try:
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="clawdbot-"))
    except OSError as error:
        raise _no_room(error) from error
    socket = str(folder / "engine.sock")
    key = secrets.token_urlsafe(32)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=PASSIVE | os.environ,
            start_new_session=True,  # Ctrl-C is for the bot, which then ends it
        )
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise _no_room(error) from error
        raise
    try:
        given = asdict(settings) | {"socket": socket, "key": key, "parent": os.getpid()}
        await _loaded(process, settings, json.dumps(given).encode() + b"\n")
    except BaseException:
        await _end(process, at_once=True)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    client = httpx.AsyncClient(
        base_url="http://engine",
        transport=httpx.AsyncHTTPTransport(uds=socket, limits=FRESH),
        headers={"Authorization": f"Bearer {key}"},
        timeout=TIMEOUT,
        trust_env=False,  # no proxy and no password file has a part in this
    )
    return Engine(process, folder, client)


async def _loaded(process: asyncio.subprocess.Process, settings: Settings, given: bytes) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    printed = asyncio.create_task(_tail(process))
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            process.stdin.write(given)
            ready = await process.stdout.readline()
    except TimeoutError:
        raise EngineFailed(
            f"llama.cpp did not load {settings.model} in {LOAD_SECONDS:.0f} s.",
            fix="Put the model on a faster disk, or choose a smaller one.",
        ) from None
    else:
        if ready != READY:
            by_itself = await _end(process)
            status = await process.wait() if by_itself else 0
            raise _not_loaded(settings, status, await printed)
    finally:
        # The engine closes its stderr when it is ready, so this ends by itself.
        if not printed.done():
            printed.cancel()
        await asyncio.gather(printed, return_exceptions=True)


async def _tail(process: asyncio.subprocess.Process) -> str:
    """The end of what was printed before any request came in."""
    assert process.stderr is not None
    kept = b""
    while data := await process.stderr.read(TAIL):
        kept = (kept + data)[-TAIL:]
    return kept.decode(errors="replace")


def _no_room(error: OSError) -> EngineFailed:
    return EngineFailed(
        f"llama.cpp's process can't be started ({error.strerror or type(error).__name__}).",
        fix="Check free memory, the limit of processes, and that TMPDIR can be written.",
    )


def _not_loaded(settings: Settings, status: int, printed: str) -> EngineFailed:
    if status == -signal.SIGKILL:
        return EngineFailed(
            f"llama.cpp was killed while it loaded {settings.model}; memory may be short.",
            fix="Free memory, choose a smaller model, or lower the options context and slots.",
        )
    errors = [line.partition(" E ")[2] for line in printed.splitlines() if " E " in line]
    errors = errors or printed.strip().splitlines()[-1:]
    reason = errors[0].strip() if errors else "it gave no reason"
    return EngineFailed(
        f"llama.cpp ended ({ending(status)}) and did not load {settings.model}: {reason}.",
        fix="Check that the option model names a whole .gguf file, and that xllamacpp suits this "
        "machine.",
    )


def ending(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"exit {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


async def _end(process: asyncio.subprocess.Process, *, at_once: bool = False) -> bool:
    """Close its stdin, and kill it if it doesn't end then. Whether it ended by itself."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(0 if at_once else STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        if process.returncode is None:
            process.kill()
        await process.wait()
        return False
    return True
