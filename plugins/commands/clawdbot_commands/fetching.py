"""JSON from a web service: bounded in time, bytes and tries; what goes wrong has a name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, NoReturn

import httpx

from clawdcore import HostRefused, __version__

from .caching import Cache, keep, renew, seconds_between, whole_seconds

Trouble = Literal["down", "slow", "busy", "refused", "wrong"]
PAUSES: Final = (0.5, 1.5)
"""Seconds before the second and the third try, where the service names no others."""
LONGEST_REST: Final = 3600.0
"""Seconds; a service that wants to be left alone for longer is asked again all the same."""
MOST_RESTS: Final = 64
"""Hosts that are left alone at a time; there are three, and Wikipedia's languages."""


class ServiceFailed(Exception):
    """A service gave nothing that can be used."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


class NotThere(Exception):
    """The service answered 404, or that it does not know what it was asked for (400, 422)."""


class _Again(Exception):
    """Another try may help, after ``pause`` seconds where the service named some."""

    def __init__(self, trouble: Trouble, pause: float | None = None) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble
        self.pause = pause


def agent(contact: str) -> str:
    """The User-Agent, in the form that Wikimedia's policy asks for.

    https://www.mediawiki.org/wiki/Wikimedia_APIs/Access_policy (Client identification)
    """
    about = f"Telegram bot; {contact}" if contact else "Telegram bot"
    return f"ClawdBot/{__version__} ({about}) httpx/{httpx.__version__}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of ``Retry-After`` (RFC 9110, 10.2.3), given as such or as a date; None for none."""
    text = headers.get("retry-after", "")
    seconds = whole_seconds(text)
    if seconds is None:
        seconds = seconds_between(text, headers.get("date", ""))
    return None if seconds is None else min(LONGEST_REST, max(0.0, seconds))


class Fetcher:
    """Asks all three services through ``client``, with a cache in memory.

    ``client`` gives the HTTP client, which is not closed here. ``seconds`` bound one look-up
    with all its tries and pauses, ``most`` the bytes of its answer, ``entries`` and
    ``memory`` (bytes) what is kept. ``contact`` is how the services reach the operator. A
    service that names a time to come back is left alone until then.
    """

    def __init__(
        self,
        client: Callable[[], httpx.AsyncClient],
        *,
        seconds: float,
        most: int,
        entries: int,
        memory: int,
        clock: Callable[[], float],
        contact: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._headers = {"User-Agent": agent(contact), "Accept": "application/json"}
        self._seconds, self._most, self._clock, self._sleep = seconds, most, clock, sleep
        self._cache = Cache(entries, memory)
        self._rests: dict[str, tuple[float, Trouble]] = {}

    async def json(
        self, url: str, params: dict[str, str] | None = None, language: str = "en"
    ) -> dict[str, Any]:
        """The JSON object at ``url``, in ``language`` where the service has several.

        Raises:
            ServiceFailed: down, slow, busy (429), refused (401, 403), or an answer that is none.
            NotThere: the service does not have it.
        """
        try:
            asked = httpx.URL(url, params=params or {})
            async with asyncio.timeout(self._seconds):
                return await self._tries(asked, language, self._clock() + self._seconds)
        except (TimeoutError, httpx.TimeoutException):
            raise ServiceFailed("slow") from None
        except (httpx.TooManyRedirects, httpx.DecodingError, HostRefused):
            raise ServiceFailed("wrong") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ServiceFailed("down") from None

    async def _tries(self, url: httpx.URL, language: str, end: float) -> dict[str, Any]:
        pauses = iter(PAUSES)
        while True:
            try:
                return await self._try(url, language)
            except _Again as again:
                usual = next(pauses, None)
                pause = usual if again.pause is None else again.pause
                if usual is None or pause is None or self._clock() + pause >= end:
                    raise ServiceFailed(again.trouble) from None
            await self._sleep(pause)

    async def _try(self, url: httpx.URL, language: str) -> dict[str, Any]:
        key = f"{language} {url}"
        kept = self._cache.get(key)
        if kept is not None and self._clock() < kept.until:
            return _object(kept.value)
        until, trouble = self._rests.get(url.host, (0.0, "busy"))
        if until > self._clock():
            raise _Again(trouble, until - self._clock())
        conditions = kept.conditions if kept is not None else {}
        headers = {**self._headers, **conditions, "Accept-Language": language}
        stream = self._client().stream("GET", url, headers=headers, timeout=self._seconds)
        try:
            async with stream as response:
                if response.status_code == 304 and kept is not None:
                    self._cache.put(key, renew(kept, response.headers, self._clock()))
                    return _object(kept.value)
                self._check(response, url.host)
                body = await self._read(response)
                value = _object(_parsed(body))
                size = len(body) + len(key)
                self._cache.put(key, keep(value, response.headers, self._clock(), size))
                return value
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
            raise _Again("down") from None

    def _check(self, response: httpx.Response, host: str) -> None:
        status = response.status_code
        if status in (429, 503):
            trouble: Trouble = "busy" if status == 429 else "down"
            pause = retry_after(response.headers)
            if pause is not None:
                self._rest(host, self._clock() + pause, trouble)
            elif status == 429:
                # Who is told to slow down, and not until when, does not try again.
                raise ServiceFailed("busy")
            raise _Again(trouble, pause)
        if status in (400, 404, 422):
            raise NotThere
        if status >= 500:
            raise _Again("down")
        if status != 200:
            raise ServiceFailed("refused" if status in (401, 403) else "wrong")

    def _rest(self, host: str, until: float, trouble: Trouble) -> None:
        self._rests.pop(host, None)
        while len(self._rests) >= MOST_RESTS:
            del self._rests[next(iter(self._rests))]
        self._rests[host] = (until, trouble)

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > self._most:
                raise ServiceFailed("wrong")
        return bytes(body)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ServiceFailed("wrong") from None


def _no_number(name: str) -> NoReturn:
    """NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(name)


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ServiceFailed("wrong")
    return value
