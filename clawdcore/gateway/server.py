"""Serves the gateway inside the worker's loop, on sockets that somebody else opened."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterable, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Final

from uvicorn import Config
from uvicorn.server import ServerState

from ..config import GatewayConfig
from ..privacy import describe
from .app import Gateway
from .connection import Connection
from .keys import DEFAULT, Key, Keys
from .listening import BACKLOG
from .machine import look
from .rooms import Rooms

log = logging.getLogger(__name__)

KEEP_ALIVE: Final = 30
"""Seconds that an idle connection stays open; clients' pools let go after 5 to 15."""
SPARE_CONNECTIONS: Final = 256
"""Connections beyond those that may run or wait: idle ones, health checks, scrapes."""
LOOKS: Final = 5
"""Seconds between two looks at the machine."""
POLL: Final = 0.01
"""Seconds between two looks whether the last connection is gone."""
GRACE: Final = 2.0
"""Seconds that cancelled calls may take to say so."""


def keys_of(config: GatewayConfig, more: Iterable[Key] = ()) -> Keys:
    """The callers: the configuration's token as :data:`~.keys.DEFAULT`, and ``more``."""
    token = config.auth.token
    ours = [] if token is None else [Key.of(DEFAULT, token.get_secret_value())]
    return Keys([*ours, *more])


class GatewayServer:
    """The gateway, served. ``timeout`` bounds a generation, in seconds.

    ``sockets`` are bound and listening; the server closes its own copies. ``folder``
    is on the disk whose use is shown. ``more`` are callers beside the one who has
    the configuration's token.
    """

    def __init__(
        self,
        config: GatewayConfig,
        rooms: Rooms,
        sockets: Sequence[socket.socket],
        *,
        timeout: float,
        folder: Path,
        more: Iterable[Key] = (),
    ) -> None:
        self._gateway = Gateway(rooms, keys_of(config, more), timeout=timeout)
        self._sockets = tuple(sockets)
        self._folder = folder
        limit = config.max_concurrent_requests + config.request_queue_size + SPARE_CONNECTIONS
        self._bounded: type[Connection] = type(
            "Bounded", (Connection,), {"connections_limit": limit}
        )
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self._ticking: asyncio.Task[None] | None = None

    @property
    def ports(self) -> list[int]:
        """The ports that it listens on."""
        return [listener.getsockname()[1] for listener in self._sockets]

    @property
    def connections(self) -> int:
        """The connections that are open."""
        return len(self._state.connections)

    @property
    def accepting(self) -> bool:
        """Whether new connections are taken."""
        return any(server.is_serving() for server in self._servers)

    @property
    def cpu_percent(self) -> float | None:
        """How busy the machine's processors were lately, None before that is known."""
        used = self._gateway.used
        return None if used is None else used.cpu

    async def start(self) -> None:
        """Accept connections."""
        config = Config(
            self._gateway,
            interface="asgi3",
            http=self._bounded,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        config.load()
        loop = asyncio.get_running_loop()
        self._date()
        for listener in self._sockets:
            server = await loop.create_server(
                lambda: self._bounded(config, self._state, {}, loop), sock=listener, backlog=BACKLOG
            )
            self._servers.append(server)
        self._ticking = asyncio.create_task(self._tick())

    async def drain(self, grace: float) -> None:
        """Accept nothing more; calls get ``grace`` seconds to end, then they are told.

        A connection that was accepted before may still bring its call, for a moment.
        """
        self._bounded.leaving = True
        await self._stop_accepting()
        for connection in list(self._state.connections):
            connection.shutdown()
        loop = asyncio.get_running_loop()
        end = loop.time() + grace
        while self._state.connections and loop.time() < end:  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(POLL)
        self._gateway.stopping = True
        tasks = set(self._state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE)

    async def close(self) -> None:
        """Give everything back, calls that still run included; harmless twice."""
        await self.drain(0)
        for connection in list(self._state.connections):
            connection.transport.abort()
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.wait({self._ticking})
            self._ticking = None
        for listener in self._sockets:
            listener.close()
        # An aborted connection says that it is lost in one of the loop's next rounds.
        while self._state.connections:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0)

    async def _stop_accepting(self) -> None:
        """Take no more connections, and lose none that was taken.

        asyncio accepts in one round of the loop, makes a transport in the next and tells
        the protocol in a third; a server that is closed meanwhile drops what it accepted.
        """
        loop = asyncio.get_running_loop()
        servers = [server for server in self._servers if server.is_serving()]
        for server in servers:
            for listener in server.sockets:
                loop.remove_reader(listener.fileno())
        for _ in range(3):
            await asyncio.sleep(0)
        for server in servers:
            server.close()

    def _date(self) -> None:
        now = formatdate(time.time(), usegmt=True).encode()
        self._state.default_headers = [(b"date", now)]

    async def _tick(self) -> None:
        """Once a second: the date of answers, what the queues took, the machine's load."""
        seconds = 0
        while True:
            self._date()
            try:
                self._gateway.look()
                if seconds % LOOKS == 0:
                    self._gateway.used = await asyncio.to_thread(look, self._folder)
            except Exception as error:  # noqa: BLE001 - numbers that are missing end nothing
                log.warning("the gateway's numbers can't be had: %s", describe(error))
            seconds += 1
            await asyncio.sleep(1)
