"""The edge: updates in, replies out, and the books between them.

It keeps every update's bytes in memory until the worker says what became of
it, and holds at most :data:`IN_FLIGHT` of them: then it stops asking.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Final

import msgspec

from ..broker import (
    Bot,
    Closed,
    Commands,
    Deliver,
    Delivered,
    Done,
    Draft,
    Fetch,
    Fetched,
    Hello,
    Outcome,
    Port,
    Send,
    Started,
    ToEdge,
    ToWorker,
)
from ..config import TelegramConfig
from ..errors import FileUnavailable
from ..messages import Receipt
from .api import Api, CallError
from .books import Books
from .delivery import Delivery
from .intake import Broken, Update
from .polling import Poller

log = logging.getLogger(__name__)

IN_FLIGHT: Final = 1000
"""Updates accepted and not yet settled."""
REMEMBERED: Final = 20_000
"""Ids of settled updates by which repeated ones are recognised."""
FETCHES: Final = 4
"""Files downloaded at once."""


class _Open(msgspec.Struct):
    """An update under way."""

    body: bytes
    started: bool = False
    outcome: Outcome | None = None
    sending: int = 0


class Edge:
    """One bot's connection to Telegram, and one worker's to it."""

    def __init__(self, config: TelegramConfig, port: Port[ToWorker, ToEdge], api: Api) -> None:
        self._config = config
        self._port = port
        self._api = api
        self.books = Books()
        self._open: dict[int, _Open] = {}
        self._settled: dict[int, None] = {}
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._fetching = asyncio.Semaphore(FETCHES)
        self._delivery = Delivery(
            api,
            self._finished,
            limit=config.text_chunk_limit,
            drafts=config.streaming != "off",
        )
        self._poller: Poller | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._stopping = asyncio.Event()
        self.listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def run(self, bot: Bot) -> None:
        """Serve until :meth:`stop`; then everything that was accepted is settled.

        Raises:
            clawdcore.errors.ChannelError: Telegram can't be used at all.
        """
        await self._port.send(Hello(bot))
        try:
            async with asyncio.TaskGroup() as tasks:
                records = tasks.create_task(self._records(tasks))
                receiving = tasks.create_task(self._receive())
                stop = tasks.create_task(self._stopping.wait())
                await asyncio.wait({records, receiving, stop}, return_when="FIRST_COMPLETED")
                receiving.cancel()
                stop.cancel()
                if not records.done():
                    await self.quiet()
                    records.cancel()
                if self._poller is not None:
                    await self._poller.confirm()
        finally:
            self._port.close()
            self.listening.cancel()

    async def quiet(self) -> None:
        """Until every update that was accepted so far is settled."""
        await self._quiet.wait()
        await self._delivery.flushed()

    def stop(self) -> None:
        """Take no more updates, finish what is under way, then return from :meth:`run`."""
        self._stopping.set()

    async def _receive(self) -> None:
        if self._config.webhook.url is not None:
            await self._webhook(self._config.webhook.url)
            return
        try:
            await self._api.delete_webhook()
        except CallError as error:
            log.warning("an old webhook may still be set: %s", type(error).__name__)
        self._poller = Poller(
            self._api, self.accept, poll_seconds=self._config.poll_timeout // 1000
        )
        self._listens("polling")
        await self._poller.run()

    async def _webhook(self, url: str) -> None:
        from .webhook import WebhookServer  # aiohttp's server costs 5 MB

        hook = self._config.webhook
        secret = hook.secret.get_secret_value() if hook.secret else secrets.token_urlsafe(32)
        server = WebhookServer(
            self.accept, host=hook.host, port=hook.port, path=hook.path, secret=secret
        )
        port = await server.start()
        try:
            await self._api.set_webhook(url, secret)
            self._listens(f"webhook on {hook.host}:{port}")
            await self._stopping.wait()
        finally:
            await server.close()

    def _listens(self, how: str) -> None:
        if not self.listening.done():
            self.listening.set_result(how)

    async def accept(self, piece: Update | Broken) -> None:
        """Take one update as it came; waits while too many are under way."""
        if isinstance(piece, Broken):
            self.books.broken += 1
            which = "without id" if piece.id is None else piece.id
            log.warning("update %s skipped: %s (%d so far)", which, piece.reason, self.books.broken)
        elif piece.id in self._open or piece.id in self._settled:
            self.books.repeated += 1
        else:
            self._open[piece.id] = _Open(piece.body)
            self._quiet.clear()
            try:
                await self._room.acquire()
                try:
                    await self._port.send(Deliver(piece.id, piece.body))
                except BaseException:
                    self._room.release()
                    raise
            except BaseException:
                # Not taken: whoever brought it will bring it again.
                self._drop(piece.id)
                raise
            self.books.accepted += 1

    def _drop(self, update: int) -> None:
        del self._open[update]
        if not self._open:
            self._quiet.set()

    async def _records(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            try:
                record = await self._port.receive()
            except Closed:
                return
            match record:
                case Started():
                    if record.id in self._open:
                        self._open[record.id].started = True
                case Draft():
                    self._delivery.show(record, tasks)
                case Send():
                    if record.id in self._open:
                        self._open[record.id].sending += 1
                    self._delivery.put(record, tasks)
                case Done():
                    if record.id in self._open:
                        self._open[record.id].outcome = record.outcome
                        self._settle(record.id)
                case Fetch():
                    tasks.create_task(self._fetch(record))
                case Commands():
                    tasks.create_task(self._set_commands(record))

    async def _finished(self, send: Send, receipt: Receipt) -> None:
        if receipt.error:
            self.books.undelivered += 1
        else:
            self.books.sent += 1
        if send.id in self._open:
            self._open[send.id].sending -= 1
            self._settle(send.id)
        try:
            await self._port.send(Delivered(receipt))
        except Closed:
            log.debug("a receipt came after the worker had gone")

    def _settle(self, update: int) -> None:
        """Close an update once the worker is done and all its replies are out."""
        held = self._open[update]
        if held.outcome is None or held.sending:
            return
        self._drop(update)
        self.books.settle(held.outcome)
        self._room.release()
        self._settled[update] = None
        if len(self._settled) > REMEMBERED:
            del self._settled[next(iter(self._settled))]

    async def _fetch(self, record: Fetch) -> None:
        async with self._fetching:
            try:
                answer = Fetched(record.request, await self._api.file(record.file_id))
            except FileUnavailable as error:
                answer = Fetched(record.request, error=str(error))
        try:
            await self._port.send(answer)
        except Closed:
            log.debug("a file came after the worker had gone")

    async def _set_commands(self, record: Commands) -> None:
        try:
            await self._api.set_commands(record.language, record.commands)
        except CallError as error:
            log.warning("the command menu was not set: %s", type(error).__name__)
