"""JSON from a web service: bounded in time, bytes and tries; what goes wrong has a name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final, Literal

import httpx

from .caching import Cache, keep

Trouble = Literal["down", "slow", "busy", "wrong"]
TRIES: Final = 3
AGENT: Final = "ClawdBot/0.1 (Telegram bot)"


class ServiceFailed(Exception):
    """A service gave nothing that can be used."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


class NotThere(Exception):
    """The service answered 404, or that it does not know what it was asked for (400, 422)."""


class _Again(Exception):
    """Another try may help."""


class Fetcher:
    """One HTTP client for all three services, with a cache in memory.

    ``seconds`` bound one look-up with all its tries, ``most`` the bytes of its answer.
    """

    def __init__(
        self, *, seconds: float, most: int, entries: int, clock: Callable[[], float]
    ) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._cache = Cache(entries)
        # Redirects are followed by hand-set bound: more than three is a loop.
        self._client = httpx.AsyncClient(
            timeout=seconds,
            follow_redirects=True,
            max_redirects=3,
            headers={"User-Agent": AGENT, "Accept": "application/json"},
            limits=httpx.Limits(max_connections=20),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def json(self, url: str, params: dict[str, str] | None = None) -> Any:
        """The JSON object at ``url``.

        Raises:
            ServiceFailed: down, slow, busy (429), or an answer that is none.
            NotThere: the service does not have it.
        """
        try:
            async with asyncio.timeout(self._seconds):
                for _ in range(TRIES - 1):
                    try:
                        return await self._try(httpx.URL(url, params=params or {}))
                    except _Again:
                        continue
                return await self._try(httpx.URL(url, params=params or {}))
        except (TimeoutError, httpx.TimeoutException):
            raise ServiceFailed("slow") from None
        except httpx.TooManyRedirects:
            raise ServiceFailed("wrong") from None
        except (_Again, httpx.HTTPError, httpx.InvalidURL):
            raise ServiceFailed("down") from None

    async def _try(self, url: httpx.URL) -> Any:
        key = str(url)
        kept = self._cache.get(key)
        if kept is not None and self._clock() < kept.until:
            return kept.value
        conditions = kept.conditions if kept is not None else {}
        try:
            async with self._client.stream("GET", url, headers=conditions) as response:
                if response.status_code == 304 and kept is not None:
                    headers = {"etag": kept.etag, "last-modified": kept.modified}
                    renewed = keep(kept.value, {**headers, **response.headers}, self._clock())
                    self._cache.put(key, renewed)
                    return kept.value
                self._check(response.status_code)
                value = await self._read(response)
                self._cache.put(key, keep(value, response.headers, self._clock()))
                return value
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
            raise _Again from None

    def _check(self, status: int) -> None:
        if status == 429:
            raise ServiceFailed("busy")
        if status in (400, 404, 422):
            raise NotThere
        if status >= 500:
            raise _Again
        if status != 200:
            raise ServiceFailed("wrong")

    async def _read(self, response: httpx.Response) -> Any:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > self._most:
                raise ServiceFailed("wrong")
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise ServiceFailed("wrong") from None
        if not isinstance(value, dict):
            raise ServiceFailed("wrong")
        return value
