"""LibreTranslate, through its client ``libretranslate-aio``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import httpx
from libretranslate_aio import (
    AsyncLibreTranslate,
    BadRequestError,
    ForbiddenError,
    LibreTranslateError,
)

from ..languages import Language
from ..options import LibreTranslateOptions
from .batching import Batcher
from .codes import ours, spelled
from .contract import EngineFailed, RefusedByEngine
from .listing import Listing
from .retrying import told_rest

NAME: Final = "libretranslate"
SPARED: Final = {429: "takes no more requests for now", 503: "is overloaded or starting"}
"""Answers that may say when to come back (RFC 9110, section 10.2.3)."""
TOO_LARGE: Final = 413
LISTED: Final = 3600.0
"""Seconds that its list of languages is believed."""

OWN_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Where a server runs on this machine, so that nothing leaves it."""


class _Json(httpx.AsyncClient):
    """Sends what the client library would send as a form as JSON.

    The server takes the list form of ``q`` from JSON alone: of a form it reads the
    first text only (``translate()`` in LibreTranslate's ``app.py``). The library's errors
    know no headers, so what may say when to come back is told here.
    """

    async def request(self, method: str, url: Any, **given: Any) -> httpx.Response:
        data = given.pop("data", None)
        given.pop("files", None)  # translate_file is not used here
        response = await super().request(method, url, json=data, **given)
        what = SPARED.get(response.status_code)
        if what is not None:
            rest = told_rest(response.headers, time.time())
            raise EngineFailed(
                NAME,
                f"{what} ({response.status_code})",
                fix="Raise its --req-limit, or set libretranslate.apiKey in its options."
                if response.status_code == 429
                else "It is asked again by itself; if this lasts, see the server's own log.",
                rest=rest,
            )
        return response


class LibreTranslate:
    """One server. What is asked at the same time shares a request."""

    name: Final = NAME

    def __init__(
        self, options: LibreTranslateOptions, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = options.max_characters
        here = httpx.URL(options.url).host in OWN_HOSTS
        self.where = "" if here else f"LibreTranslate ({options.url})"
        self._options = options
        self._client: AsyncLibreTranslate | None = None
        self._http: httpx.AsyncClient | None = None
        self._batcher = Batcher(NAME, self._send, characters=self.limit)
        self._listing = Listing(NAME, self._list, believed=LISTED, clock=clock)

    async def languages(self) -> frozenset[str]:
        """As :meth:`Engine.languages`; asked once an hour."""
        return ours(await self._listing.codes())

    async def translate(self, texts: Sequence[str], source: str, target: Language) -> list[str]:
        """As :meth:`Engine.translate`."""
        known = await self._listing.codes()
        to = spelled(target.code, known)
        if not to:
            raise RefusedByEngine(NAME, f"has no {target.name}")
        return await self._batcher.translate(texts, spelled(source, known) or "auto", to)

    async def close(self) -> None:
        """As :meth:`Engine.close`."""
        await self._listing.close()
        await self._batcher.close()
        if self._http is not None:
            await self._http.aclose()
            self._http = self._client = None

    async def _list(self) -> frozenset[str]:
        found: list[Any] = await self._asked(lambda client: client.languages())
        return frozenset(language.code for language in found)

    async def _send(self, texts: list[str], source: str, target: str) -> list[str]:
        answer = await self._asked(lambda client: client.translate(texts, source, target))
        translated = answer.translated_text
        if not isinstance(translated, list) or not all(isinstance(t, str) for t in translated):
            raise EngineFailed(NAME, "answers something else than a list of texts")
        return translated

    async def _asked(self, call: Callable[[AsyncLibreTranslate], Any]) -> Any:
        """What the server answers, its troubles told as ours. No text of it is quoted."""
        try:
            async with asyncio.timeout(self._options.timeout):
                return await call(self._connected())
        except TimeoutError:
            raise EngineFailed(NAME, "took too long") from None
        except ForbiddenError:
            raise _locked_out() from None
        except BadRequestError as error:
            if "api key" in error.message.lower():  # none where one is needed is a bad request
                raise _locked_out() from None
            raise RefusedByEngine(NAME, "takes no such request") from None
        except LibreTranslateError as error:
            if error.status_code == TOO_LARGE:
                raise RefusedByEngine(NAME, "takes no request as large as this") from None
            raise EngineFailed(
                NAME,
                f"answered {error.status_code}",
                fix="Check libretranslate.url in its options, and the server's own log.",
            ) from None
        except httpx.HTTPError as error:
            raise EngineFailed(
                NAME,
                f"can't be reached ({type(error).__name__})",
                fix="Check libretranslate.url in its options.",
            ) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise EngineFailed(NAME, "answers something that is no LibreTranslate") from None

    def _connected(self) -> AsyncLibreTranslate:
        if self._client is None:
            timeout = self._options.timeout
            self._http = _Json(base_url=self._options.url.rstrip("/"), timeout=timeout)
            key = self._options.api_key.get_secret_value() or None
            self._client = AsyncLibreTranslate(
                self._options.url, api_key=key, client=self._http, timeout=timeout
            )
        return self._client


def _locked_out() -> EngineFailed:
    return EngineFailed(NAME, "does not let us in", fix="Set libretranslate.apiKey in its options.")
