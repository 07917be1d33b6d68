"""Run the bot: the edge in this process and the worker in one of its own, until a signal."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from ..broker import Bot, Ready, memory_broker
from ..config import Config, find, load
from ..edge.app import Edge
from ..edge.child import spawn
from ..edge.ledger import LEDGER_FILE
from ..edge.supervisor import Supervisor
from ..edge.telegram import TelegramApi
from ..edge.workers import OneWorker, Workers
from ..errors import ClawdBotError, PortTaken, TokenMissing, WorkerFailed
from ..gateway.listening import listen
from ..hooks.loader import Loader
from ..hooks.storage import SETTINGS_FILE, SettingsStore
from ..privacy import describe_failure, describe_uncaught, set_up_logging
from ..process import harden
from ..scratch import Scratch, private_tmp
from .status import STATUS_FILE, Status
from .trial import broken
from .watching import EVERY, Watch, stamp


def serve(path: Path | None, *, debug: bool = False, single: bool = False) -> None:
    """Load the configuration at ``path`` and run the bot it describes.

    Raises:
        ClawdBotError: whatever keeps the bot from starting, or ended it.
    """
    harden()
    set_up_logging(debug=debug)
    describe_uncaught()
    config = load(path)
    set_up_logging(debug=debug, secrets=config.secrets())
    for line in (*config.notes, *config.inert_keys_set()):
        say(f"note: {line}")
    _check(config)
    scratch = private_tmp()
    scratch.use()
    if scratch.warning:
        say(f"note: {scratch.warning}")
    try:
        asyncio.run(Running(config, path, scratch, debug=debug).run(single=single))
    finally:
        scratch.close()


def _check(config: Config) -> None:
    """What can be known to be missing before anything is started, all of it at once.

    Raises:
        TokenMissing, PluginError: one thing is missing.
        ExceptionGroup: several are.
    """
    problems: list[ClawdBotError] = []
    if config.channels.telegram.bot_token is None:
        problems.append(
            TokenMissing(
                "no bot token was given.",
                fix="Set TELEGRAM_BOT_TOKEN to what @BotFather gave you, or run: clawdbot init",
            )
        )
    try:
        Loader().require(entry.name for entry in config.plugins if entry.enabled)
    except ClawdBotError as error:
        problems.append(error)
    if len(problems) > 1:
        raise ExceptionGroup("the bot can't start", problems)
    for problem in problems:
        raise problem


def say(line: str) -> None:
    """One line about the bot itself, for whoever started it.

    That nobody reads any more (a closed pipe) must not keep the bot from stopping.
    """
    with suppress(OSError):
        click.echo(f"clawdbot: {line}", err=True)


class Running:
    """One run of the bot, from its start to its end."""

    def __init__(self, config: Config, path: Path | None, scratch: Scratch, *, debug: bool) -> None:
        self._config = config
        self._path = path
        self._scratch = scratch
        self._debug = debug
        self._edge: Edge | None = None
        self._gateway: list[socket.socket] = []
        self._asked = False
        self._reloading: asyncio.Task[None] | None = None

    async def run(self, *, single: bool) -> None:
        """Until a signal: the first one drains; a second, or one during the start, cancels.

        Raises:
            ClawdBotError: whatever keeps the bot from starting, or ended it.
        """
        running = asyncio.current_task()
        assert running is not None
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(describe_failure)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, running)
        loop.add_signal_handler(signal.SIGHUP, self._no_reload)
        try:
            await self._connected(single=single)
        except asyncio.CancelledError:
            if not self._asked:
                raise
            say("stopped before everything was done" if self._edge else "stopped while starting")

    def _signalled(self, running: asyncio.Task[None]) -> None:
        if self._edge is None or self._asked:
            self._asked = True
            running.cancel()
            return
        self._asked = True
        say("stopping: no new messages; those under way are answered first")
        self._edge.stop()

    def _no_reload(self) -> None:
        say("nothing to reload: one process runs everything, or it has not started yet")

    async def _connected(self, *, single: bool) -> None:
        telegram = self._config.channels.telegram
        assert telegram.bot_token is not None  # checked before anything was started
        api = TelegramApi(telegram.bot_token.get_secret_value(), telegram.api_root)
        try:
            bot = await api.open()
            self._gateway = _listen(self._config)
            if single:
                await self._in_one_process(api, bot)
            else:
                await self._in_two(api, bot)
        finally:
            for listener in self._gateway:
                listener.close()
            await api.close()

    async def _in_two(self, api: TelegramApi, bot: Bot) -> None:
        arguments = [f"--config={self._path}"] if self._path is not None else []
        if self._debug:
            arguments.append("--debug")
        supervisor = Supervisor(
            lambda: spawn(arguments, self._scratch, self._gateway),
            ready=_say_notes,
            memory=_memory_limit(self._config.agents.defaults.worker.memory_mb),
        )
        status = Status(self._config.state_path(bot.id) / STATUS_FILE)
        watch = Watch(lambda: stamp(self._path or find()))
        loop = asyncio.get_running_loop()

        async def reload() -> None:
            watch.taken()
            # Before the old worker is touched: it may have to end for the new one to begin.
            failure, note = await asyncio.to_thread(self._usable)
            if not failure:
                failure = await self._newly_broken(supervisor.disabled)
            if not failure:
                failure = (await supervisor.swap()).failure
            say(f"not reloaded: {failure}" if failure else f"reloaded{note}")
            status.reloaded(failure)
            if failure and self._edge is not None:
                self._edge.tell("not reloaded")

        def asked() -> None:
            if self._reloading is None or self._reloading.done():
                self._reloading = loop.create_task(reload())

        async def watching() -> None:
            while True:
                await asyncio.sleep(EVERY)
                busy = self._reloading is not None and not self._reloading.done()
                if not busy and watch.edited():
                    asked()

        looking: list[asyncio.Task[None]] = []

        def started() -> None:
            status.started()
            looking.append(loop.create_task(watching()))

        loop.add_signal_handler(signal.SIGHUP, asked)
        try:
            await self._serve(api, bot, supervisor, started=started)
        finally:
            for task in (*looking, self._reloading):
                if task is not None:
                    task.cancel()
            status.ended()

    async def _newly_broken(self, before: frozenset[str]) -> str:
        """Why plugins that work, or were not there, would not load now, or ""."""
        try:
            reasons = await broken(self._path)
        except (ClawdBotError, OSError) as error:
            return str(error)
        return " ".join(reason for name, reason in reasons.items() if name not in before)

    def _usable(self) -> tuple[str, str]:
        """Why no worker could start with the configuration as it is now, or ""; and a note."""
        try:
            config = load(self._path)
            Loader().require(entry.name for entry in config.plugins if entry.enabled)
        except ClawdBotError as error:
            return str(error), ""
        if config.channels != self._config.channels:
            return "", "; changes of channels take effect with the next start"
        return "", ""

    async def _in_one_process(self, api: TelegramApi, bot: Bot) -> None:
        from ..worker.app import Worker
        from ..worker.report import ready
        from ..worker.serving import callers

        edge_port, worker_port = memory_broker()
        store = SettingsStore(self._config.state_path(bot.id) / SETTINGS_FILE)
        folder = self._config.state_path(bot.id)
        keys, note = callers(self._config.gateway, folder) if self._gateway else ([], "")
        worker = Worker(self._config, worker_port, store=store, gateway=self._gateway, keys=keys)
        try:
            report = await worker.start()
            answer = ready(report, bot, exclusive=False, note=note)
            if answer.failure:
                raise WorkerFailed(answer.failure)
            _say_notes(answer)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(worker.run())
                await self._serve(api, bot, OneWorker(edge_port))
        finally:
            await worker.close()

    async def _serve(
        self,
        api: TelegramApi,
        bot: Bot,
        workers: Workers,
        *,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        ledger = self._config.state_path(bot.id) / LEDGER_FILE
        edge = Edge(self._config.channels.telegram, workers, api, ledger=ledger)

        async def ready() -> None:
            say(f"ready: @{bot.username}, {await asyncio.shield(edge.listening)}")
            started()
            edge.tell("started")

        async with asyncio.TaskGroup() as tasks:
            saying = tasks.create_task(ready())
            self._edge = edge
            try:
                await edge.run(bot)
            finally:
                saying.cancel()
        say(f"stopped: {edge.books.summary()}")


def _listen(config: Config) -> list[socket.socket]:
    """The gateway's sockets, none where there is to be no gateway.

    Raises:
        PortTaken: the configuration names the port, and it is in use.
    """
    gateway = config.gateway
    if not gateway.enabled:
        return []
    try:
        return listen(gateway.host, gateway.port)
    except PortTaken as error:
        if any(place[:2] == ("gateway", "port") for place in config.provenance.sources):
            raise
        say(f"note: no gateway: {error}")
        return []


def _say_notes(answer: Ready) -> None:
    for note in answer.notes:
        say(note)


def _memory_limit(megabytes: int) -> int:
    """The worker's limit in bytes; where none is configured half of the machine's memory."""
    if megabytes:
        return megabytes * 2**20
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (ValueError, OSError):
        return 0
