"""What every plugin must do, as checks that each say what is wrong, where, and the fix.

``clawdbot plugins check`` and :class:`~.plugin_conformance.PluginConformance` run them.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Final

from ..errors import BackendUnavailable, Overloaded
from ..hooks.foreign import guarded
from ..hooks.http import HostRefused
from ..hooks.scope import Scope
from . import plugin_play as play
from .backend import FakeBackend
from .network import NetworkRefused, network_refused
from .plugin_subject import (
    Heard,
    NotChecked,
    Subject,
    Unfit,
    forgotten,
    has_canary,
    loaded,
    more_open,
    must_leave_nothing,
    must_not_fail,
    open_now,
    opened,
    place_of,
    readme_of,
    running,
    shortened,
    whole_life,
)
from .writing import ADA

GONE: Final = 5.0
"""Seconds for which threads and processes may still end after the stop."""
UNKNOWN: Final = "anOptionThatNoPluginHas"


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
    readme = readme_of(subject)
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
            must_not_fail(bot, f"when {shortened(written)} is written")
            done = len(bot.sent) + len(bot.edits) + len(bot.deleted) + len(bot.telegram.reactions)
            if done == before:
                raise Unfit(
                    f"nothing is answered when {shortened(written)} is written.",
                    fix="Answer with how the command is used.",
                )
            before = done


def messages(subject: Subject) -> None:
    """Every kind of message passes, and nothing is raised."""
    with network_refused(), running(subject) as bot:
        for kind in play.messages(bot):
            must_not_fail(bot, f"over {kind}")


def models(subject: Subject) -> None:
    """A model that is gone or full is no reason to raise anything of its own."""
    backend = FakeBackend()
    with network_refused(), running(subject, backend=backend) as bot:
        for error in (BackendUnavailable("it is gone."), Overloaded("it is full.", retry_after=5)):
            backend.enqueue(*[error] * 20)
            for text in ("hello", *(f"/{n} hello" for n in play.commands(bot, subject.name))):
                bot.say(text)
                must_not_fail(bot, f"when the model fails ({type(error).__name__})")


def network(subject: Subject) -> None:
    """It reaches the hosts that it declares, through ``context.http``, and nothing else."""
    with network_refused(), running(subject) as bot:
        for _ in play.everything(bot, subject.name):
            for plugin, error in bot.failures:
                where = place_of(bot, plugin, error)
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
    must_leave_nothing(bot)


def logs(subject: Subject) -> None:
    """What people write is in no line of the log, at no level."""
    heard = Heard()
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
            forgotten(bot, scope)
        again = [held for scope in scopes for held in forgotten(bot, scope)]
        context = loaded(bot, subject).context
        assert context is not None
        memory = context.memory
        kept = [key for key in memory.keys() if has_canary(memory.get(key))]  # noqa: SIM118
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
    whole_life(subject)  # the first time, libraries are imported that keep something open
    before = open_now()
    bot = whole_life(subject)
    must_leave_nothing(bot)
    deadline = time.monotonic() + GONE
    while (more := more_open(before, open_now())) and time.monotonic() < deadline:
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
