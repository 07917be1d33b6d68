"""Asks the server, one connection a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

import httpx
import msgspec
from clawdcore import (
    Backend,
    BackendError,
    BackendUnavailable,
    BadAnswer,
    Chunk,
    GenerationFailed,
    Load,
    ModelInfo,
    Overloaded,
    ProviderConfig,
    Request,
    ServerSlow,
    StreamCut,
    TooLate,
)

from . import wire
from .options import Options

CONTEXT = 4096
"""Tokens that are taken for granted where neither the owner nor the server says more."""
LONGEST_REFUSAL = 1 << 16
"""Bytes of an error that are read."""


class HttpBackend(Backend):
    """One server. It admits ``capacity`` requests, and queues none."""

    def __init__(self, provider: ProviderConfig, options: Options) -> None:
        self._provider = provider
        self._options = options
        self._client: httpx.AsyncClient | None = None
        self._models: list[ModelInfo] = []
        self._running = 0
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Ask what the server has.

        Raises:
            BackendError: it can't be reached, refuses the key, or has no model.
        """
        async with self._starting:
            if self._client is None:
                await self._connect()

    async def _connect(self) -> None:
        self._client = httpx.AsyncClient(
            base_url=str(self._provider.base_urls[0]).rstrip("/") + "/",
            headers=self._headers(),
            timeout=httpx.Timeout(self._options.silence, connect=10),
            # This backend counts by itself, and a refusal is better than a hidden queue.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
            trust_env=False,
        )
        try:
            self._models = await self._listed(self._client)
        except BaseException:
            await self.close()
            raise

    def _headers(self) -> dict[str, str]:
        key = self._provider.api_key
        own = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
        more = {name: value.get_secret_value() for name, value in self._options.headers.items()}
        return {**own, **more}

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def models(self) -> list[ModelInfo]:
        return list(self._models)

    async def load(self) -> Load:
        return Load(running=self._running, waiting=0, capacity=self._options.capacity)

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        with self._seat():
            began = False
            try:
                async with aclosing(self._answer(request)) as chunks:
                    while (chunk := await within(request.deadline, chunks, began)) is not None:
                        began = True
                        yield chunk
            except (httpx.HTTPError, ValueError) as error:
                raise self._broken(error, began) from None
            except BadAnswer as error:
                if not began:
                    raise
                raise GenerationFailed(error.what, fix=error.fix) from None

    async def _answer(self, request: Request) -> AsyncGenerator[Chunk, None]:
        client = self._connected()
        model = request.model or self._models[0].id
        asked = self._options.extra_body | wire.body(request, model, self._options.max_tokens)
        answer, events = wire.Answer(), wire.Events()
        async with client.stream("POST", "chat/completions", json=asked) as response:
            if response.status_code != 200:
                raise await _refused(response, model)
            async for data in response.aiter_bytes():
                for event in events.feed(data):
                    if event == wire.DONE:
                        break
                    if text := answer.take(event):
                        yield Chunk(text)
        if not answer.whole:
            raise httpx.RemoteProtocolError("the answer has no end")
        yield answer.end()

    async def _listed(self, client: httpx.AsyncClient) -> list[ModelInfo]:
        try:
            async with client.stream("GET", "models") as response:
                if response.status_code != 200:
                    raise await _refused(response, "list")
                listing = msgspec.json.decode(await response.aread(), type=wire.Listing)
        except httpx.HTTPError as error:
            raise self._broken(error, began=False) from None
        except msgspec.MsgspecError:
            raise BadAnswer("the server's list of models can't be read.") from None
        return self._chosen({model.id: model.max_model_len for model in listing.data})

    def _chosen(self, found: dict[str, int | None]) -> list[ModelInfo]:
        """The configured models, the default first; all that the server has where none is."""
        told = {model.id: model for model in self._provider.models}
        models = []
        for name in told or found:
            own = told.get(name)
            context = (own and own.context_length) or found.get(name) or CONTEXT
            most = (own and own.max_output_tokens) or self._options.max_tokens
            models.append(
                ModelInfo(
                    id=name,
                    context_length=context,
                    max_output_tokens=min(most, context),
                    tools=self._options.tools,
                )
            )
        if not models:
            raise BackendUnavailable("the server has no model.", fix="Load one there.")
        return models

    @contextmanager
    def _seat(self) -> Iterator[None]:
        if self._running >= self._options.capacity:
            raise Overloaded(
                f"{self._provider.name} answers {self._running} requests already.",
                retry_after=1.0,
                fix="Ask again later, or raise the option capacity.",
            )
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            raise BackendUnavailable(f"{self._provider.name} is not started.")
        return self._client

    def _broken(self, error: Exception, began: bool) -> BackendError:
        told = type(error).__name__  # its text may hold an address with a password
        if began:
            return StreamCut(f"{self._provider.name} broke off its answer ({told}).")
        if isinstance(error, httpx.ReadTimeout):
            return ServerSlow(
                f"{self._provider.name} said nothing for {self._options.silence:g} s.",
                fix="Look at its load, or raise the option silence.",
            )
        return BackendUnavailable(
            f"{self._provider.name} can't be asked ({told}).",
            fix=f"Check that the server runs, and models.providers.{self._provider.name}.baseUrl.",
        )


async def within(deadline: float | None, chunks: AsyncIterator[Chunk], began: bool) -> Chunk | None:
    """The next chunk, None after the last; ``deadline`` is by the loop's clock."""
    try:
        async with asyncio.timeout_at(deadline):
            return await anext(chunks, None)
    except TimeoutError:
        if began:
            raise GenerationFailed("the answer was not done before its deadline.") from None
        raise TooLate("no answer began before the deadline.", retry_after=5.0) from None


async def _refused(response: httpx.Response, model: str) -> Exception:
    """The error that the response stands for; reads no more of it than it needs."""
    content = b""
    async for data in response.aiter_bytes():
        content += data
        if len(content) > LONGEST_REFUSAL:
            break
    wait = response.headers.get("retry-after", "")
    return wire.refusal(response.status_code, content, wait, model)
