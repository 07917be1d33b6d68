"""Google Cloud Translation (v2, REST), through its own client ``google-cloud-translate``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import Any, Final

from clawdcore import ClawdBotError

from ..languages import Language
from ..options import GoogleOptions
from .batching import portions
from .codes import ours, spelled
from .contract import EngineBusy, EngineFailed, RefusedByEngine
from .listing import Listing
from .retrying import told_rest
from .troubles import locked_out, trouble

NAME: Final = "google"
IN_FLIGHT: Final = 16
"""Requests at once, each in a thread, as its client blocks; beyond, the next engine is asked."""
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
        self._client: Any = None
        self._connecting = Lock()
        self._threads = ThreadPoolExecutor(IN_FLIGHT, "translate-google")
        self._in_flight: set[Future[Any]] = set()
        self._listing = Listing(NAME, self._list, believed=LISTED, clock=clock)

    async def languages(self) -> frozenset[str]:
        """As :meth:`Engine.languages`; asked once a day."""
        return ours(await self._listing.codes())

    async def translate(self, texts: Sequence[str], source: str, target: Language) -> list[str]:
        """As :meth:`Engine.translate`."""
        known = await self._listing.codes()
        to = spelled(target.code, known)
        if not to:
            raise RefusedByEngine(NAME, f"has no {target.name}")
        said = spelled(source, known) or None
        answers: list[str] = []
        for some in portions(texts, SEGMENTS, self.limit):
            ask = partial(_translate, texts=some, source=said, target=to)
            found = await self._asked(ask)
            answers += [str(each["translatedText"]) for each in found]
        return answers

    async def close(self) -> None:
        """As :meth:`Engine.close`."""
        await self._listing.close()
        client, self._client = self._client, None
        self._threads.shutdown(wait=False, cancel_futures=True)
        if client is not None:
            client.close()

    async def _list(self) -> frozenset[str]:
        found = await self._asked(lambda client: client.get_languages())
        return frozenset(str(each["language"]) for each in found)

    async def _asked(self, call: Callable[[Any], Any]) -> Any:
        api = import_module("google.api_core.exceptions")
        auth = import_module("google.auth.exceptions")
        requests = import_module("requests.exceptions")
        try:
            async with asyncio.timeout(self._options.timeout):
                return await asyncio.wrap_future(self._submitted(call))
        except (TimeoutError, requests.Timeout):
            raise EngineFailed(NAME, "took too long") from None
        except api.BadRequest as error:
            if "api key" in error.message.lower():  # a wrong one is a bad request to Google
                raise locked_out(NAME) from None
            raise RefusedByEngine(NAME, "takes no such request") from None
        except api.GoogleAPICallError as error:
            raise _told(error) from None
        except auth.GoogleAuthError:
            raise locked_out(NAME) from None
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

    def _submitted(self, call: Callable[[Any], Any]) -> Future[Any]:
        """Start the call; one that is given up counts until its thread is free again.

        Raises:
            EngineBusy: as many are under way as may be.
        """
        self._in_flight = {each for each in self._in_flight if not each.done()}
        if len(self._in_flight) >= IN_FLIGHT:
            raise EngineBusy(NAME, "has too much to do")
        future = self._threads.submit(self._call, call)
        self._in_flight.add(future)
        return future

    def _call(self, call: Callable[[Any], Any]) -> Any:
        with self._connecting:
            client = self._client = self._client or self._connected()
        return call(client)

    def _connected(self) -> Any:
        options = {"api_endpoint": self._options.endpoint} if self._options.endpoint else None
        made = import_module("google.cloud.translate_v2").Client
        key = self._options.api_key.get_secret_value()
        if key:
            credentials = import_module("google.auth.api_key").Credentials(key)
        elif self._options.credentials:
            account = import_module("google.oauth2.service_account").Credentials
            credentials = account.from_service_account_file(
                self._options.credentials, scopes=made.SCOPE
            )
        else:  # those that the environment has
            credentials, _ = import_module("google.auth").default(scopes=made.SCOPE)
        session = import_module("google.auth.transport.requests").AuthorizedSession(credentials)
        timely = _Timely(session, self._options.timeout)
        return made(credentials=credentials, client_options=options, _http=timely)


class _Timely:
    """What the client sends its requests through: each ends within ``seconds`` of silence.

    The client has no option for that, and would wait 60 s in its thread.
    """

    def __init__(self, session: Any, seconds: float) -> None:
        self._session = session
        self._seconds = seconds

    def request(self, **given: Any) -> Any:
        """As ``requests.Session.request``."""
        return self._session.request(**{**given, "timeout": self._seconds})

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()


def _told(error: Any) -> EngineFailed:
    """Our error for one of Google's."""
    listed = [each.get("reason") for each in error.errors if isinstance(each, dict)]
    reasons = frozenset(str(each) for each in [error.reason, *listed] if each)
    headers = getattr(error.response, "headers", {})
    return trouble(NAME, int(error.code or 0), reasons, told_rest(headers, time.time()))


def _translate(client: Any, *, texts: list[str], source: str | None, target: str) -> Any:
    return client.translate(texts, target_language=target, source_language=source, format_="text")


def _installed() -> bool:
    try:
        return find_spec("google.cloud.translate_v2") is not None
    except ModuleNotFoundError:
        return False
