"""The worker's process: ``python -m clawdcore.worker``, started by the edge alone."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..broker import BEAT, Beat, Closed, Hello, Port, Ready, Remembered, ToEdge, ToWorker
from ..broker.sockets import worker_end
from ..config import load
from ..errors import ClawdBotError
from ..hooks.loader import Loader
from ..hooks.storage import SETTINGS_FILE, SettingsStore
from ..privacy import describe, describe_failure, describe_uncaught, set_up_logging
from ..process import die_with_parent, harden, tether
from .app import Worker
from .report import ready
from .serving import callers

log = logging.getLogger(__name__)

LAST_RECORDS: Final = 5.0
"""Seconds in which the last records must have left; without an edge, in which to end."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, which the edge writes."""
    parser = argparse.ArgumentParser(prog="python -m clawdcore.worker", description=__doc__)
    parser.add_argument("--broker", type=int, required=True, help="descriptor of a socket")
    parser.add_argument("--tether", type=int, required=True, help="descriptor of a pipe")
    parser.add_argument(
        "--faults", type=int, default=2, help="descriptor that hears where a crash happened"
    )
    parser.add_argument("--parent", type=int, required=True, help="the edge's process id")
    parser.add_argument("--config", type=Path, default=None)
    parser.add_argument(
        "--gateway", type=int, action="append", default=[], help="descriptor that listens"
    )
    parser.add_argument("--debug", action="store_true")
    return parser.parse_args(arguments)


async def work(
    sock: socket.socket, path: Path | None, gateway: Sequence[socket.socket] = (), *, debug: bool
) -> int:
    """Be one worker over ``sock``; returns the exit status."""
    asyncio.get_running_loop().set_exception_handler(describe_failure)
    port = await worker_end(sock)
    try:
        hello = await port.receive()
        if not isinstance(hello, Hello):
            raise TypeError(f"the first record must be Hello, not {type(hello).__name__}")
        remembered = [await port.receive() for _ in range(hello.remembered)]
        try:
            worker, note = _worker(path, port, hello, gateway, debug=debug)
        except ClawdBotError as error:
            await port.send(Ready(failure=str(error)))
            return 1
        try:
            for record in remembered:
                if isinstance(record, Remembered):
                    worker.remember(record)
            return await _serve(worker, port, hello, note)
        finally:
            await worker.close()
    except Closed:
        return 0  # the edge is gone, and with it the work
    finally:
        port.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_RECORDS):
                await port.gone.wait()


def _worker(
    path: Path | None,
    port: Port[ToEdge, ToWorker],
    hello: Hello,
    gateway: Sequence[socket.socket],
    *,
    debug: bool,
) -> tuple[Worker, str]:
    """The worker, and what is to be said of its gateway, or ""."""
    config = load(path)
    set_up_logging(debug=debug, secrets=config.secrets())
    loader = Loader()
    loader.require(entry.name for entry in config.plugins if entry.enabled)
    folder = config.state_path(hello.bot.id)
    keys, note = callers(config.gateway, folder) if gateway else ([], "")
    store = SettingsStore(folder / SETTINGS_FILE)
    return Worker(config, port, loader=loader, store=store, gateway=gateway, keys=keys), note


async def _serve(worker: Worker, port: Port[ToEdge, ToWorker], hello: Hello, note: str) -> int:
    try:
        # A worker that takes over must not keep messages waiting that need no model.
        report = await worker.start(models=hello.restart == 0)
        answer = ready(report, hello.bot, exclusive=worker.models.exclusive, note=note)
    except ClawdBotError as error:
        answer = Ready(failure=str(error))
    if answer.failure:
        await port.send(answer)
        return 1
    # Modules, tables and configuration stay until the end: without the freeze each
    # full collection walks all of them, and the loop stands still meanwhile.
    gc.collect()
    gc.freeze()
    beating = asyncio.create_task(_beat(port))
    try:
        await worker.run(hello, answer)
    finally:
        beating.cancel()
    return 0


async def _beat(port: Port[ToEdge, ToWorker]) -> None:
    """Show that the loop turns."""
    with suppress(Closed):
        while True:
            await asyncio.sleep(BEAT)
            await port.send(Beat())


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    options = parse(arguments)
    harden()
    die_with_parent(options.parent)
    tether(options.tether, grace=LAST_RECORDS)
    set_up_logging(debug=options.debug)
    describe_uncaught()
    # Ctrl-C goes to all processes of a terminal: it is the edge that decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if options.faults != 2:
        os.set_inheritable(options.faults, False)
    faulthandler.enable(file=options.faults, all_threads=True)
    faulthandler.register(signal.SIGUSR1, file=options.faults, all_threads=True)
    sock = socket.socket(fileno=options.broker)
    gateway = [socket.socket(fileno=number) for number in options.gateway]
    try:
        return asyncio.run(work(sock, options.config, gateway, debug=options.debug))
    except Exception as error:  # noqa: BLE001 - its text may quote somebody
        log.error("the worker ended: %s", describe(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
