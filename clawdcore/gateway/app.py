"""The gateway's ASGI application: who may call what, and what becomes of it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from ..backend import ModelInfo
from ..errors import BackendError
from ..privacy import describe
from .chat import Chat
from .dialect import Dialect
from .exchange import JSON, Exchange, Held, Scope
from .generation import Generations
from .keys import Key, Keys
from .machine import Used
from .metrics import Counters
from .openapi import document
from .presence import Gone, Receive, Send
from .problems import GONE, Problem, problem_of
from .responses import Responses
from .rooms import Rooms
from .status import Lately, health, numbers, state

log = logging.getLogger(__name__)

PROMETHEUS: Final = b"text/plain; version=0.0.4; charset=utf-8"
MODELS: Final = "/v1/models/"
FORWARDED: Final = (b"x-forwarded-for", b"forwarded", b"via", b"x-real-ip")
"""Headers by which a proxy says that somebody else calls."""

Handler = Callable[[Exchange], Awaitable[None]]


class Gateway:
    """The application. ``timeout`` bounds a generation, in seconds.

    ``stopping`` True: a call that is cancelled is told so, and new ones are refused.
    """

    def __init__(
        self,
        rooms: Rooms,
        keys: Keys,
        *,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stopping = False
        self.used: Used | None = None
        self._rooms = rooms
        self._keys = keys
        self._clock = clock
        self._began = int(time.time())
        self._held = Held()
        self._lately = Lately()
        self._counters = Counters(rooms.vitals, lambda: rooms.ready, lambda: self.used)
        self._generations = Generations(rooms, self._counters, timeout=timeout)
        self._document = msgspec.json.encode(document())
        dialects: tuple[Dialect, ...] = (Chat(), Responses())
        self._dialects = {f"/v1/{dialect.path}": dialect for dialect in dialects}
        self._pages: Mapping[str, Handler] = {
            "/v1/models": self._models,
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
        }

    def look(self) -> None:
        """See what the queues took; called about once a second."""
        self._lately.see(self._clock(), self._rooms.vitals())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI wants it; scopes other than "http" are not served."""
        if scope["type"] != "http":
            raise RuntimeError(f"the gateway serves http, not {scope['type']}")
        began = self._clock()
        exchange = Exchange(scope, receive, send, self._held)
        dialect = self._dialects.get(scope["path"])
        self._counters.open.inc()
        try:
            await self._answer(exchange, dialect)
        except Gone:
            exchange.status = GONE
        finally:
            exchange.close()
            self._counters.open.dec()
            now = self._clock()
            self._counters.answered(self._route(scope["path"]), exchange.status, now - began)
            if dialect is not None:
                self._lately.answered(now, exchange.status, now - began)

    async def _answer(self, exchange: Exchange, dialect: Dialect | None) -> None:
        """Everything that is raised becomes an answer, or the connection's end."""
        problem: Problem
        try:
            if dialect is not None:
                await self._generate(exchange, dialect)
            else:
                await self._page(exchange)
            return
        except Gone:
            raise
        except Problem as error:
            problem = error
        except BackendError as error:
            problem = problem_of(error)
        except asyncio.CancelledError:
            if not self.stopping:
                raise
            problem = _stopping()
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            log.error("a call failed: %s", describe(error))
            problem = Problem(500, "The gateway failed; its log says where.", code="internal")
        if not exchange.status:
            await exchange.refuse(problem)
        elif dialect is not None and not exchange.over:
            await exchange.write(dialect.failed(problem))
            await exchange.finish()

    async def _generate(self, exchange: Exchange, dialect: Dialect) -> None:
        if exchange.scope["method"] != "POST":
            raise _wrong_method(b"POST")
        key = self._caller(exchange)
        given = exchange.header(b"content-type") or b""
        if given.partition(b";")[0].strip().lower() != JSON:
            raise Problem(
                415, "The body must be sent as application/json.", code="unsupported_media_type"
            )
        if self.stopping:
            raise _stopping()
        await self._generations.serve(exchange, dialect, key)

    async def _page(self, exchange: Exchange) -> None:
        path = exchange.scope["path"]
        page = self._model if path.startswith(MODELS) else self._pages.get(path)
        if page is None:
            raise Problem(404, "There is nothing here; see /openapi.json.", code="not_found")
        if exchange.scope["method"] not in ("GET", "HEAD"):
            raise _wrong_method(b"GET, HEAD")
        await page(exchange)

    def _route(self, path: str) -> str:
        if path in self._pages or path in self._dialects:
            return path
        return f"{MODELS}{{model}}" if path.startswith(MODELS) else "other"

    def _caller(self, exchange: Exchange) -> Key:
        """Whose call it is.

        Raises:
            Problem: 401, or 421 for a page in a browser that calls us by a name of its own.
        """
        key = self._keys.find(exchange.header(b"authorization"))
        if key is None:
            raise Problem(
                401,
                "The token is missing or wrong. Send it as Authorization: Bearer TOKEN.",
                code="invalid_api_key",
                headers=((b"www-authenticate", b"Bearer"),),
            )
        if not self._keys.required and not _is_local_name(exchange.header(b"host") or b""):
            raise Problem(
                421,
                "Without a token only localhost and addresses are answered. "
                "Set gateway.auth.token to use a name.",
                code="misdirected",
            )
        return key

    def _reader(self, exchange: Exchange) -> None:
        """Numbers are for callers, and for programs on this machine without a token.

        Raises:
            Problem: 401 or 421, as :meth:`_caller`.
        """
        if not _is_direct_and_local(exchange):
            self._caller(exchange)

    async def _models(self, exchange: Exchange) -> None:
        self._caller(exchange)
        listed = [self._entry(*each) for each in await self._rooms.models()]
        await _json(exchange, {"object": "list", "data": listed})

    async def _model(self, exchange: Exchange) -> None:
        self._caller(exchange)
        asked = exchange.scope["path"].removeprefix(MODELS)
        for provider, model in await self._rooms.models():
            if asked in (f"{provider}/{model.id}", model.id):
                await _json(exchange, self._entry(provider, model))
                return
        raise Problem(
            404,
            "No such model is served; GET /v1/models lists them.",
            code="model_not_found",
            param="model",
        )

    def _entry(self, provider: str, model: ModelInfo) -> dict[str, Any]:
        return {
            "id": f"{provider}/{model.id}",
            "object": "model",
            "created": self._began,
            "owned_by": provider,
            "context_length": model.context_length,
            "max_output_tokens": model.max_output_tokens,
            "images": model.images,
            "tools": model.tools,
            "audio": model.audio,
        }

    async def _health(self, exchange: Exchange) -> None:
        vitals = self._rooms.vitals()
        now = state(vitals)
        told: dict[str, Any] = {"status": now}
        # Anybody may probe; what is wrong is told to those who may know.
        with suppress(Problem):
            self._reader(exchange)
            told |= health(vitals, ready=self._rooms.ready)
        await _json(exchange, told, 503 if now == "down" else 200)

    async def _ready(self, exchange: Exchange) -> None:
        ready = self._rooms.ready and not self.stopping
        await _json(exchange, {"ready": ready}, 200 if ready else 503)

    async def _metrics(self, exchange: Exchange) -> None:
        self._reader(exchange)
        query = parse_qs(exchange.scope.get("query_string", b"").decode("latin-1"))
        wanted = (exchange.header(b"accept") or b"").partition(b",")[0].partition(b";")[0].strip()
        if query.get("format") == ["json"] or wanted == JSON:
            now = self._clock()
            vitals = self._rooms.vitals()
            self._lately.see(now, vitals)
            await _json(exchange, numbers(vitals, self._lately, self.used, now))
        else:
            await exchange.answer(200, self._counters.text(), PROMETHEUS)

    async def _openapi(self, exchange: Exchange) -> None:
        await exchange.answer(200, self._document)


async def _json(exchange: Exchange, fields: Mapping[str, Any], status: int = 200) -> None:
    await exchange.answer(status, msgspec.json.encode(fields))


def _wrong_method(allowed: bytes) -> Problem:
    return Problem(
        405,
        f"Only {allowed.decode()} is possible here.",
        code="method_not_allowed",
        headers=((b"allow", allowed),),
    )


def _stopping() -> Problem:
    return Problem(503, "The bot stops, or is being replaced.", code="stopping", retry_after=1.0)


def _is_direct_and_local(exchange: Exchange) -> bool:
    if any(exchange.header(name) is not None for name in FORWARDED):
        return False
    peer = exchange.scope.get("client")
    named = _is_local_name(exchange.header(b"host") or b"")
    return named and peer is not None and _is_loopback(peer[0])


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


@lru_cache(maxsize=64)
def _is_local_name(host: bytes) -> bool:
    """Whether a ``Host`` header is one that no page in a browser can have made up.

    A page may point a name of its own at 127.0.0.1 and then call us as its own
    server; it can't do so with an address, or with localhost.
    """
    name = host.decode("latin-1").strip().lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
