"""Wait for a turn: the scheduler on the event loop's clock."""

from __future__ import annotations

import asyncio

from .pace import Pace
from .schedule import Rank, Scheduler, Ticket, rank_of


class Gate:
    """Lets calls through as fast as the pace allows. Times are the event loop's."""

    def __init__(self, pace: Pace) -> None:
        self.scheduler = Scheduler(pace)
        self._waiting: dict[Ticket, asyncio.Future[bool]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._closed = False

    async def enter(self, chat_id: int, *, chore: bool = False) -> Ticket | None:
        """Wait for a turn; None if :meth:`turn_away` came first.

        Whoever gets a ticket must give it to :meth:`leave` when the call is over.
        """
        if self._closed:
            return None
        ticket = Ticket(chat_id, Rank.CHORE if chore else rank_of(chat_id))
        loop = asyncio.get_running_loop()
        waits = self._waiting[ticket] = loop.create_future()
        self.scheduler.join(ticket, loop.time())
        self._pump()
        try:
            return ticket if await waits else None
        except asyncio.CancelledError:
            if waits.done() and not waits.cancelled() and waits.result():
                self.leave(ticket)
            raise
        finally:
            self._waiting.pop(ticket, None)
            if not ticket.granted:
                self.scheduler.leave(ticket)

    def try_enter(self, chat_id: int, *, counts: bool) -> Ticket | None:
        """A ticket for what is sent only if there is room now; None if there is none."""
        now = asyncio.get_running_loop().time()
        return self.scheduler.take_spare(chat_id, now, counts=counts)

    def leave(self, ticket: Ticket) -> None:
        """The call is over; its tokens come back after their windows."""
        self.scheduler.ended(ticket, asyncio.get_running_loop().time())
        self._pump()

    def turn_away(self, chat_id: int) -> None:
        """Let all who wait to write to a chat go without a ticket."""
        for ticket, waits in self._waiting.items():
            if ticket.chat_id == chat_id and ticket.counts and not waits.done():
                waits.set_result(False)

    def pause(self, chat_id: int, seconds: float) -> None:
        """Send nothing to a chat for so long."""
        now = asyncio.get_running_loop().time()
        self.scheduler.pause(chat_id, now + seconds, now)

    def flooded(self, chat_id: int, seconds: float) -> None:
        """Telegram asks for a pause of one chat (429)."""
        self.scheduler.flooded(chat_id, seconds, asyncio.get_running_loop().time())

    def succeeded(self, chat_id: int) -> None:
        """A call in a chat went well."""
        self.scheduler.succeeded(chat_id, asyncio.get_running_loop().time())

    def quick(self, chat_id: int) -> int | None:
        """Messages that may go to a group one after the other now; None for a private chat."""
        now = asyncio.get_running_loop().time()
        group = self.scheduler.chats.of(chat_id, now).group
        return None if group is None else group.quick(now)

    def close(self) -> None:
        """Grant nothing more; who waits goes without a ticket."""
        self._closed = True
        for waits in self._waiting.values():
            if not waits.done():
                waits.set_result(False)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for ticket in self.scheduler.advance(now):
            waits = self._waiting.get(ticket)
            if waits is None or waits.done():
                self.scheduler.ended(ticket, now)
            else:
                waits.set_result(True)
        at = self.scheduler.wake_at(now)
        if at == self._timer_at and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = at
        if at < float("inf"):
            self._timer = loop.call_at(at, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._timer_at = float("inf")
        self._pump()
