"""What the bot did, in order: lists for tests, numbered events for a front end.

Bounded: each list keeps its newest ``keep`` records.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal, TypeVar

from .errors import JSON

RecordKind = Literal["sent", "draft", "edit", "delete", "reaction", "action", "answer"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that the bot did.

    ``n`` counts all records from 1; ``at`` is seconds since the epoch.
    ``message`` is the full Message for sent, edit and delete (as it was when
    deleted). For a draft: ``draft_id``, ``text``, ``entities``; for a reaction:
    ``message_id``, ``reaction``; for an action: ``action``; for an answer (to a
    callback query): its parameters.
    """

    n: int
    kind: RecordKind
    method: str
    chat_id: int
    message: JSON
    at: float

    @property
    def text(self) -> str:
        """The text or the caption, "" where there is none."""
        text = self.message.get("text") or self.message.get("caption") or ""
        return str(text)

    def event(self) -> JSON:
        """The record as JSON for `GET /__control/events`."""
        return {
            "n": self.n,
            "kind": self.kind,
            "method": self.method,
            "chat_id": self.chat_id,
            "message": self.message,
            "at": self.at,
        }


class Journal:
    """Keeps records and wakes those who wait for a change of any state."""

    def __init__(self, clock: Callable[[], float], *, keep: int = 100_000) -> None:
        self._clock = clock
        self._keep = keep
        self._waiting: set[asyncio.Future[None]] = set()
        self.records: deque[Record] = deque(maxlen=keep)
        self.by_kind: dict[RecordKind, list[Record]] = {
            "sent": [],
            "draft": [],
            "edit": [],
            "delete": [],
            "reaction": [],
            "action": [],
            "answer": [],
        }
        self.last = 0

    def add(self, kind: RecordKind, method: str, chat_id: int, message: JSON) -> None:
        """Record something that the bot did, now."""
        self.last += 1
        record = Record(self.last, kind, method, chat_id, message, self._clock())
        self.records.append(record)
        records = self.by_kind[kind]
        records.append(record)
        if len(records) > self._keep:
            del records[: len(records) - self._keep]
        self.changed()

    def since(self, after: int) -> list[Record]:
        """The kept records whose number is above ``after``, oldest first."""
        newest_first = takewhile(lambda record: record.n > after, reversed(self.records))
        return list(newest_first)[::-1]

    def changed(self) -> None:
        """Wake every :meth:`wait` so that it looks again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self, predicate: Callable[[], T], seconds: float) -> T:
        """Until ``predicate()`` is true; returns what it gave. at most ``seconds``.

        Raises:
            TimeoutError: it was still false at the end; says what had been recorded.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while not (value := predicate()):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                counts = ", ".join(f"{k} {len(v)}" for k, v in self.by_kind.items() if v)
                raise TimeoutError(f"nothing matched in {seconds} s; recorded: {counts or 'none'}")
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            try:
                await asyncio.wait((future,), timeout=left)
            finally:
                self._waiting.discard(future)
        return value
