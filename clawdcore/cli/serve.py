"""Put edge and worker together in one process, and run them until a signal."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click

from ..broker import Bot, memory_broker
from ..config import Config, load
from ..edge.api import TelegramApi
from ..edge.app import Edge
from ..errors import ClawdBotError, ModelFileMissing, TokenMissing
from ..hooks.loader import Loader
from ..hooks.storage import SettingsStore
from ..privacy import describe, describe_failure, describe_uncaught, set_up_logging
from ..worker.app import Report, Worker

SETTINGS_FILE = "settings.db"


def serve(path: Path | None, *, debug: bool = False) -> None:
    """Load the configuration at ``path`` and run the bot it describes.

    Raises:
        ClawdBotError: whatever keeps the bot from starting, or ended it.
    """
    set_up_logging(debug=debug)
    describe_uncaught()
    config = load(path)
    set_up_logging(debug=debug, secrets=_secrets(config))
    for line in (*config.notes, *config.inert_keys_set()):
        say(f"note: {line}")
    loader = Loader()
    _check(config, loader)
    asyncio.run(_run(config, loader))


def _secrets(config: Config) -> Iterator[str]:
    telegram = config.channels.telegram
    keys = (provider.api_key for provider in config.models.providers.values())
    for secret in (telegram.bot_token, telegram.webhook.secret, *keys):
        if secret is not None:
            yield secret.get_secret_value()


def _check(config: Config, loader: Loader) -> None:
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
        loader.require(entry.name for entry in config.plugins if entry.enabled)
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


async def _run(config: Config, loader: Loader) -> None:
    running = asyncio.current_task()
    assert running is not None
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(describe_failure)
    stopper = _Stopper(running)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopper.signalled)
    try:
        await _start_and_run(config, loader, stopper)
    except asyncio.CancelledError:
        if not stopper.asked:
            raise
        say("stopped before everything was done" if stopper.edge else "stopped while starting")


class _Stopper:
    """The first signal drains; a second one, or one during the start, cancels."""

    def __init__(self, running: asyncio.Task[None]) -> None:
        self._running = running
        self.edge: Edge | None = None
        self.asked = False

    def signalled(self) -> None:
        """A signal came."""
        if self.edge is None or self.asked:
            self.asked = True
            self._running.cancel()
            return
        self.asked = True
        say("stopping: no new messages; those under way are answered first")
        self.edge.stop()


async def _start_and_run(config: Config, loader: Loader, stopper: _Stopper) -> None:
    telegram = config.channels.telegram
    assert telegram.bot_token is not None  # checked before anything was started
    api = TelegramApi(telegram.bot_token.get_secret_value(), telegram.api_root)
    edge_port, worker_port = memory_broker()
    try:
        bot = await api.open()
        store = SettingsStore(config.workspace_path / str(bot.id) / SETTINGS_FILE)
        worker = Worker(config, worker_port, loader=loader, store=store)
        try:
            report = await worker.start()
            _say_report(report, bot)
            # Modules, tables and configuration stay until the end: without the freeze each
            # full collection walks all of them, and the loop stands still meanwhile.
            gc.collect()
            gc.freeze()
            edge = stopper.edge = Edge(telegram, edge_port, api)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(edge.run(bot))
                tasks.create_task(worker.run())
                tasks.create_task(_say_ready(edge, worker, bot))
            say(f"stopped: {edge.books.summary()}")
        finally:
            await worker.close()
    finally:
        await api.close()


def _say_report(report: Report, bot: Bot) -> None:
    """What of the bot is not as configured.

    Raises:
        ModelFileMissing: no model at all can be had without the user's help.
    """
    for name, error in report.disabled.items():
        words = str(error) if isinstance(error, ClawdBotError) else describe(error)
        say(f"plugin {name} is disabled: {words}")
    for name, failure in report.models.items():
        if isinstance(failure, ModelFileMissing):
            raise failure
        say(f"degraded: {name} did not start: {failure}")
    if report.claim_code:
        say(f"to become its owner, send @{bot.username} in private: /start {report.claim_code}")


async def _say_ready(edge: Edge, worker: Worker, bot: Bot) -> None:
    say(f"ready: @{bot.username}, {await asyncio.shield(edge.listening)}")
    worker.tell_started()
