"""Looking after the servers while they are used: /metrics, /health, and who may come back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from random import Random
from typing import Final

from . import loads, metrics, picking
from .client import Client
from .failures import AttemptFailed, Kind, Where
from .servers import Server

EVERY: Final = 1.0
"""Seconds between two looks at each server's /metrics."""
HEALTH_EVERY: Final = 5.0
"""Seconds between two looks at /health of a server that stands."""
AGAIN: Final = 60.0
"""Seconds until a server without /metrics is asked for them once more."""
IDLE_AFTER: Final = 10.0
"""Seconds without use after which nobody is looked at."""
OK: Final = 200
UNAVAILABLE: Final = 503
NOT_OURS: Final = 500
"""A server that answers with less than this to a probe is alive, even if it has no /health."""

log = logging.getLogger(__name__)


class Watch:
    """Owns the task that looks; :meth:`start` and :meth:`close` belong together."""

    def __init__(
        self,
        provider: str,
        servers: Sequence[Server],
        client: Client,
        *,
        metrics: bool,
        random: Random,
    ) -> None:
        self._provider = provider
        self._servers = servers
        self._client = client
        self._metrics = metrics
        self._random = random
        self._wake = asyncio.Event()
        self._used_at = float("-inf")
        self._looked_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"watch-{self._provider}")
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def used(self, now: float) -> None:
        """Somebody asks: look on, often."""
        if now - self._used_at > IDLE_AFTER:
            self._wake.set()
        self._used_at = now

    def looked(self, now: float) -> None:
        """Somebody wants to know how the servers are: look on, now and then."""
        if now - max(self._used_at, self._looked_at) > IDLE_AFTER:
            self._wake.set()
        self._looked_at = now

    def failed(self, server: Server, kind: Kind, now: float) -> None:
        """An attempt failed, which may eject the server; then it is looked at soon."""
        stood = server.up
        picking.failed(server, kind, now, self._random)
        if stood and not server.up:
            log.warning("%s at %s is left out (%s)", self._provider, server.name, kind.value)
        self._wake.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nobody else reads how it ended."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: nobody looks after it (%s)", self._provider, type(error).__name__)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now = loop.time()
            async with asyncio.TaskGroup() as looks:
                for server in self._servers:
                    looks.create_task(self._look(server, now))
            pause = self._pause(loop.time())
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _pause(self, now: float) -> float | None:
        """Seconds until the next look, None until somebody wants one."""
        resting = [server.probe_at - now for server in self._servers if not server.up]
        if any(s.in_flight for s in self._servers) or now - self._used_at <= IDLE_AFTER:
            return max(0.0, min([EVERY, *resting]))
        if now - self._looked_at <= IDLE_AFTER:
            return max(0.0, min([HEALTH_EVERY, *resting]))
        return None

    async def _look(self, server: Server, now: float) -> None:
        if not server.up:
            if now >= server.probe_at:
                await self._probe(server)
            return
        if now >= server.health_at:
            server.health_at = now + HEALTH_EVERY
            await self._check(server)
        if self._metrics and now >= server.scrape_at:
            await self._scrape(server, now)
        else:
            loads.take_ours(server, now)

    async def _probe(self, server: Server) -> None:
        """See whether an ejected server is back."""
        try:
            status, _ = await self._health(server)
        except AttemptFailed:
            status = UNAVAILABLE
        now = asyncio.get_running_loop().time()
        if status < NOT_OURS:
            picking.restore(server)
            server.scrape_at = server.health_at = now
            log.info("%s at %s is back", self._provider, server.name)
        else:
            server.probe_at = min(server.probe_at, now)
            picking.eject(server, now, self._random)

    async def _check(self, server: Server) -> None:
        """See whether a server that stands is well. One that is merely slow is left alone."""
        now = asyncio.get_running_loop().time()
        try:
            status, _ = await self._health(server)
        except AttemptFailed as failed:
            if failed.kind is Kind.UNREACHABLE:
                self.failed(server, failed.kind, now)
            return
        if status == UNAVAILABLE:
            self.failed(server, Kind.DEAD, now)

    async def _scrape(self, server: Server, now: float) -> None:
        try:
            status, text = await self._client.get(
                self._where(server), f"{server.address.root}/metrics", server.address.headers
            )
        except AttemptFailed as failed:
            if failed.kind is Kind.UNREACHABLE:
                self.failed(server, failed.kind, now)
            return
        gauges = metrics.parse(text) if status == OK else None
        now = asyncio.get_running_loop().time()
        if gauges is not None:
            loads.take(server, gauges, now)
        elif status < NOT_OURS:
            server.scrape_at = now + AGAIN
            loads.take_ours(server, now)

    async def _health(self, server: Server) -> tuple[int, bytes]:
        address = server.address
        return await self._client.get(
            self._where(server), f"{address.root}/health", address.headers
        )

    def _where(self, server: Server) -> Where:
        return Where(self._provider, server.name)
