"""A plugin that is checked, running alone, and what can be seen of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from ..errors import ClawdBotError
from ..hooks.http import HostRefused
from ..hooks.loaded import Loaded
from ..hooks.loader import installed
from ..hooks.scope import Scope
from ..privacy import describe
from ..worker.strays import home_of
from . import plugin_play as play
from .harness import Harness
from .network import NetworkRefused, network_refused

FILES: Final = Path("/proc/self/fd")
"""What this process has open, where the system says so."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The plugin to check: the name of an installed one, or ``target`` with hooks.

    ``options`` are its options, ``config`` what else ``clawdbot.json`` holds.
    """

    name: str
    target: object | None = None
    options: Mapping[str, Any] = {}
    config: Mapping[str, Any] = {}


class Unfit(ClawdBotError):
    """The plugin does not do what every plugin must."""


class NotChecked(Exception):
    """There is nothing to check; says why."""


@contextmanager
def running(subject: Subject, **given: Any) -> Iterator[Harness]:
    """A bot with the plugin alone, no service and no network.

    Raises:
        Unfit: the plugin can't be loaded.
    """
    bot = opened(subject, **given)
    try:
        yield bot
    finally:
        bot.loop.external = True  # a process that ends is waited for in a thread
        bot.close()


def opened(subject: Subject, **given: Any) -> Harness:
    """As :func:`running`, to be closed by the caller."""
    options = subject.options if "options" not in given else given.pop("options")
    config = {**subject.config, "plugins": [{"name": subject.name, "options": dict(options)}]}
    plugin = subject.name if subject.target is None else subject.target
    bot = Harness([plugin], config=config, http=play.NoServices(), **given)
    bot.loop.watchful = True  # an engine in a process of its own takes its time
    for error in bot.report.disabled.values():
        bot.close()
        raise Unfit(str(error) if isinstance(error, ClawdBotError) else describe(error))
    return bot


def loaded(bot: Harness, subject: Subject) -> Loaded:
    """The plugin in the bot."""
    return next(plugin for plugin in bot.worker.tables.plugins if plugin.name == subject.name)


def must_not_fail(bot: Harness, when: str) -> None:
    """Raise what the plugin has raised, the network's refusals left out. Raises Unfit."""
    for plugin, error in bot.failures:
        if isinstance(error, NetworkRefused | HostRefused):
            continue  # has a check of its own
        raise Unfit(
            f"it raises {type(error).__name__} {when}{place_of(bot, plugin, error)}.",
            fix="Catch it where it comes from, and answer with what the person can do.",
        )


def place_of(bot: Harness, plugin: str, error: BaseException) -> str:
    """Where the plugin's own code raised it: the innermost frame of its files."""
    targets = (each.target for each in bot.worker.tables.plugins if each.name == plugin)
    home = next(map(home_of, targets), "")
    trace, place = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if home and file.startswith(home):
            place = f", at {Path(file).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def shortened(written: str) -> str:
    """What was written, as it may be shown: the canary's name left out."""
    shown = written.replace(play.CANARY, "some text")
    return repr(shown if len(shown) <= 40 else f"{shown[:40]}…")


def readme_of(subject: Subject) -> str:
    """The README of its distribution, "" where it is not installed as one."""
    points = [] if subject.target is not None else installed().get(subject.name, [])
    if not points or points[0].dist is None:
        return ""
    return str(points[0].dist.metadata.get_payload() or "")  # type: ignore[attr-defined]


def must_leave_nothing(bot: Harness) -> None:
    """Look at the tasks of a bot that was closed. Raises Unfit where one still runs."""
    if bot.left_behind:
        raise Unfit(
            f"after the stop a task still runs: {bot.left_behind[0]}.",
            fix="Keep what you begin, and cancel it in shutdown; let CancelledError pass.",
        )


def forgotten(bot: Harness, scope: Scope) -> list[str]:
    """Forget ``scope`` in the bot; what was held, in words."""
    held = bot.loop.run_until_complete(bot.worker.control.forget(scope))
    return [each.words for each in held]


def has_canary(value: object) -> bool:
    """Whether something of what was written is in ``value``."""
    return play.CANARY.encode() in msgspec.msgpack.encode(value, enc_hook=repr)


def whole_life(subject: Subject) -> Harness:
    """Start a bot, use it a little and close it."""
    with network_refused(), running(subject) as bot:
        for _ in play.arguments(bot, subject.name):
            pass
        bot.say("hello")
        bot.say(photo=play.PNG)
    return bot


def open_now() -> dict[str, frozenset[object]]:
    """What this process has open, by what it is called."""
    process = psutil.Process()
    return {
        "threads": frozenset(threading.enumerate()),
        "open files": frozenset(_files(process)),
        "processes": frozenset(child.pid for child in process.children(recursive=True)),
    }


def _files(process: psutil.Process) -> Iterator[object]:
    if not FILES.is_dir():  # which Linux has; elsewhere they are only counted
        yield from range(process.num_fds())
        return
    for file in FILES.iterdir():
        with suppress(OSError):  # the one by which we look is gone by now
            yield file.name, str(file.readlink())


def more_open(
    before: Mapping[str, frozenset[object]], after: Mapping[str, frozenset[object]]
) -> str:
    """How much there is after that was not there before, in words; "" for nothing."""
    new = {what: len(after[what] - known) for what, known in before.items()}
    return ", ".join(f"{what}: {count}" for what, count in new.items() if count)


class Heard(logging.Handler):
    """Notes where a record came from that holds the canary."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []
        self._form = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """As :class:`logging.Handler`."""
        if play.CANARY in self._form.format(record):
            self.said.append(f"{record.filename}:{record.lineno} ({record.levelname})")
