"""Receive updates by the configured road: long polling, or a webhook."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence

from ..config import TelegramConfig
from .api import Api, CallError
from .intake import Broken, Update
from .polling import Poller
from .recovery import WEBHOOK_GRACE, Recovery

log = logging.getLogger(__name__)

Accept = Callable[[Sequence[Update | Broken]], Awaitable[None]]


class Receiver:
    """One road at a time.

    ``accept`` makes updates durable; ``confirmed`` is told which ones Telegram no
    longer holds, ``listens`` how it listens, and ``tell`` what the owner should know.
    """

    def __init__(
        self,
        config: TelegramConfig,
        api: Api,
        *,
        accept: Accept,
        confirmed: Callable[[Iterable[int]], None],
        recovery: Recovery,
        listens: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._config = config
        self._api = api
        self._accept = accept
        self._confirmed = confirmed
        self._recovery = recovery
        self._listens = listens
        self._tell = tell
        self._poller: Poller | None = None

    async def run(self) -> None:
        """Until cancelled.

        Raises:
            clawdcore.errors.ChannelError: Telegram can't be used.
        """
        # What Telegram surely no longer holds needs no waiting for what it does.
        await self._recovery.end(self._recovery.rows, drained=False)
        if self._config.webhook.url is not None:
            await self._webhook(self._config.webhook.url)
        else:
            await self._poll()

    async def confirm(self) -> None:
        """Tell Telegram what was accepted, so that a later start doesn't get it again."""
        if self._poller is not None:
            await self._poller.confirm()

    async def _poll(self) -> None:
        try:
            await self._api.delete_webhook()
        except CallError as error:
            log.warning("an old webhook may still be set: %s", type(error).__name__)
        self._poller = Poller(
            self._api,
            self._accept,
            confirmed=self._confirmed,
            answered=self._answered,
            tell=self._tell,
            poll_seconds=self._config.poll_timeout // 1000,
        )
        self._listens("polling")
        await self._poller.run()

    async def _answered(self, ids: Sequence[int]) -> None:
        if len(self._recovery):
            gone = self._recovery.gone(ids)
            await self._recovery.end(gone, drained=True)

    async def _webhook(self, url: str) -> None:
        from .webhook import WebhookServer, register  # aiohttp's server costs 5 MB

        hook = self._config.webhook
        secret = hook.secret.get_secret_value() if hook.secret else secrets.token_urlsafe(32)
        server = WebhookServer(
            self._accept,
            confirmed=self._confirmed,
            host=hook.host,
            port=hook.port,
            path=hook.path,
            secret=secret,
        )
        port = await server.start()
        try:
            await register(self._api, url, secret)
            self._listens(f"webhook on {hook.host}:{port}")
            await asyncio.sleep(WEBHOOK_GRACE)
            await self._recovery.end(self._recovery.rows, drained=True)
            await asyncio.Event().wait()  # until cancelled, so that closing isn't cut short
        finally:
            await server.close()
