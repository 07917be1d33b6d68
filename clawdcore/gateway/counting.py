"""Counting what goes through, without reading it."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

TAIL: Final = 4096
"""Bytes from an answer's end in which its usage stands, in both APIs."""
EVERY: Final = 16
"""Tokens after which it is worth telling the queue what was used so far."""
BYTES_PER_TOKEN: Final = 4

# Inside the text of an answer the quotes would be escaped, so that nobody can write these.
_USAGE: Final = b'"usage":'
_PROMPT: Final = re.compile(rb'"(?:prompt_tokens|input_tokens)"\s*:\s*(\d{1,9})')
_OUTPUT: Final = re.compile(rb'"(?:completion_tokens|output_tokens)"\s*:\s*(\d{1,9})')


class Tokens:
    """The tokens of a relayed answer: its events while they come, its usage at the end.

    ``prompt`` is the estimate until the answer says it.
    """

    __slots__ = ("_bytes", "_events", "_stream", "_tail", "_told", "prompt")

    def __init__(self, prompt: int, *, stream: bool) -> None:
        self.prompt = prompt
        self._stream = stream
        self._events = 0
        self._bytes = 0
        self._told = 0
        self._tail: deque[bytes] = deque()

    @property
    def output(self) -> int:
        """Tokens that came out so far, about."""
        return self._events if self._stream else self._bytes // BYTES_PER_TOKEN

    def see(self, piece: bytes) -> bool:
        """Count a piece; whether it is time to tell."""
        self._bytes += len(piece)
        self._tail.append(piece)
        while len(self._tail) > 1 and sum(map(len, self._tail)) - len(self._tail[0]) >= TAIL:
            self._tail.popleft()
        if not self._stream:
            return False
        self._events += piece.count(b"\ndata:") + piece.startswith(b"data:")
        if self._events - self._told < EVERY:
            return False
        self._told = self._events
        return True

    def total(self) -> tuple[int, int]:
        """Prompt and output tokens of the whole answer."""
        end = b"".join(self._tail)[-TAIL:]
        place = end.rfind(_USAGE)
        if place < 0:
            return self.prompt, self.output
        prompt, output = _PROMPT.search(end, place), _OUTPUT.search(end, place)
        return (
            int(prompt[1]) if prompt else self.prompt,
            int(output[1]) if output else self.output,
        )


class Window:
    """How much happened during the last ``seconds``; times come from the caller's clock."""

    def __init__(self, seconds: int = 60) -> None:
        self._seconds = seconds
        self._slots: deque[tuple[int, float, float]] = deque()
        self._began: float | None = None

    def add(self, now: float, count: float = 1, amount: float = 0.0) -> None:
        """``count`` things of ``amount`` in all happened at ``now``."""
        if self._began is None:
            self._began = now
        second = int(now)
        if self._slots and self._slots[-1][0] == second:
            _, before, sum_before = self._slots.pop()
            count, amount = count + before, amount + sum_before
        self._slots.append((second, count, amount))
        self._forget(now)

    def _forget(self, now: float) -> None:
        while self._slots and self._slots[0][0] <= now - self._seconds:
            self._slots.popleft()

    def count(self, now: float) -> float:
        """How many there were."""
        self._forget(now)
        return sum(count for _, count, _ in self._slots)

    def amount(self, now: float) -> float:
        """Their amounts, added up."""
        self._forget(now)
        return sum(amount for _, _, amount in self._slots)

    def rate(self, now: float) -> float:
        """How many a second; over the time since the first one while that is shorter."""
        if self._began is None:
            return 0.0
        return self.count(now) / min(float(self._seconds), max(1.0, now - self._began))
