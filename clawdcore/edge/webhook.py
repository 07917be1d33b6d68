"""Take updates by webhook: check the secret, accept, answer 200 at once."""

from __future__ import annotations

import asyncio
import errno
import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from aiohttp import web

from ..errors import ChannelError, ChannelUnreachable, PortTaken
from .api import Api, CallError, FloodWait, Rejected
from .intake import Broken, Update, read_update

log = logging.getLogger(__name__)

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
BODY_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one update at most; Telegram's are far smaller."""
PATIENCE: Final = 10.0
"""Seconds to wait for room before Telegram is asked to come again (503)."""
LAST_CALLS: Final = 5.0
"""Seconds that calls under way get once the server closes; then they are cut off."""
REGISTRATIONS: Final = 4
"""How often Telegram is asked to call us before the start is given up."""

Accept = Callable[[Sequence[Update | Broken]], Awaitable[None]]


class WebhookServer:
    """Listens on ``host:port`` for POSTs to ``path`` that carry ``secret``.

    ``confirmed`` is told the id of each update whose call is about to get its 200.
    """

    def __init__(
        self,
        accept: Accept,
        *,
        host: str,
        port: int,
        path: str,
        secret: str,
        confirmed: Callable[[Iterable[int]], None] = lambda ids: None,
    ) -> None:
        self._accept = accept
        self._confirmed = confirmed
        self._host = host
        self._port = port
        self._secret = secret.encode()
        application = web.Application(client_max_size=BODY_LIMIT)
        application.router.add_post(path, self._post)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=LAST_CALLS)

    async def start(self) -> int:
        """Listen; returns the port. Raises :class:`PortTaken`."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                raise
            raise PortTaken(
                f"the webhook can't listen on {self._host}:{self._port} ({error.strerror}).",
                fix="Stop what uses it, or set channels.telegram.webhook.port.",
            ) from None
        port: int = self._runner.addresses[0][1]
        return port

    async def close(self) -> None:
        """Stop listening; calls under way are answered first, or end within seconds.

        When this returns no more updates are accepted; Telegram keeps them.
        """
        await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            log.warning("a webhook call without the right secret was refused")
            return web.Response(status=401)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            await self._accept([Broken(None, "larger than an update can be")])
            return web.Response()
        piece = read_update(body)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._accept([piece])
        except TimeoutError:
            return web.Response(status=503, headers={"Retry-After": "5"})
        if piece.id is not None:
            self._confirmed([piece.id])
        return web.Response()


async def register(api: Api, url: str, secret: str) -> None:
    """Have Telegram call ``url``; tried again where it can't be reached.

    Raises:
        ChannelUnreachable: Telegram did not answer.
        ChannelError: it won't call ``url``; its own reason is in the message.
    """
    for attempt in range(1, REGISTRATIONS + 1):
        try:
            await api.set_webhook(url, secret)
        except Rejected as error:
            raise ChannelError(
                f"Telegram refused the webhook ({error}).",
                fix="Set channels.telegram.webhook.url to an https address it can reach.",
            ) from None
        except CallError as error:
            if attempt == REGISTRATIONS:
                raise ChannelUnreachable(
                    f"the webhook could not be registered with Telegram ({error}).",
                    fix="Check the network and channels.telegram.apiRoot, or poll instead: "
                    "leave channels.telegram.webhook.url unset.",
                ) from None
            wait = error.seconds if isinstance(error, FloodWait) else 2.0 ** (attempt - 1)
            log.warning("the webhook is not registered yet (%s); next try in %g s", error, wait)
            await asyncio.sleep(wait)
        else:
            return
