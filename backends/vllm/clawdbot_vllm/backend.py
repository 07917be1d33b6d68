"""The backend: OpenAI-compatible servers behind the contract of :class:`clawdcore.Backend`."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from random import Random
from typing import ClassVar, Final

import msgspec

from clawdcore import (
    ApiCall,
    Audio,
    Backend,
    BackendError,
    Chunk,
    Load,
    ModelInfo,
    ModelNotFound,
    Priority,
    ProviderConfig,
    Relayed,
    Request,
    Transcript,
)

from . import catalogue, chat, discovery, loads, priority, responses, speech
from .advice import Line
from .catalogue import Listed
from .client import LONGEST_BODY, block, whole
from .diagnosis import diagnose
from .failures import AttemptFailed, broken
from .fleet import Attempts, Exchange, Fleet, not_started
from .options import VllmOptions
from .priority import Decision
from .reading import Reader
from .servers import Server, address
from .streaming import chunks

KNOWN_FOR: Final = 60.0
"""Seconds that a list of models is believed."""
JSON: Final = "application/json"

log = logging.getLogger(__name__)


class VllmBackend(Backend):
    """One or many servers that are replicas of one another. ``random`` draws lots and jitter."""

    relays: ClassVar[frozenset[str]] = frozenset({chat.PATH, responses.PATH})

    def __init__(
        self,
        provider: ProviderConfig,
        options: VllmOptions | None = None,
        *,
        random: Random | None = None,
    ) -> None:
        key = provider.api_key.get_secret_value() if provider.api_key is not None else None
        self._provider = provider
        self._options = options or VllmOptions()
        self._random = random or Random()
        self._servers = [Server(address=address(url, key)) for url in provider.base_urls]
        self._responses = provider.api == "openai-responses"
        self._fleet: Fleet | None = None
        self._starting = asyncio.Lock()
        self._models: list[ModelInfo] = []
        self._known_at = 0.0
        self._decision = Decision(False)

    async def start(self) -> None:
        """Ask the servers what they serve; one that answers is enough.

        Raises:
            BackendError: none does, or there is no model.
        """
        async with self._starting:  # who comes meanwhile finds it ready
            if self._fleet is None:
                await self._start()

    async def _start(self) -> None:
        fleet = self._fleet = Fleet(self._provider.name, self._servers, self._options, self._random)
        try:
            server, listed = await discovery.listing(fleet)
            self._know(listed)
            self._decision = await discovery.decision(
                fleet, server, is_vllm=catalogue.is_vllm(listed)
            )
        except BaseException:
            await self.close()
            raise
        fleet.start()

    async def close(self) -> None:
        fleet, self._fleet = self._fleet, None
        if fleet is not None:
            await fleet.close()

    async def diagnose(self) -> list[Line]:
        """What ``clawdbot doctor`` says of it; starts nothing."""
        return await diagnose(self._provider.name, self._servers, self._options)

    async def models(self) -> list[ModelInfo]:
        """As the servers list them, at most a minute old; longer where none answers."""
        fleet = self._running()
        if asyncio.get_running_loop().time() - self._known_at > KNOWN_FOR:
            try:
                self._know((await discovery.listing(fleet))[1])
            except BackendError as error:
                log.warning("%s: its models can't be listed anew: %s", self._provider.name, error)
        return list(self._models)

    async def load(self) -> Load:
        now = asyncio.get_running_loop().time()
        if self._fleet is not None:
            self._fleet.looked(now)
        return loads.load(self._servers, now, most=self._options.max_concurrent)

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """As :meth:`clawdcore.Backend.generate`.

        A deadline that passes after the first token ends the answer with "abort";
        before it, with :class:`~clawdcore.ServerSlow`.
        """
        fleet = self._running()
        model = request.model or self._models[0].id
        api = responses if self._responses else chat
        body = api.encode(request, model, self._most_tokens(request.max_tokens, model))
        attempts = fleet.attempts(model, request.deadline)
        while True:
            server = attempts.server()
            reader = responses.ResponsesReader() if self._responses else chat.ChatReader()
            try:
                async with (
                    fleet.exchange(
                        server,
                        model,
                        api.PATH,
                        body,
                        self._headers(JSON, request.priority),
                        streamed=True,
                        deadline=request.deadline,
                        takes=_succeeds,
                    ) as exchange,
                    aclosing(self._read(exchange, reader, request.deadline)) as answer,
                ):
                    async for chunk in answer:
                        yield chunk
                return
            except AttemptFailed as failed:
                failure = failed
            await attempts.failed(failure, begun=reader.begun)

    async def transcribe(self, audio: Audio) -> Transcript:
        fleet = self._running()
        model = audio.model or catalogue.hearing(self._options, self._models)
        if not model:
            raise ModelNotFound(
                f"{self._provider.name} has no model that takes audio.",
                fix=f"List it in models.providers.{self._provider.name}.options.audio.",
            )
        content_type, body = speech.form(audio, model, secrets.token_hex(16))
        attempts = fleet.attempts(model, audio.deadline)
        while True:
            try:
                async with fleet.exchange(
                    attempts.server(),
                    model,
                    speech.PATH,
                    body,
                    self._headers(content_type, audio.priority),
                    streamed=False,
                    deadline=audio.deadline,
                    takes=_succeeds,
                ) as exchange:
                    return await self._transcript(exchange, audio.deadline)
            except AttemptFailed as failed:
                failure = failed
            await attempts.failed(failure)

    async def relay(self, call: ApiCall) -> Relayed:
        """As :meth:`clawdcore.Backend.relay`.

        A key that the server refuses is the bot's own, and not the caller's: that is
        :class:`~clawdcore.BackendUnavailable`. Every other 4xx is handed on.
        """
        if call.path not in self.relays:
            raise ModelNotFound(
                f"{self._provider.name} does not relay {call.path}.",
                fix=f"It relays {' and '.join(sorted(self.relays))}.",
            )
        fleet = self._running()
        attempts = fleet.attempts("", call.deadline)
        while True:
            try:
                return await self._open(fleet, attempts, call)
            except AttemptFailed as failed:
                failure = failed
            await attempts.failed(failure)

    async def _open(self, fleet: Fleet, attempts: Attempts, call: ApiCall) -> Relayed:
        exchange = fleet.exchange(
            attempts.server(),
            "",
            call.path,
            call.body,
            self._headers(JSON, call.priority),
            streamed=call.stream,
            deadline=call.deadline,
            takes=_relayed,
        )
        await exchange.open()
        body = self._body(fleet, exchange, call.deadline)
        await anext(body)  # from here on closing it closes the call, read or not
        response = exchange.response
        return Relayed(response.status, response.headers.get("content-type", JSON), body)

    async def _body(
        self, fleet: Fleet, exchange: Exchange, deadline: float | None
    ) -> AsyncGenerator[bytes, None]:
        """What comes, after one empty piece that :meth:`_open` takes."""
        idle = self._options.idle_timeout
        where, response = exchange.where, exchange.response
        whole = False
        try:
            yield b""
            while data := await block(where, response, seconds=idle, deadline=deadline, begun=True):
                exchange.came()
                yield data
            whole = True
        except AttemptFailed as failed:
            fleet.blame(exchange.server, failed)
            raise failed.error from None
        finally:
            exchange.close(whole=whole)

    async def _read(
        self, exchange: Exchange, reader: Reader, deadline: float | None
    ) -> AsyncGenerator[Chunk, None]:
        server = exchange.server
        before = 0
        async with aclosing(
            chunks(
                exchange.where,
                exchange.response,
                reader,
                idle=self._options.idle_timeout,
                deadline=deadline,
                came=exchange.came,
                wait=loads.wait(server),
            )
        ) as answer:
            async for chunk in answer:
                server.tokens += reader.tokens - before
                before = reader.tokens
                yield chunk

    async def _transcript(self, exchange: Exchange, deadline: float | None) -> Transcript:
        where = exchange.where
        body = await whole(
            where,
            exchange.response,
            LONGEST_BODY,
            seconds=self._options.idle_timeout,
            deadline=deadline,
        )
        try:
            return speech.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise broken(where, "sent a transcript that can't be read", begun=False) from None

    def _know(self, listed: list[Listed]) -> None:
        models = catalogue.merged(listed, self._provider.models, self._options)
        if not models:
            raise ModelNotFound(
                f"{self._provider.name} lists no model.",
                fix=f"Load one there, or name it in models.providers.{self._provider.name}.models.",
            )
        self._models = models
        self._known_at = asyncio.get_running_loop().time()

    def _headers(self, content_type: str, urgency: Priority) -> dict[str, str]:
        return {"Content-Type": content_type, **priority.headers(self._decision, urgency)}

    def _most_tokens(self, asked: int | None, model: str) -> int | None:
        """The request's limit, else the configuration's, else the server's own."""
        told = [entry.max_output_tokens for entry in self._provider.models if entry.id == model]
        limits = [limit for limit in (asked, *told) if limit is not None]
        return min(limits) if limits else None

    def _running(self) -> Fleet:
        if self._fleet is None:
            raise not_started(self._provider.name)
        return self._fleet


def _succeeds(status: int) -> bool:
    return 200 <= status < 300


def _relayed(status: int) -> bool:
    return status < 500 and status not in (401, 403, 429)
