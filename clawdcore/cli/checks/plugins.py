"""Plugins and the backends of the configured models: installed, loading, fit for this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...backend import Audio, Backend, Chunk, ModelInfo, Request, Transcript
from ...config import Config
from ...errors import BackendUnavailable, ClawdBotError
from ...hooks.context import Context
from ...hooks.loaded import Tables
from ...hooks.loader import Loader
from ...hooks.storage import SettingsStore
from ...worker.backends import make_backends
from ...worker.memory import Memories
from ...worker.refs import ModelRef
from ...worker.schedule import Schedules
from ...worker.threads import Threads
from .finding import Finding, Status, fail, guarded, in_thread, ok


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the bot would run: the plugins' tables, and the backends or why there are none."""

    tables: Tables
    backends: Mapping[str, Backend]
    failure: ClawdBotError | None = None


class _NoModels:
    """Stands where plugins get their models: nothing is generated while checking."""

    def generate(self, request: Request) -> AsyncIterator[Chunk]:
        """Refuse."""
        raise _refused()

    async def complete(self, request: Request) -> str:
        """Refuse."""
        raise _refused()

    async def transcribe(self, audio: Audio) -> Transcript:
        """Refuse."""
        raise _refused()

    async def info(self) -> ModelInfo:
        """Refuse."""
        raise _refused()


def _refused() -> BackendUnavailable:
    return BackendUnavailable("no model is started while the doctor looks.")


class Installed:
    """Loads everything once, for all the checks that look at it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._task: asyncio.Task[Loaded] | None = None

    async def loaded(self) -> Loaded:
        """All of it, as ``clawdbot run`` would load it; nothing is started."""
        if self._task is None:
            self._task = asyncio.create_task(in_thread(lambda: load_all(self._config)))
        return await asyncio.shield(self._task)

    def give_up(self) -> None:
        """Wait no longer for what is still loading. Nothing was started, so nothing is open."""
        if self._task is not None:
            self._task.cancel()


def references(config: Config) -> list[ModelRef]:
    """The models that answer: the primary, then the fallbacks."""
    model = config.agents.defaults.model
    return [ModelRef.parse(text) for text in (model.primary, *model.fallbacks)]


def load_all(config: Config) -> Loaded:
    """Backends first, then plugins, with one loader, as the worker does."""
    loader = Loader()
    backends: Mapping[str, Backend] = {}
    failure: ClawdBotError | None = None
    try:
        backends = make_backends(config, references(config), loader)
    except ClawdBotError as error:
        failure = error

    def context(name: str, options: Any) -> Context:
        return Context(
            plugin=name,
            options=options,
            models=_NoModels(),
            storage=SettingsStore().of(name),
            memory=Memories().of(name),
            schedule=Schedules(Threads(), now=time.time).of(name),
            clock=time.monotonic,
        )

    return Loaded(loader.tables(config.plugins, context), backends, failure)


async def plugins(installed: Installed, config: Config) -> list[Finding]:
    """Whether each listed plugin is installed and loads."""
    tables = (await installed.loaded()).tables
    found = [_disabled(name, error) for name, error in tables.disabled.items()]
    names = [plugin.name for plugin in tables.plugins]
    if names:
        commands = sorted({f"/{command.name}" for command in tables.commands.values()})
        with_commands = f" with {', '.join(commands)}" if commands else ""
        found.insert(0, ok(f"{', '.join(names)} loaded{with_commands}"))
    if not any(entry.enabled for entry in config.plugins):
        found.append(ok("no plugin is listed: the bot answers /start and /help alone"))
    return found


def _disabled(name: str, error: Exception) -> Finding:
    if isinstance(error, ClawdBotError):
        return Finding.of(error)
    return fail(f"plugin {name!r} can't be used ({type(error).__name__}).", "Reinstall it.")


async def models(installed: Installed, config: Config) -> list[Finding]:
    """Whether each model has a backend, and what the backend says of this machine."""
    loaded = await installed.loaded()
    if loaded.failure is not None:
        return [Finding.of(loaded.failure)]
    found: list[Finding] = []
    for name, backend in loaded.backends.items():
        served = ", ".join(str(ref) for ref in references(config) if ref.provider == name)
        found.append(ok(f"{served} has its backend"))
        found += await guarded(partial(diagnosis, name, backend))
    return found


async def diagnosis(name: str, backend: Backend) -> list[Finding]:
    """What a backend says of this machine, if it has anything to say.

    A backend may have ``async def diagnose(self)``. Without starting anything
    it returns triples ``(status, message, fix)`` with status OK, WARN or FAIL:
    whether its model's file is here and whole, whether memory suffices.
    """
    diagnose = getattr(backend, "diagnose", None)
    if diagnose is None:
        return []
    return [
        Finding(Status(status), f"{name}: {message}", fix)
        for status, message, fix in await diagnose()
    ]
