"""Google Cloud Translation (v2, REST), through its own client ``google-cloud-translate``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from clawdcore import ClawdBotError

from ..languages import Language
from ..options import GoogleOptions
from .codes import ours, spelled
from .contract import EngineFailed, RefusedByEngine

NAME: Final = "google"
THREADS: Final = 4
"""Requests at once; its client blocks, and gives up by itself after 60 s."""
SEGMENTS: Final = 128
"""Texts of one request at most (cloud.google.com/translate/quotas)."""
LISTED: Final = 86_400.0
"""Seconds that its list of languages is believed."""


class Google:
    """The service, or another server that speaks its protocol at ``endpoint``.

    Raises:
        ClawdBotError: the client is not installed.
    """

    name: Final = NAME
    limit: Final = 5_000
    """Characters: what Google recommends for one request (same page)."""

    def __init__(
        self, options: GoogleOptions, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not _installed():
            raise ClawdBotError(
                "the translation engine google needs google-cloud-translate.",
                fix="Install it: pip install 'clawdbot-translate[google]'.",
            )
        self.where = f"Google ({options.endpoint})" if options.endpoint else "Google"
        self._options = options
        self._clock = clock
        self._client: Any = None
        self._threads = ThreadPoolExecutor(THREADS, "translate-google")
        self._free = asyncio.Semaphore(THREADS)
        self._known: frozenset[str] = frozenset()
        self._listed = float("-inf")

    async def languages(self) -> frozenset[str]:
        """As :meth:`Engine.languages`; asked once a day."""
        return ours(await self._codes())

    async def translate(self, texts: Sequence[str], source: str, target: Language) -> list[str]:
        """As :meth:`Engine.translate`."""
        known = await self._codes()
        to = spelled(target.code, known)
        if not to:
            raise RefusedByEngine(NAME, f"has no {target.name}")
        said = spelled(source, known) or None
        answers: list[str] = []
        for at in range(0, len(texts), SEGMENTS):
            some = list(texts[at : at + SEGMENTS])
            ask = partial(_translate, texts=some, source=said, target=to)
            found = await self._asked(ask)
            answers += [str(each["translatedText"]) for each in found]
        return answers

    async def close(self) -> None:
        """As :meth:`Engine.close`."""
        client, self._client = self._client, None
        self._threads.shutdown(wait=False, cancel_futures=True)
        if client is not None:
            client.close()

    async def _codes(self) -> frozenset[str]:
        now = self._clock()
        if now - self._listed > LISTED:
            found = await self._asked(lambda client: client.get_languages())
            self._known = frozenset(str(each["language"]) for each in found)
            self._listed = now
        return self._known

    async def _asked(self, call: Callable[[Any], Any]) -> Any:
        api = import_module("google.api_core.exceptions")
        auth = import_module("google.auth.exceptions")
        requests = import_module("requests.exceptions")
        try:
            async with asyncio.timeout(self._options.timeout), self._free:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self._call, call)
        except TimeoutError:
            raise EngineFailed(NAME, "took too long") from None
        except api.BadRequest as error:
            if "api key" in error.message.lower():  # a wrong one is a bad request to Google
                raise _locked_out() from None
            raise RefusedByEngine(NAME, "takes no such request") from None
        except api.GoogleAPICallError as error:
            raise EngineFailed(NAME, f"answered {error.code}") from None
        except auth.GoogleAuthError:
            raise _locked_out() from None
        except requests.RequestException as error:
            raise EngineFailed(NAME, f"can't be reached ({type(error).__name__})") from None
        except OSError as error:
            raise EngineFailed(
                NAME,
                f"has credentials that can't be read ({type(error).__name__})",
                fix="Let google.credentials name the service account's file.",
            ) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise EngineFailed(NAME, "answers something that is no translation") from None

    def _call(self, call: Callable[[Any], Any]) -> Any:
        if self._client is None:
            self._client = self._connected()
        return call(self._client)

    def _connected(self) -> Any:
        options = {"api_endpoint": self._options.endpoint} if self._options.endpoint else None
        key = self._options.api_key.get_secret_value()
        credentials: Any = None  # those that the environment has
        if key:
            credentials = import_module("google.auth.api_key").Credentials(key)
        elif self._options.credentials:
            account = import_module("google.oauth2.service_account").Credentials
            credentials = account.from_service_account_file(self._options.credentials)
        client = import_module("google.cloud.translate_v2").Client
        return client(credentials=credentials, client_options=options)


def _locked_out() -> EngineFailed:
    return EngineFailed(NAME, "does not let us in", fix="Set google.apiKey or google.credentials.")


def _translate(client: Any, *, texts: list[str], source: str | None, target: str) -> Any:
    return client.translate(texts, target_language=target, source_language=source, format_="text")


def _installed() -> bool:
    try:
        return find_spec("google.cloud.translate_v2") is not None
    except ModuleNotFoundError:
        return False
