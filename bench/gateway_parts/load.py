"""The load, as a process of its own: asks one server in a closed loop over warm connections.

So many at once: each connection asks anew as soon as its answer is there. Latency
counts from that moment, which is the send itself. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from typing import Final

import msgspec

from .asking import outcome, request_of
from .figures import Measured, percentile

LAST: Final = 10.0
"""Seconds that a round may take at most, and its last answers after that."""


class _Round:
    """What the connections share. ``begin`` and ``end`` are seconds of perf_counter.

    It goes on after ``end`` until ``least`` answers came, or failed, up to :data:`LAST` seconds:
    of a slow system nothing might be seen else. What counts are the answers that come
    between ``begin`` and the real end, whenever they were asked for.
    """

    def __init__(self, begin: float, end: float, least: int) -> None:
        self.begin = begin
        self.end = end
        self.least = least
        self.took: list[float] = []
        self.failed = 0

    def over(self, now: float) -> bool:
        """Whether nothing counts any more; the first time that is so is the end."""
        if now < self.end:
            return False
        came = len(self.took) + self.failed
        if self.least and came < self.least and now < self.begin + LAST:
            return False
        if self.least:
            self.end, self.least = now, 0
        return True

    def ended(self, sent: float, now: float, *, good: bool) -> None:
        """An answer is whole, or there will be none."""
        if now < self.begin or self.over(now):
            return
        if good:
            self.took.append(now - sent)
        else:
            self.failed += 1


class _Caller(asyncio.Protocol):
    """One connection; ``done`` once it asks no more."""

    def __init__(self, shared: _Round, request: bytes, *, stream: bool) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._round = shared
        self._request = request
        self._stream = stream
        self._data = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._data = b""
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Ask again when the answer is whole."""
        self._data = self._data + data if self._data else data
        found = outcome(self._data, stream=self._stream)
        if found == "more":
            return
        now = time.perf_counter()
        self._round.ended(self._sent, now, good=found == "good")
        if self._round.over(now):
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Unless the round is over, the answer that was awaited has failed."""
        self._round.ended(self._sent, time.perf_counter(), good=False)
        if not self.done.done():
            self.done.set_result(None)


async def measure(
    port: int, at_once: int, *, warm: float, seconds: float, stream: bool
) -> Measured:
    """Ask for ``warm`` and then ``seconds``, of which the latter count; see :class:`_Round`."""
    loop = asyncio.get_running_loop()
    request = request_of(port, stream=stream)
    begin = time.perf_counter() + warm
    shared = _Round(begin, begin + seconds, at_once)

    async def one() -> None:
        while not shared.over(time.perf_counter()):
            try:
                transport, caller = await loop.create_connection(
                    lambda: _Caller(shared, request, stream=stream), "127.0.0.1", port
                )
            except OSError:
                shared.ended(time.perf_counter(), time.perf_counter(), good=False)
                await asyncio.sleep(0.05)
                continue
            try:
                async with asyncio.timeout(warm + seconds + 2 * LAST):
                    await caller.done
            except TimeoutError:
                shared.failed += 1
            finally:
                transport.abort()

    await asyncio.gather(*(one() for _ in range(at_once)))
    took = sorted(shared.took)
    if not took:
        return Measured(0.0, shared.failed)
    p50, p99 = (percentile(took, share) * 1000 for share in (50, 99))
    return Measured(len(took) / (shared.end - begin), shared.failed, p50, p99)


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--warm", type=float, default=0.0, help="seconds that don't count")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--stream", action="store_true")
    asked = parser.parse_args()
    gc.freeze()
    found = asyncio.run(
        measure(
            asked.port,
            asked.at_once,
            warm=asked.warm,
            seconds=asked.seconds,
            stream=asked.stream,
        )
    )
    print(msgspec.json.encode(found).decode())


if __name__ == "__main__":
    main()
