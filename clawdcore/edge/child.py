"""A worker in a process of its own: start it, look after it, and learn how it ended."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..broker import Port, ToEdge, ToWorker
from ..broker.sockets import edge_end
from ..process import python
from ..scratch import Scratch, variables, wipe
from .blame import culprit
from .work import Death

OWNERS_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
"""Signals by which people end a process; no message sends them."""
TOKEN_VARIABLE: Final = "TELEGRAM_BOT_TOKEN"
PAGE: Final = resource.getpagesize()
WORDS: Final = 256 * 1024
"""Bytes of what a worker says of its end that are looked at."""
_VMSTAT: Final = Path("/proc/vmstat")


class Child:
    """A running worker process and the edge's end of its broker.

    Down the pipe ``faults`` it says where its threads stand when it crashes, or is asked.
    """

    _words: bytes | bytearray = b""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        port: Port[ToWorker, ToEdge],
        tether: int,
        scratch: Path,
        faults: int,
    ) -> None:
        self._words = bytearray()
        self._faults = faults
        os.set_blocking(faults, False)
        asyncio.get_running_loop().add_reader(faults, self._hear)
        self._process = process
        self._tether = tether
        self._scratch = scratch
        self._out_of_memory = _out_of_memory_kills()
        self.port = port
        self.blamed: Death | None = None
        self.ended = asyncio.create_task(self._wait(), name="the end of a worker")

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def kill(self, blamed: Death) -> None:
        """End it at once; ``blamed`` is what its end will count as."""
        self.blamed = self.blamed or blamed
        self._signal(signal.SIGKILL)

    def say_where(self) -> None:
        """Have it log where its threads are: places in the code, no values."""
        self._signal(signal.SIGUSR1)

    def _signal(self, number: signal.Signals) -> None:
        # Not by the process object: it would look whether the process has ended, and so
        # take the exit status from whoever waits for it.
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def resident(self) -> int:
        """Bytes that it has in memory, 0 where that can't be known."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * PAGE

    def how(self) -> Death:
        """How it ended, once it has."""
        status = self.ended.result()
        if self.blamed is not None:
            return self.blamed
        if status == -signal.SIGKILL:
            # By the kernel for want of memory, which a message may have caused, or by hand.
            more = _out_of_memory_kills() > self._out_of_memory
            return Death.CRASHED if more else Death.KILLED
        return Death.KILLED if -status in OWNERS_SIGNALS else Death.CRASHED

    def culprit(self, homes: Mapping[str, str]) -> str:
        """The plugin whose code ran where it crashed or stood still, "" where none is seen.

        ``homes`` is where each plugin's code stands; to be asked once it has ended.
        """
        how = self.how()
        if how is Death.KILLED:
            return ""
        said = bytes(self._words).decode("utf-8", "replace")
        return culprit(said, homes, stalled=how is Death.STALLED)

    def _hear(self) -> bool:
        """Take what it says, and pass it on to whoever reads our errors; whether there was any."""
        try:
            said = os.read(self._faults, 65536)
        except BlockingIOError:
            return False
        with suppress(OSError):
            os.write(2, said)
        self._words += said[: max(0, WORDS - len(self._words))]
        if not said:
            asyncio.get_running_loop().remove_reader(self._faults)
        return bool(said)

    async def _wait(self) -> int:
        try:
            return await self._process.wait()
        finally:
            while self._hear():
                pass
            asyncio.get_running_loop().remove_reader(self._faults)
            os.close(self._faults)
            os.close(self._tether)
            # What it had in temporary files may be what somebody sent.
            wipe(self._scratch)


async def spawn(
    arguments: Sequence[str], scratch: Scratch, gateway: Sequence[socket.socket] = ()
) -> Child:
    """Start ``python -m clawdcore.worker`` with ``arguments`` and the ends of its broker.

    It serves the gateway on ``gateway``, sockets that listen here and outlive it. Its
    temporary files go into a part of ``scratch`` of its own, wiped at its end.
    To be called in the main thread: the worker dies with the thread that started it.

    Raises:
        OSError: no process can be started.
    """
    part = scratch.part()
    ours, theirs = socket.socketpair()
    # Held open by us alone: it closes when we are gone, whatever the reason.
    read, write = os.pipe()
    faults, fault = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *python(),
            "clawdcore.worker",
            f"--broker={theirs.fileno()}",
            f"--tether={read}",
            f"--faults={fault}",
            f"--parent={os.getpid()}",
            *(f"--gateway={listener.fileno()}" for listener in gateway),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), read, fault, *(listener.fileno() for listener in gateway)),
            env=without_token() | variables(part),
        )
        return Child(process, await edge_end(ours), write, part, faults)
    except BaseException:
        ours.close()
        os.close(write)
        os.close(faults)
        raise
    finally:
        theirs.close()
        os.close(read)
        os.close(fault)


def without_token() -> dict[str, str]:
    """Our environment without the bot's token: plugins have no business with it."""
    return {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}


def _out_of_memory_kills() -> int:
    """How many processes the kernel has ended for want of memory, 0 where it doesn't say."""
    try:
        text = _VMSTAT.read_text(encoding="ascii")
    except OSError:
        return 0
    for line in text.splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return 0
