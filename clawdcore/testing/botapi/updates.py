"""The queue of updates, and `getUpdates` with Telegram's own rules.

Source: core.telegram.org/bots/api#getting-updates and the public source of the
Bot API server (offsets, the repeated offset, the conflict of two polls).
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from .errors import JSON, ApiError, conflict

MAX_TIMEOUT = 50
MAX_ANSWER_BYTES = 4 * 1024 * 1024
KEPT_SECONDS = 24 * 3600.0
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
CONFLICT_POLL = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
CONFLICT_SET = "terminated by setWebhook request"
CONFLICT_HOOK = (
    "can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)


@dataclass(frozen=True, slots=True)
class PollRules:
    """What an offset asked again costs, in seconds; 0 switches a rule off.

    Within ``single_interval`` the answer holds one update; within
    ``short_interval`` a timeout under 3 s becomes 3 s. A conflict within
    ``conflict_interval`` of another one is answered that much later.
    """

    single_interval: float = 0.5
    short_interval: float = 3.0
    conflict_interval: float = 3.0

    @classmethod
    def off(cls) -> PollRules:
        """None of them, for tests about something else."""
        return cls(0, 0, 0)


@dataclass(slots=True, eq=False)
class Entry:
    """An update on its way. ``key`` is the chat (or user) it belongs to.

    ``times`` None: kept until confirmed. A number: handed out that many times,
    whatever the offset says, then gone.
    """

    id: int
    key: int
    body: bytes
    at: float
    times: int | None = None


class UpdateQueue:
    """Updates in order, at most ``most``. ``now`` gives seconds, monotonic."""

    def __init__(
        self, kinds: tuple[str, ...], now: Callable[[], float], *, first_id: int, most: int
    ) -> None:
        self._kinds = frozenset(kinds)
        self._now = now
        self._most = most
        self._next_id = first_id
        self._history: OrderedDict[int, Entry] = OrderedDict()
        self._held: list[Entry] = []
        self._hold = 0
        self._double = 0
        self.entries: OrderedDict[Entry, None] = OrderedDict()
        self.by_key: dict[int, OrderedDict[Entry, None]] = {}
        self.allowed = self._kinds - NOT_BY_DEFAULT

    def allow(self, kinds: list[str] | None) -> None:
        """What `allowed_updates` says: None changes nothing, [] is the default."""
        if kinds is not None:
            known = self._kinds.intersection(kinds)
            self.allowed = known or self._kinds - NOT_BY_DEFAULT

    def add(self, kind: str, payload: JSON, *, key: int) -> int | None:
        """Queue an update; its id, or None where the bot did not ask for the kind.

        Raises:
            OverflowError: the queue is full; nothing was queued.
        """
        if kind not in self.allowed:
            return None
        self._make_room()
        update_id = self._take_id()
        body = json.dumps({"update_id": update_id, kind: payload}, ensure_ascii=False).encode()
        entry = Entry(update_id, key, body, self._now())
        self._history[update_id] = entry
        while len(self._history) > self._most:
            self._history.popitem(last=False)
        if self._hold:
            self._held.append(entry)
            self._hold -= 1
            if not self._hold:
                for held in reversed(self._held):
                    self._push(held)
                self._held.clear()
        else:
            self._push(entry)
        if self._double:
            self._double -= 1
            self._push(Entry(update_id, key, body, self._now(), times=1))
        return update_id

    def add_raw(self, body: bytes, *, times: int) -> None:
        """Queue bytes that stand where an update should; handed out ``times`` times."""
        self._make_room()
        self._push(Entry(self._take_id(), 0, body, self._now(), times=times))

    def repeat(self, update_id: int) -> None:
        """Hand an update out once more, confirmed or not.

        Raises:
            KeyError: no such update is remembered.
        """
        old = self._history[update_id]
        self._push(Entry(old.id, old.key, old.body, self._now(), times=1))

    def double(self, count: int) -> None:
        """Each of the next ``count`` updates comes twice."""
        self._double = count

    def scramble(self, count: int) -> None:
        """Hold the next ``count`` updates until all are there, then release them reversed."""
        self._hold = count

    def clear(self) -> None:
        """Forget everything that waits."""
        self.entries.clear()
        self.by_key.clear()
        self._held.clear()
        self._hold = self._double = 0

    def take(self, offset: int, limit: int) -> list[Entry]:
        """What `getUpdates` answers: confirms below ``offset``, keeps the rest.

        A negative offset keeps the last ones only; one more than 10 past the end
        counts as none.
        """
        self.expire()
        if offset < 0:
            while len(self.entries) > -offset:
                self.remove(next(iter(self.entries)))
        known = 0 < offset <= self._next_id + 10
        while known and self.entries:
            first = next(iter(self.entries))
            if first.times is not None or first.id >= offset:
                break
            self.remove(first)
        wanted = (e for e in self.entries if not known or e.times is not None or e.id >= offset)
        taken: list[Entry] = []
        size = 0
        for entry in islice(wanted, limit):
            size += len(entry.body)
            if taken and size > MAX_ANSWER_BYTES:
                break
            taken.append(entry)
        for entry in taken:
            self.handed_out(entry)
        return taken

    def handed_out(self, entry: Entry) -> None:
        """Count one delivery of an entry that comes a limited number of times."""
        if entry.times is not None:
            entry.times -= 1
            if entry.times <= 0:
                self.remove(entry)

    def remove(self, entry: Entry) -> None:
        """Take an entry out, if it is still there."""
        if entry in self.entries:
            del self.entries[entry]
            siblings = self.by_key[entry.key]
            del siblings[entry]
            if not siblings:
                del self.by_key[entry.key]

    def expire(self) -> None:
        """Updates older than 24 hours go."""
        oldest = self._now() - KEPT_SECONDS
        while self.entries and (first := next(iter(self.entries))).at < oldest:
            self.remove(first)

    def _push(self, entry: Entry) -> None:
        self.entries[entry] = None
        self.by_key.setdefault(entry.key, OrderedDict())[entry] = None

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _make_room(self) -> None:
        self.expire()
        if len(self.entries) + len(self._held) >= self._most:
            raise OverflowError(f"{self._most} updates wait for the bot; it takes none")


class Poller:
    """Long polls on a queue: one at a time."""

    def __init__(self, queue: UpdateQueue, now: Callable[[], float], rules: PollRules) -> None:
        self._queue = queue
        self._now = now
        self._rules = rules
        self._waiting: asyncio.Future[None] | None = None
        self._last_offset: int | None = None
        self._last_start = 0.0
        self._next_conflict = -math.inf
        self.webhook_active = False

    @property
    def waiting(self) -> bool:
        """Whether a poll waits for an update now."""
        return self._waiting is not None

    def wake(self) -> None:
        """An update came."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def abort(self, why: ApiError) -> None:
        """Answer the poll that waits, if any, with an error."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(why)

    async def poll(
        self, offset: int, limit: int, seconds: int, allowed: list[str] | None
    ) -> list[Entry]:
        """One `getUpdates` call. ``seconds`` is its timeout.

        Raises:
            ApiError: 409, another poll came or a webhook is set.
        """
        try:
            return await self._poll(offset, limit, seconds, allowed)
        except ApiError:
            now = self._now()
            if now < self._next_conflict:
                await asyncio.sleep(self._rules.conflict_interval)
            else:
                self._next_conflict = now + self._rules.conflict_interval
            raise

    async def _poll(
        self, offset: int, limit: int, seconds: int, allowed: list[str] | None
    ) -> list[Entry]:
        if self.webhook_active:
            raise conflict(CONFLICT_HOOK)
        self._queue.allow(allowed)
        limit = min(max(limit, 1), 100)
        seconds = min(max(seconds, 0), MAX_TIMEOUT)
        now = self._now()
        if offset == self._last_offset:
            if seconds < 3 and now < self._last_start + self._rules.short_interval:
                seconds = 3
            if now < self._last_start + self._rules.single_interval:
                limit = 1
        self._last_offset, self._last_start = offset, now
        entries = self._queue.take(offset, limit)
        if entries or not seconds:
            return entries
        return await self._wait(max(offset, 0), limit, seconds)

    async def _wait(self, offset: int, limit: int, seconds: int) -> list[Entry]:
        self.abort(conflict(CONFLICT_POLL))
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = future
        try:
            await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return []
        finally:
            if self._waiting is future:
                self._waiting = None
        return self._queue.take(offset, limit)
