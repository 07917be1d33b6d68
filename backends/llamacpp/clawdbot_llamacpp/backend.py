"""The backend: a local model behind the contract of :class:`clawdcore.Backend`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from threading import Event
from typing import ClassVar, Final

from clawdcore import (
    Backend,
    BackendUnavailable,
    Chunk,
    Load,
    ModelFileMissing,
    ModelInfo,
    ModelNotFound,
    Request,
)

from . import hub
from .cache import models_folder
from .catalogue import CATALOGUE, Model, find
from .diagnosis import Line, diagnose
from .fetch import fetch
from .generation import Generation, NotReached
from .launch import Engine, Settings, launch
from .machine import Machine, plan
from .options import LlamaCppOptions
from .rates import Rates
from .seats import Seats
from .supervisor import Supervisor
from .wire import encode

TRIES: Final = 3
"""Engines that one request is offered to, as long as none has seen it."""

log = logging.getLogger(__name__)


class LlamaCppBackend(Backend):
    """llama.cpp in a child process, started again when it dies.

    ``model_id`` is what requests call the model; by default the catalogue's id,
    or the file's name without ``.gguf``.
    """

    exclusive: ClassVar[bool] = True

    def __init__(self, options: LlamaCppOptions | None = None, *, model_id: str = "") -> None:
        self._options = options or LlamaCppOptions()
        self._model_id = model_id or _name(self._options.model)
        self._lock = asyncio.Lock()
        self._starting: asyncio.Task[None] | None = None
        self._rates = Rates()
        self._generations: set[Generation] = set()
        self._supervisor: Supervisor[Engine] | None = None
        self._seats: Seats | None = None
        self._context = self._options.context

    @property
    def engine(self) -> Engine | None:
        """The engine that runs now, if one does."""
        return self._supervisor.engine if self._supervisor else None

    async def start(self) -> None:
        """Fetch the model if it is not here, and load it.

        Raises:
            ModelNotFound: the catalogue has no such model.
            ModelFileMissing: its file is not here and can't be downloaded.
            BackendUnavailable: llama.cpp can't load it.
        """
        async with self._lock:
            if self._supervisor is not None:
                return
            starting = self._starting = asyncio.create_task(self._start())
            try:
                await starting
            except asyncio.CancelledError:
                current = asyncio.current_task()
                if current is not None and current.cancelling():
                    raise
                raise BackendUnavailable("llama.cpp was stopped while it started.") from None
            finally:
                self._starting = None

    async def diagnose(self) -> list[Line]:
        """What ``clawdbot doctor`` says of it; starts nothing."""
        return await asyncio.to_thread(diagnose, self._options, Machine.here())

    async def close(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        async with self._lock:
            supervisor, self._supervisor = self._supervisor, None
            if self._seats is not None:
                self._seats.close()
            if supervisor is not None:
                await supervisor.close()

    async def _start(self) -> None:
        settings = self._settings(await self._locate())
        supervisor = Supervisor(lambda: launch(settings))
        await supervisor.start()
        try:
            engine = await supervisor.ready(None)
            self._context = await engine.context()
        except BaseException:
            await supervisor.close()
            raise
        self._supervisor = supervisor
        self._seats = Seats(
            settings.slots,
            self._options.queue,
            rates=self._rates,
            clock=asyncio.get_running_loop().time,
        )

    async def models(self) -> list[ModelInfo]:
        return [
            ModelInfo(
                id=self._model_id,
                context_length=self._context,
                max_output_tokens=min(self._options.max_tokens, self._context),
            )
        ]

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        if request.model not in ("", self._model_id):
            raise ModelNotFound(
                f"llamacpp serves {self._model_id}, not {request.model}.",
                fix=f'Set models.providers.llamacpp.options.model to "{request.model}".',
            )
        supervisor, seats = self._supervisor, self._seats
        if supervisor is None or seats is None:
            raise BackendUnavailable("llama.cpp is not started.")
        async with seats.taken(request.priority, request.deadline):
            engine = await supervisor.ready(request.deadline)
            for _ in range(TRIES):
                try:
                    async with aclosing(self._answer(engine, request)) as chunks:
                        async for chunk in chunks:
                            yield chunk
                    return
                except NotReached:
                    engine = await supervisor.ready(request.deadline, lost=engine)
        raise BackendUnavailable("llama.cpp dies as soon as it is started.", fix="Ask again later.")

    async def _answer(self, engine: Engine, request: Request) -> AsyncGenerator[Chunk, None]:
        loop = asyncio.get_running_loop()
        most = self._options.max_tokens
        generation = Generation(
            engine,
            encode(request, min(request.max_tokens or most, most)),
            deadline=request.deadline,
            generated=lambda tokens: self._rates.generated(loop.time(), tokens),
        )
        began = loop.time()
        self._generations.add(generation)
        try:
            async with aclosing(generation.chunks()) as chunks:
                async for chunk in chunks:
                    if chunk.finish is not None:
                        self._rates.finished(loop.time() - began)
                    yield chunk
        finally:
            self._generations.discard(generation)

    async def load(self) -> Load:
        if self._seats is None:
            return Load(running=0, waiting=0, capacity=self._options.slots or 1)
        filled = sum(generation.tokens for generation in self._generations)
        return Load(
            running=self._seats.running,
            waiting=self._seats.waiting,
            capacity=self._seats.slots,
            cache_use=min(1.0, filled / (self._seats.slots * self._context)),
            tokens_per_second=self._rates.tokens_per_second(asyncio.get_running_loop().time()),
        )

    async def _locate(self) -> Path:
        """The model's file, downloaded if need be."""
        if _is_path(self._options.model):
            return await asyncio.to_thread(_own_file, self._options.model)
        model = find(self._options.model)
        _suggest(model, Machine.here())
        return await _fetched(model, models_folder(self._options.cache_dir))

    def _settings(self, path: Path) -> Settings:
        chosen = plan(self._options, Machine.here(), path.stat().st_size)
        return Settings(
            model=str(path),
            name=self._model_id,
            slots=chosen.slots,
            context=self._options.context,
            threads=chosen.threads,
            batch=self._options.batch,
            repack=chosen.repack,
            gpu_layers=self._options.gpu_layers,
        )


async def _fetched(model: Model, folder: Path) -> Path:
    """Fetch in a thread; a cancellation stops the download, which is continued another time."""
    stop = Event()
    job = asyncio.ensure_future(
        asyncio.to_thread(fetch, model, folder, hub_url=hub.endpoint(), stop=stop)
    )
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([job])
        raise


def _own_file(model: str) -> Path:
    path = Path(model).expanduser()
    if not path.is_file():
        raise ModelFileMissing(
            f"There is no model file {path}.",
            fix="Correct llamacpp's option model, or name a model of the catalogue: "
            f"{', '.join(CATALOGUE)}.",
        )
    return path


def _is_path(model: str) -> bool:
    return model.endswith(".gguf") or "/" in model


def _name(model: str) -> str:
    return Path(model).stem if _is_path(model) else model


def _suggest(model: Model, machine: Machine) -> None:
    smaller = min(CATALOGUE.values(), key=lambda other: other.needs)
    if machine.memory is not None and machine.memory < model.needs and smaller.id != model.id:
        log.warning(
            "%.1f GB of memory are available; %s is better off with %.0f GB. "
            'Setting models.providers.llamacpp.options.model to "%s" needs less.',
            *(machine.memory / 1e9, model.id, model.needs / 1e9, smaller.id),
        )
