"""What every plugin must do, as checks that each say what is wrong, where, and the fix.

``clawdbot plugins check`` and :class:`~.plugin_conformance.PluginConformance` run them.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from ..errors import BackendUnavailable, ClawdBotError, Overloaded
from ..hooks.foreign import guarded
from ..hooks.http import HostRefused
from ..hooks.loaded import Loaded
from ..hooks.loader import installed
from ..hooks.scope import Scope
from ..privacy import describe
from ..worker.strays import home_of
from . import plugin_play as play
from .backend import FakeBackend
from .harness import Harness
from .network import NetworkRefused, network_refused
from .writing import ADA

GONE: Final = 5.0
"""Seconds for which threads and processes may still end after the stop."""
UNKNOWN: Final = "anOptionThatNoPluginHas"


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


# ---- the checks, in the order in which they run ----


def loads(subject: Subject) -> None:
    """It loads alone, its hooks fit the contract, and it starts."""
    with running(subject):
        pass


def starts_twice(subject: Subject) -> None:
    """It starts, stops and starts again in one process."""
    for _ in range(2):
        with running(subject):
            pass


def options(subject: Subject) -> None:
    """Its options have a model with defaults and descriptions, which refuses others."""
    with running(subject) as bot:
        plugin = loaded(bot, subject)
        model = guarded(plugin, "options_model") if "options_model" in plugin.hooks else None
    if model is None:
        raise NotChecked("it has no options")
    for name, field in model.model_fields.items():
        if not field.description:
            raise Unfit(
                f"the option {name!r} has no description.",
                fix='Give it one: Field(default, description="…").',
            )
    try:
        with running(subject, options={**subject.options, UNKNOWN: 1}):
            pass
    except Unfit:
        return
    raise Unfit(
        "an option that it does not have is taken without a word.",
        fix='Give the model model_config = ConfigDict(extra="forbid").',
    )


def commands(subject: Subject) -> None:
    """Each command says what it does, and the README names it."""
    with running(subject) as bot:
        names = play.commands(bot, subject.name)
        known = bot.worker.tables.commands
        for name in names:
            if not known[name].summary.strip():
                raise Unfit(f"/{name} does not say what it does.", fix="Give it a docstring.")
    if not names:
        raise NotChecked("it has no commands")
    readme = _readme(subject)
    missing = [name for name in names if not re.search(rf"/{name}\b", readme)] if readme else []
    if missing:
        raise Unfit(f"the README does not name /{missing[0]}.", fix="Describe it there.")


def arguments(subject: Subject) -> None:
    """Each command answers, whatever stands after it, and never raises."""
    with network_refused(), running(subject) as bot:
        if not play.commands(bot, subject.name):
            raise NotChecked("it has no commands")
        before = 0
        for written in play.arguments(bot, subject.name):
            _unfailed(bot, f"when {_short(written)} is written")
            done = len(bot.sent) + len(bot.edits) + len(bot.deleted) + len(bot.telegram.reactions)
            if done == before:
                raise Unfit(
                    f"nothing is answered when {_short(written)} is written.",
                    fix="Answer with how the command is used.",
                )
            before = done


def messages(subject: Subject) -> None:
    """Every kind of message passes, and nothing is raised."""
    with network_refused(), running(subject) as bot:
        for kind in play.messages(bot):
            _unfailed(bot, f"over {kind}")


def models(subject: Subject) -> None:
    """A model that is gone or full is no reason to raise anything of its own."""
    backend = FakeBackend()
    with network_refused(), running(subject, backend=backend) as bot:
        for error in (BackendUnavailable("it is gone."), Overloaded("it is full.", retry_after=5)):
            backend.enqueue(*[error] * 20)
            for text in ("hello", *(f"/{n} hello" for n in play.commands(bot, subject.name))):
                bot.say(text)
                _unfailed(bot, f"when the model fails ({type(error).__name__})")


def network(subject: Subject) -> None:
    """It reaches the hosts that it declares, through ``context.http``, and nothing else."""
    with network_refused(), running(subject) as bot:
        for _ in play.everything(bot, subject.name):
            for plugin, error in bot.failures:
                where = _place(bot, plugin, error)
                if isinstance(error, NetworkRefused):
                    raise Unfit(
                        f"it reaches the network by itself{where}.",
                        fix="Use context.http, and name the host in the hook needs.",
                    )
                if isinstance(error, HostRefused):
                    raise Unfit(
                        f"it reaches {error.host}, which it does not declare{where}.",
                        fix="Name the host in the hook needs.",
                    )


def cancellation(subject: Subject) -> None:
    """What is under way ends when the bot stops, and leaves no task behind."""
    backend = FakeBackend()
    backend.delay = 3600.0
    bot = opened(subject, backend=backend)
    for text in ("hello", *(f"/{name} hello" for name in play.commands(bot, subject.name))):
        bot.send(text)
    bot.advance(1)
    bot.close()
    _nothing_left(bot)


def logs(subject: Subject) -> None:
    """What people write is in no line of the log, at no level."""
    heard = _Heard()
    root = logging.getLogger()
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    try:
        with network_refused(), running(subject) as bot:
            for _ in play.everything(bot, subject.name):
                if heard.said:
                    raise Unfit(
                        f"what people write is logged, at {heard.said[0]}.",
                        fix="Log what happened, never a text, a name or a file.",
                    )
    finally:
        root.removeHandler(heard)
        root.setLevel(level)


def forget(subject: Subject) -> None:
    """What it holds of somebody is gone after /forget, and a second one finds nothing."""
    with network_refused(), running(subject) as bot:
        for _ in play.everything(bot, subject.name):
            pass
        scopes = [Scope(kind="user", id=each.id) for each in (ADA, play.BOB)]
        scopes += [Scope(kind="chat", id=each) for each in (ADA.id, play.BOB.id, play.GROUP.id)]
        for scope in scopes:
            _forgotten(bot, scope)
        again = [held for scope in scopes for held in _forgotten(bot, scope)]
        context = loaded(bot, subject).context
        assert context is not None
        memory = context.memory
        kept = [key for key in memory.keys() if _has_canary(memory.get(key))]  # noqa: SIM118
    if again:
        raise Unfit(
            f"after /forget it still holds something: {again[0]!r}.",
            fix="Erase it in the hook forget, and return None where nothing is held.",
        )
    if kept:
        raise Unfit(
            "after /forget its memory still holds what somebody wrote.",
            fix="Delete it in the hook forget; see docs/hooks.md.",
        )


def leaves_nothing(subject: Subject) -> None:
    """After the stop no task, thread, process or open file of it is left."""
    _whole_life(subject)  # the first time, libraries are imported that keep something open
    before = _open()
    bot = _whole_life(subject)
    _nothing_left(bot)
    deadline = time.monotonic() + GONE
    while (more := _more(before, _open())) and time.monotonic() < deadline:
        time.sleep(0.05)
    if more:
        raise Unfit(
            f"after the stop more is left than before the start ({more}).",
            fix="End in the hook shutdown what startup begins.",
        )


CHECKS: Final[tuple[Callable[[Subject], None], ...]] = (
    loads,
    options,
    commands,
    arguments,
    messages,
    models,
    network,
    cancellation,
    logs,
    forget,
    starts_twice,
    leaves_nothing,
)


# ---- what they look at ----


def _unfailed(bot: Harness, when: str) -> None:
    for plugin, error in bot.failures:
        if isinstance(error, NetworkRefused | HostRefused):
            continue  # has a check of its own
        raise Unfit(
            f"it raises {type(error).__name__} {when}{_place(bot, plugin, error)}.",
            fix="Catch it where it comes from, and answer with what the person can do.",
        )


def _place(bot: Harness, plugin: str, error: BaseException) -> str:
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


def _short(written: str) -> str:
    shown = written.replace(play.CANARY, "some text")
    return repr(shown if len(shown) <= 40 else f"{shown[:40]}…")


def _readme(subject: Subject) -> str:
    """The README of its distribution, "" where it is not installed as one."""
    points = [] if subject.target is not None else installed().get(subject.name, [])
    if not points or points[0].dist is None:
        return ""
    return str(points[0].dist.metadata.get_payload() or "")  # type: ignore[attr-defined]


def _nothing_left(bot: Harness) -> None:
    if bot.left_behind:
        raise Unfit(
            f"after the stop a task still runs: {bot.left_behind[0]}.",
            fix="Keep what you begin, and cancel it in shutdown; let CancelledError pass.",
        )


def _forgotten(bot: Harness, scope: Scope) -> list[str]:
    held = bot.loop.run_until_complete(bot.worker.control.forget(scope))
    return [each.words for each in held]


def _has_canary(value: object) -> bool:
    return play.CANARY.encode() in msgspec.msgpack.encode(value, enc_hook=repr)


def _whole_life(subject: Subject) -> Harness:
    with network_refused(), running(subject) as bot:
        for _ in play.arguments(bot, subject.name):
            pass
        bot.say("hello")
        bot.say(photo=play.PNG)
    return bot


def _open() -> dict[str, int]:
    process = psutil.Process()
    return {
        "threads": threading.active_count(),
        "open files": process.num_fds(),
        "processes": len(process.children(recursive=True)),
    }


def _more(before: dict[str, int], after: dict[str, int]) -> str:
    return ", ".join(f"{what}: {after[what]}" for what, n in before.items() if after[what] > n)


class _Heard(logging.Handler):
    """Notes where a record came from that holds the canary."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []
        self._form = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """As :class:`logging.Handler`."""
        if play.CANARY in self._form.format(record):
            self.said.append(f"{record.filename}:{record.lineno} ({record.levelname})")
