"""An engine with continuous batching, step by step. Pure: nothing here reads a clock.

A step takes ``a + b x running + c x prompt tokens`` seconds. In it each running
sequence writes one token, and what is left of the batch's tokens reads prompts, in
chunks. That is how vLLM's scheduler works (its V1 engine with chunked prefill).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final

import msgspec

BLOCK: Final = 16
"""Tokens of a block of the cache; vLLM's default."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine is like. Times in seconds, the cache in blocks of :data:`BLOCK` tokens.

    ``most_queued`` bounds running and waiting requests together, 0 for no bound.
    ``by_priority``: a lower number goes first; else in order.
    """

    a: float = 0.020
    b: float = 0.0005
    c: float = 0.00002
    max_sequences: int = 8
    max_batched_tokens: int = 2048
    blocks: int = 4096
    most_queued: int = 0
    by_priority: bool = True
    context: int = 8192


PRESETS: Final[dict[str, Parameters]] = {
    "small": Parameters(),
    "medium": Parameters(max_sequences=32, max_batched_tokens=4096, blocks=16384),
    "vllm-cpu": Parameters(a=0.0024646, b=0.0001922, c=0.0002826),
}
"""``small`` and ``medium`` are of the order of a 7B model on one card, and fitted to nothing.
``vllm-cpu`` is fitted to vLLM 0.32 with the random model of tools/vllm_cpu, one thread of a
shared two-core machine, by ``make bench-simulator``: under the same load it gives 1.04 times the
answers a second, and .96, .94 and .97 of the p50, p90 and p99."""


class Full(Exception):
    """More requests than ``most_queued``."""


class Sequence(msgspec.Struct, eq=False):
    """A request in the engine. Times are in seconds of the caller's clock, -1 before they come.

    ``finish`` is why its answer ends, unless it is aborted.
    """

    number: int
    prompt: int
    output: int
    priority: int
    arrived: float
    started: float = -1.0
    first: float = -1.0
    read: int = 0
    written: int = 0
    blocks: int = 0
    over: bool = False
    finish: str = "length"

    @property
    def reading(self) -> bool:
        """Whether its prompt, and what it had written before a preemption, is not read yet."""
        return self.read < self.prompt + self.written


class Counters(msgspec.Struct):
    """What has been counted since the start."""

    preemptions: int = 0
    prompt_tokens: int = 0
    generation_tokens: int = 0
    finished: int = 0
    aborted: int = 0


class Engine:
    """The scheduler and its cache."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.counters = Counters()
        self.running: list[Sequence] = []
        self.started: list[Sequence] = []
        """Who has come in for the first time since somebody last emptied this."""
        self._waiting: list[tuple[int, int, Sequence]] = []
        self._numbers = 0
        self._used = 0
        self._gone = 0

    @property
    def waiting(self) -> int:
        """How many have no place in the batch."""
        return len(self._waiting) - self._gone

    @property
    def cache_use(self) -> float:
        """The part of the cache that is used, 0 to 1."""
        return self._used / self.parameters.blocks

    def add(self, prompt: int, output: int, priority: int, now: float) -> Sequence:
        """Queue a request of so many tokens to read and to write.

        Raises:
            Full: it takes no more.
        """
        most = self.parameters.most_queued
        if most and len(self.running) + self.waiting >= most:
            raise Full
        self._numbers += 1
        sequence = Sequence(self._numbers, max(1, prompt), max(1, output), priority, now)
        self._queue(sequence)
        return sequence

    def abort(self, sequence: Sequence) -> None:
        """Whoever asked is gone: its place and its cache are free at once."""
        if sequence.over:
            return
        sequence.over = True
        self.counters.aborted += 1
        if sequence in self.running:
            self.running.remove(sequence)
            self._free(sequence)
        else:
            self._gone += 1  # it is passed over when its turn comes

    def step(self, now: float) -> tuple[float, list[Sequence]]:
        """One step that begins ``now``: its seconds, and who wrote a token in it.

        (0.0, []) when there is nothing to do. Who is ``over`` has written its last.
        """
        self._schedule(now)
        if not self.running:
            return 0.0, []
        budget = self.parameters.max_batched_tokens
        writing = [each for each in self.running if not each.reading]
        budget -= len(writing)
        read = 0
        for each in self.running:
            if each.reading and budget > 0:
                part = min(budget, each.prompt + each.written - each.read)
                each.read += part
                read += part
                budget -= part
                if not each.reading:
                    writing.append(each)
        seconds = (
            self.parameters.a + self.parameters.b * len(self.running) + self.parameters.c * read
        )
        self.counters.prompt_tokens += read
        for each in writing:
            self._write(each, now + seconds)
        return seconds, writing

    def _schedule(self, now: float) -> None:
        """Make room for what writes, then let in who waits."""
        for each in sorted(self.running, key=_rank):
            while not each.over and each in self.running and not self._grow(each):
                self._preempt(max(self.running, key=_rank))
        while self._waiting and len(self.running) < self.parameters.max_sequences:
            sequence = self._waiting[0][2]
            if sequence.over:
                heapq.heappop(self._waiting)
                self._gone -= 1
                continue
            if self._needed(sequence) > self.parameters.blocks - self._used:
                if self.running:
                    return
                sequence.prompt = (self.parameters.blocks - 1) * BLOCK  # it can never fit: cut
            heapq.heappop(self._waiting)
            if sequence.started < 0:
                sequence.started = now
                self.started.append(sequence)
            self.running.append(sequence)
            self._grow(sequence)

    def _needed(self, sequence: Sequence) -> int:
        return -(-(sequence.prompt + sequence.written + 1) // BLOCK)

    def _grow(self, sequence: Sequence) -> bool:
        """Give it the blocks for its next token; False when there are none."""
        more = self._needed(sequence) - sequence.blocks
        if more > self.parameters.blocks - self._used:
            return len(self.running) == 1  # the last one goes on, whatever it takes
        sequence.blocks += max(0, more)
        self._used += max(0, more)
        return True

    def _preempt(self, sequence: Sequence) -> None:
        """Throw away what it has in the cache; it is read again when its turn comes."""
        self.counters.preemptions += 1
        self.running.remove(sequence)
        self._free(sequence)
        sequence.read = 0
        self._queue(sequence)

    def _write(self, sequence: Sequence, at: float) -> None:
        sequence.written += 1
        sequence.read = sequence.prompt + sequence.written
        self.counters.generation_tokens += 1
        if sequence.first < 0:
            sequence.first = at
        if sequence.written >= sequence.output:
            sequence.over = True
            self.counters.finished += 1
            self.running.remove(sequence)
            self._free(sequence)

    def _free(self, sequence: Sequence) -> None:
        self._used -= sequence.blocks
        sequence.blocks = 0

    def _queue(self, sequence: Sequence) -> None:
        priority = sequence.priority if self.parameters.by_priority else 0
        heapq.heappush(self._waiting, (priority, sequence.number, sequence))

    def __iter__(self) -> Iterator[Sequence]:
        yield from self.running
        yield from (each for _, _, each in self._waiting if not each.over)


def _rank(sequence: Sequence) -> tuple[int, int]:
    return sequence.priority, sequence.number
