"""The edge: updates in, replies out, and the books between them.

It gives the worker at most :data:`IN_FLIGHT` updates at a time, and then stops
asking. The worker's "done" makes room for another; the update is settled once
its replies are out too.
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
"""Updates that the worker has and is not done with."""
WAITING: Final = 5000
"""Replies waiting to be sent beyond which "done" alone makes no more room."""
DRAIN_LIMIT: Final = 60.0
"""Seconds to settle what was accepted before :meth:`Edge.run` returns all the same.

Whoever stops the process must allow more: systemd waits 90 s (TimeoutStopSec),
but ``docker stop`` 10 s unless told otherwise (stop_grace_period).
"""
REMEMBERED: Final = 20_000
"""Ids of settled updates by which repeated ones are recognised."""
FETCHES: Final = 4
"""Files downloaded at once."""


class _Open(msgspec.Struct):
    """An update under way. ``room`` is whether it still counts as in flight."""

    room: bool = True
    outcome: Outcome | None = None
    sending: int = 0


class Edge:
    """One bot's connection to Telegram, and one worker's to it."""

    def __init__(
        self,
        config: TelegramConfig,
        port: Port[ToWorker, ToEdge],
        api: Api,
        *,
        drain_limit: float = DRAIN_LIMIT,
    ) -> None:
        self._config = config
        self._port = port
        self._api = api
        self._drain_limit = drain_limit
        self.books = Books()
        self._arriving: dict[int, asyncio.Event] = {}
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
        """Serve until :meth:`stop`; then what was accepted is settled within the drain limit.

        Raises:
            clawdcore.errors.ChannelError: Telegram can't be used at all; what was
                accepted before is settled first.
        """
        await self._port.send(Hello(bot))
        try:
            async with asyncio.TaskGroup() as tasks:
                work = tasks.create_task(self._work())
                receiving = tasks.create_task(self._receive())
                stop = tasks.create_task(self._stopping.wait())
                await asyncio.wait({work, receiving, stop}, return_when="FIRST_COMPLETED")
                stop.cancel()
                receiving.cancel()
                # Only once it has ended can nothing more be accepted.
                await asyncio.wait({receiving})
                quiet = tasks.create_task(self.quiet())
                await asyncio.wait(
                    {work, quiet}, timeout=self._drain_limit, return_when="FIRST_COMPLETED"
                )
                if self.books.open:
                    log.warning("stopping with %d updates still open", self.books.open)
                quiet.cancel()
                work.cancel()
                failure = None if receiving.cancelled() else receiving.result()
            if self._poller is not None:
                await self._poller.confirm()
            if failure is not None:
                raise failure
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

    async def _receive(self) -> Exception | None:
        """Receive until cancelled; returns what ended it before that.

        Returned, not raised, so that it doesn't end the work on what has come.
        """
        try:
            if self._config.webhook.url is not None:
                await self._webhook(self._config.webhook.url)
            else:
                await self._poll()
        except Closed:
            log.debug("the worker has gone")
        except Exception as error:  # noqa: BLE001 - raised once the work is settled
            return error
        return None

    async def _poll(self) -> None:
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
        from .webhook import WebhookServer, register  # aiohttp's server costs 5 MB

        hook = self._config.webhook
        secret = hook.secret.get_secret_value() if hook.secret else secrets.token_urlsafe(32)
        server = WebhookServer(
            self.accept, host=hook.host, port=hook.port, path=hook.path, secret=secret
        )
        port = await server.start()
        try:
            await register(self._api, url, secret)
            self._listens(f"webhook on {hook.host}:{port}")
            await asyncio.Event().wait()  # until cancelled, so that closing isn't cut short
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
            return
        while (first_try := self._arriving.get(piece.id)) is not None:
            await first_try.wait()
        if piece.id in self._open or piece.id in self._settled:
            self.books.repeated += 1
            return
        tried = self._arriving[piece.id] = asyncio.Event()
        try:
            await self._room.acquire()
            await self._hand_over(piece)
        finally:
            del self._arriving[piece.id]
            tried.set()

    async def _hand_over(self, piece: Update) -> None:
        """Give the worker an update for which there is room, and count it."""
        self._open[piece.id] = _Open()
        self._quiet.clear()
        self.books.accepted += 1
        try:
            await self._port.send(Deliver(piece.id, piece.body))
        except BaseException:
            # Not taken: whoever brought it will bring it again.
            self.books.accepted -= 1
            self._room.release()
            self._drop(piece.id)
            raise

    def _drop(self, update: int) -> None:
        del self._open[update]
        if not self._open:
            self._quiet.set()

    async def _work(self) -> None:
        """Do what the worker says, until it is gone and its replies are out."""
        async with asyncio.TaskGroup() as tasks:
            await self._records(tasks)
            # Nothing that comes now would be worked on.
            self.stop()

    async def _records(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            try:
                record = await self._port.receive()
            except Closed:
                return
            match record:
                case Started():
                    continue  # tells a broker that outlives workers that an attempt counts
                case Draft():
                    self._delivery.show(record, tasks)
                case Send():
                    if record.id in self._open:
                        self._open[record.id].sending += 1
                    self._delivery.put(record, tasks)
                case Done():
                    self._done(record)
                case Fetch():
                    tasks.create_task(self._fetch(record))
                case Commands():
                    tasks.create_task(self._set_commands(record))

    async def _finished(self, send: Send, receipt: Receipt) -> None:
        self.books.deliver(receipt.error)
        if send.id in self._open:
            self._open[send.id].sending -= 1
            self._settle(send.id)
        try:
            await self._port.send(Delivered(receipt))
        except Closed:
            log.debug("a receipt came after the worker had gone")

    def _done(self, record: Done) -> None:
        held = self._open.get(record.id)
        if held is None:
            return
        held.outcome = record.outcome
        if self._delivery.waiting < WAITING:
            self._make_room(held)
        self._settle(record.id)

    def _make_room(self, held: _Open) -> None:
        if held.room:
            held.room = False
            self._room.release()

    def _settle(self, update: int) -> None:
        """Close an update once the worker is done and all its replies are out."""
        held = self._open[update]
        if held.outcome is None or held.sending:
            return
        self._drop(update)
        self.books.settle(held.outcome)
        self._make_room(held)
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
