"""The configured models: started once, asked in order, the next when one fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Final

import msgspec

from ..backend import Backend, Chunk, ModelInfo, Request
from ..errors import (
    BackendError,
    BackendUnavailable,
    ContextOverflow,
    GenerationFailed,
    ModelNotFound,
    Overloaded,
)
from ..privacy import describe
from .guard import GRACE, ends_us
from .seats import Seats

log = logging.getLogger(__name__)

RESTART_PAUSE: Final = 30.0
"""Seconds before a backend that could not start is tried again."""

Told = Callable[[str, str], None]
"""Takes what happened ("degraded", "recovered") and the model's reference."""


class ModelRef(msgspec.Struct, frozen=True):
    """``provider/model`` as the configuration writes it."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> ModelRef:
        """Split at the first slash; a model's id may hold more of them."""
        provider, _, model = text.partition("/")
        return cls(provider, model)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class _Served(msgspec.Struct):
    """A backend with what we know of its start."""

    backend: Backend
    starting: asyncio.Task[bool] | None = None
    ready: bool = False
    failed_at: float = float("-inf")
    error: BackendError | None = None


class ModelChain:
    """Implements :class:`clawdcore.Models` over the backends of the configuration.

    ``refs`` is the primary model, then the fallbacks. ``request_timeout`` is in
    seconds and bounds one attempt at one model, from asking to its last token.
    """

    def __init__(
        self,
        refs: Sequence[ModelRef],
        backends: Mapping[str, Backend],
        *,
        seats: Seats,
        request_timeout: float,
        told: Told,
        clock: Callable[[], float],
    ) -> None:
        self.refs = tuple(refs)
        self._served = {name: _Served(backend) for name, backend in backends.items()}
        self._seats = seats
        self._timeout = request_timeout
        self._told = told
        self._clock = clock
        self._degraded = False

    @property
    def exclusive(self) -> bool:
        """Whether a backend can't run twice on this machine at once."""
        return any(served.backend.exclusive for served in self._served.values())

    async def start(self) -> dict[str, BackendError]:
        """Start every backend at once; returns the errors of those that can't."""
        async with asyncio.TaskGroup() as tasks:
            for served in self._served.values():
                tasks.create_task(self._started(served))
        return {name: s.error for name, s in self._served.items() if s.error is not None}

    async def close(self) -> None:
        """Close every backend; an error of one doesn't keep the others open."""
        for name, served in self._served.items():
            if served.starting is not None:
                served.starting.cancel()
                await asyncio.wait({served.starting}, timeout=GRACE)
            try:
                await served.backend.close()
            except BaseException as error:
                if ends_us(error):
                    raise
                log.warning("backend %s did not close: %s", name, describe(error))

    async def _started(self, served: _Served) -> bool:
        """Whether the backend is ready; starts it in a task that no request's end stops."""
        if served.ready:
            return True
        if served.starting is None:
            if self._clock() - served.failed_at < RESTART_PAUSE:
                return False
            served.starting = asyncio.create_task(self._start(served))
        return await asyncio.shield(served.starting)

    async def _start(self, served: _Served) -> bool:
        try:
            await served.backend.start()
        except BackendError as error:
            served.error = error
        except BaseException as error:
            if ends_us(error):
                raise
            served.error = BackendUnavailable(f"it failed to start ({type(error).__name__}).")
        else:
            served.ready, served.error = True, None
            return True
        finally:
            served.starting = None
        served.failed_at = self._clock()
        return False

    async def _ready(self, ref: ModelRef, served: _Served) -> None:
        if not await self._started(served):
            raise served.error or BackendUnavailable(f"{ref.provider} is not started.")

    async def info(self) -> ModelInfo:
        """As :meth:`clawdcore.Models.info`; bounded in time like a request."""
        ref = self.refs[0]
        served = self._served[ref.provider]
        try:
            async with asyncio.timeout(self._timeout):
                if not served.ready:
                    async with self._seats.lent():
                        await self._ready(ref, served)
                models = await served.backend.models()
        except TimeoutError:
            raise BackendUnavailable(f"{ref} did not say what it is within its time.") from None
        except BackendError:
            raise
        except BaseException as error:
            if ends_us(error):
                raise
            raise _foreign(ref, error, BackendUnavailable) from error
        for model in models:
            if model.id == ref.model:
                return model
        raise _no_model(ref, models)

    async def complete(self, request: Request) -> str:
        """As :meth:`clawdcore.Models.complete`."""
        async with aclosing(self._answer(request)) as chunks:
            return "".join([chunk.text async for chunk in chunks])

    def generate(self, request: Request) -> AsyncIterator[Chunk]:
        """As :meth:`clawdcore.Models.generate`."""
        return self._answer(request)

    async def _answer(self, request: Request) -> AsyncGenerator[Chunk, None]:
        refs = (ModelRef.parse(request.model),) if request.model else self.refs
        failures: list[tuple[ModelRef, BackendError]] = []
        for ref in refs:
            begun = False
            try:
                async with aclosing(self._attempt(ref, request)) as chunks:
                    async for chunk in chunks:
                        begun = begun or bool(chunk.text)
                        yield chunk
            except ContextOverflow:
                raise
            except BackendError as error:
                out_of_time = (
                    request.deadline is not None
                    and asyncio.get_running_loop().time() >= request.deadline
                )
                self._failed(ref, error, blamed=not out_of_time)
                if begun:
                    raise
                failures.append((ref, error))
                continue
            self._succeeded(ref)
            return
        raise _worst(failures)

    async def _attempt(self, ref: ModelRef, request: Request) -> AsyncGenerator[Chunk, None]:
        served = self._served.get(ref.provider)
        if served is None:
            raise ModelNotFound(
                f"no backend serves {ref}.",
                fix=f"Configured providers: {', '.join(self._served) or 'none'}.",
            )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        if request.deadline is not None:
            deadline = min(deadline, request.deadline)
        asked = msgspec.structs.replace(request, model=ref.model, deadline=deadline)
        begun = False
        async with self._seats.lent():
            try:
                async with asyncio.timeout_at(deadline):
                    await self._ready(ref, served)
                chunks = served.backend.generate(asked)
                try:
                    while True:
                        async with asyncio.timeout_at(deadline):
                            chunk = await anext(chunks, None)
                        if chunk is None:
                            return
                        begun = begun or bool(chunk.text)
                        yield chunk
                finally:
                    close = getattr(chunks, "aclose", None)
                    if close is not None:
                        await close()
            except TimeoutError:
                kind = GenerationFailed if begun else BackendUnavailable
                raise kind(f"{ref} did not finish within its time.") from None
            except (BackendError, GeneratorExit):
                raise
            except BaseException as error:
                if ends_us(error):
                    raise
                kind = GenerationFailed if begun else BackendUnavailable
                raise _foreign(ref, error, kind) from error

    def _failed(self, ref: ModelRef, error: BackendError, *, blamed: bool) -> None:
        """``blamed`` False: the caller's own time was over, which says nothing of the model."""
        log.warning("model %s: %s", ref, describe(error))  # its text may quote the request
        if not blamed or ref != self.refs[0] or isinstance(error, Overloaded):
            return
        if not self._degraded:
            self._degraded = True
            self._told("degraded", str(ref))

    def _succeeded(self, ref: ModelRef) -> None:
        if ref == self.refs[0] and self._degraded:
            self._degraded = False
            self._told("recovered", str(ref))


def _worst(failures: Sequence[tuple[ModelRef, BackendError]]) -> BackendError:
    """One error for all attempts: overloaded where any was, for its retry time."""
    for _, error in failures:
        if isinstance(error, Overloaded):
            return error
    if len(failures) == 1:
        return failures[0][1]
    listed = "; ".join(f"{ref}: {error}" for ref, error in failures)
    return BackendUnavailable(f"no configured model could answer ({listed}).")


def _foreign(ref: ModelRef, error: BaseException, kind: type[BackendError]) -> BackendError:
    """An error of ours for one that a backend must not raise; names its type only."""
    log.warning("backend %s failed: %s", ref.provider, describe(error))
    return kind(f"{ref} failed ({type(error).__name__}).")


def _no_model(ref: ModelRef, models: Sequence[ModelInfo]) -> ModelNotFound:
    return ModelNotFound(
        f"{ref.provider} has no model {ref.model!r}.",
        fix=f"It serves: {', '.join(model.id for model in models) or 'none'}.",
    )
