"""The configured models: started once, asked in order, the next when one fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final, TypeVar

import msgspec

from ..admission.gate import Seat
from ..admission.ladder import Rung
from ..backend import Audio, Chunk, ModelInfo, Request, Transcript
from ..errors import (
    BackendError,
    BackendUnavailable,
    ContextOverflow,
    GenerationFailed,
    ModelNotFound,
    Overloaded,
    RequestRefused,
    TooLate,
)
from ..privacy import describe
from .flights import Flights
from .guard import ends_us
from .metering import claim, metered
from .origin import ORIGIN, Origin
from .refs import ModelRef
from .seats import Seats
from .servers import Server, Servers
from .transcribing import transcribed

log = logging.getLogger(__name__)

SHORT: Final = 256
"""Tokens of an answer while answers are short."""

Asked = TypeVar("Asked", Request, Audio)
Told = Callable[[str, str], None]
"""Takes what happened ("degraded", "recovered") and the model's reference."""


class ModelChain:
    """Implements :class:`clawdcore.Models` over the backends of the configuration.

    ``refs`` is the primary model, then the fallbacks. ``request_timeout`` is in
    seconds and bounds one attempt at one model, from its turn to its last token;
    ``total_timeout`` the wait for the turn as well, where nobody gave a deadline.
    """

    def __init__(
        self,
        refs: Sequence[ModelRef],
        servers: Servers,
        *,
        seats: Seats,
        request_timeout: float,
        total_timeout: float,
        told: Told,
    ) -> None:
        self.refs = tuple(refs)
        self.servers = servers
        self.degraded = False
        self._seats = seats
        self._timeout = request_timeout
        self._total = total_timeout
        self._told = told
        self._flights = Flights()

    @property
    def exclusive(self) -> bool:
        """Whether a backend can't run twice on this machine at once."""
        return any(server.backend.exclusive for server in self.servers)

    async def close(self) -> None:
        """Give up what is under way, and close every backend."""
        await self._flights.close()
        await self.servers.close()

    async def info(self) -> ModelInfo:
        """As :meth:`clawdcore.Models.info`; bounded in time like a request."""
        ref = self.refs[0]
        server = self._server(ref)
        try:
            async with asyncio.timeout(self._timeout):
                if not server.ready:
                    async with self._seats.lent():
                        await server.must_start()
                models = await server.backend.models()
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

    async def transcribe(self, audio: Audio) -> Transcript:
        """As :meth:`clawdcore.Models.transcribe`."""
        ref, origin = ModelRef.parse(audio.model), ORIGIN.get()
        audio = self._claimed(audio, origin)
        until = _first(audio.deadline, _now() + self._timeout)
        asked = msgspec.structs.replace(audio, model=ref.model)
        try:
            async with self._seats.lent():
                return await transcribed(self._server(ref), asked, origin, deadline=until)
        except TimeoutError:
            raise BackendUnavailable(f"{ref} did not finish within its time.") from None
        except BackendError:
            raise
        except BaseException as error:
            if ends_us(error):
                raise
            raise _foreign(ref, error, BackendUnavailable) from error

    async def _answer(self, request: Request) -> AsyncGenerator[Chunk, None]:
        origin = ORIGIN.get()
        request = self._claimed(request, origin)
        async with self._seats.lent():
            if not request.shared:
                waits = origin.waits if origin is not None else []
                chunks, joined = self._chain(request, origin, waits), False
            else:
                chunks, joined = self._shared(request, origin)
            try:
                async with aclosing(chunks):
                    async for chunk in chunks:
                        yield chunk
                return
            except TooLate:
                # It was another's deadline that was over; ours may not be.
                if not joined or _now() >= (request.deadline or 0.0):
                    raise
            async with aclosing(self._chain(request, origin, [])) as chunks:
                async for chunk in chunks:
                    yield chunk

    def _claimed(self, request: Asked, origin: Origin | None) -> Asked:
        """The request with the class, the keys and the deadline of the message behind it.

        A plugin may ask for a lower class than its message has, never a higher one.
        """
        latest = _now() + self._total
        if origin is None:
            return msgspec.structs.replace(request, deadline=_first(request.deadline, latest))
        ask = origin.ask
        return msgspec.structs.replace(
            request,
            priority=max(request.priority, ask.priority),
            key=ask.chat,
            sender=ask.sender,
            deadline=_first(request.deadline, _first(ask.deadline, latest)),
        )

    def _shared(
        self, request: Request, origin: Origin | None
    ) -> tuple[AsyncGenerator[Chunk, None], bool]:
        """The generation of who asked the same first, and whether that was somebody else."""
        key = self._flights.key(request, request.priority, self.servers.rung)
        joined = key in self._flights
        chunks, waits = self._flights.join(key, partial(self._chain, request, origin))
        if joined:
            self._server(self.refs[0]).gate.joined += 1
        if origin is not None:
            origin.waits = waits
            origin.shared = True
        return chunks, joined

    async def _chain(
        self, request: Request, origin: Origin | None, waits: list[Seat]
    ) -> AsyncGenerator[Chunk, None]:
        refs = (ModelRef.parse(request.model),) if request.model else self.refs
        failures: list[tuple[ModelRef, BackendError]] = []
        for ref in refs:
            begun = False
            try:
                async with aclosing(self._attempt(ref, request, origin, waits)) as chunks:
                    async for chunk in chunks:
                        begun = begun or bool(chunk.text)
                        yield chunk
            except (ContextOverflow, RequestRefused):
                raise
            except BackendError as error:
                out_of_time = request.deadline is not None and _now() >= request.deadline
                self._failed(ref, error, blamed=not out_of_time)
                if begun:
                    raise
                failures.append((ref, error))
                continue
            self._succeeded(ref)
            return
        raise _worst(failures)

    def _server(self, ref: ModelRef) -> Server:
        server = self.servers.get(ref.provider)
        if server is None:
            raise ModelNotFound(
                f"no backend serves {ref}.",
                fix=f"Configured providers: {', '.join(self.servers.names) or 'none'}.",
            )
        return server

    async def _attempt(
        self, ref: ModelRef, request: Request, origin: Origin | None, waits: list[Seat]
    ) -> AsyncGenerator[Chunk, None]:
        server = self._server(ref)
        asked = msgspec.structs.replace(request, model=ref.model)
        if asked.elastic and self.servers.rung >= Rung.SHORT_ANSWERS:
            asked = msgspec.structs.replace(asked, max_tokens=min(asked.max_tokens or SHORT, SHORT))
        begun = False
        try:
            async with asyncio.timeout_at(_first(request.deadline, _now() + self._timeout)):
                await server.must_start()
            seat = server.gate.seat(claim(asked, later=origin is not None and origin.seated))
            waits.append(seat)
            self.servers.watch()
            async with seat:
                if origin is not None:
                    origin.seated = True
                deadline = _first(request.deadline, _now() + self._timeout)
                asked = msgspec.structs.replace(asked, deadline=deadline)
                async with aclosing(metered(server, asked, seat)) as chunks:
                    while True:
                        async with asyncio.timeout_at(deadline):
                            chunk = await anext(chunks, None)
                        if chunk is None:
                            return
                        begun = begun or bool(chunk.text)
                        if chunk.finish == "length" and asked.max_tokens != request.max_tokens:
                            _shortened(origin)
                        yield chunk
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
        if isinstance(error, Overloaded):
            return  # in a flood it is nothing to write of; the books count it
        log.warning("model %s: %s", ref, describe(error))  # its text may quote the request
        if not blamed or ref != self.refs[0]:
            return
        if not self.degraded:
            self.degraded = True
            self._told("degraded", str(ref))

    def _succeeded(self, ref: ModelRef) -> None:
        if ref == self.refs[0] and self.degraded:
            self.degraded = False
            self._told("recovered", str(ref))


def _shortened(origin: Origin | None) -> None:
    if origin is not None:
        origin.shortened = True


def _now() -> float:
    return asyncio.get_running_loop().time()


def _first(one: float | None, other: float) -> float:
    """The earlier of two times."""
    return other if one is None else min(one, other)


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
