"""The gateway inside the worker: its server, its callers, and the alerts for the owner."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ..backend import Priority
from ..config import Config, GatewayConfig
from ..gateway.keys import DEFAULT, Key
from ..gateway.server import GatewayServer
from ..gateway.token import is_local, kept_or_made
from .alerts import Alerts
from .rooms import WorkerRooms

LOOK: Final = 5.0
"""Seconds between two looks for something to alert the owner to."""
DRAIN: Final = 60.0
"""Seconds that calls may take to end when the worker is replaced or stops."""


def callers(config: GatewayConfig, folder: Path) -> tuple[list[Key], str]:
    """Who may call beside the owner of ``gateway.auth.token``, and a note for the start.

    Where others can reach the gateway and nobody set a token, one is made.

    Raises:
        clawdcore.errors.StorageError: it can't be kept.
    """
    keys = [
        Key.of(client.name, client.token.get_secret_value(), Priority[client.priority.upper()])
        for client in config.auth.clients
    ]
    if keys or config.auth.token is not None or is_local(config.host):
        return keys, ""
    token, made = kept_or_made(folder)
    note = (
        f"others can reach the gateway on {config.host}, so it asks for a token: {token} "
        "(kept in the bot's state folder; gateway.auth.token sets another)"
    )
    return [Key.of(DEFAULT, token)], note if made else ""


class Serving:
    """The gateway on ``sockets``, while a worker works. ``tell`` reaches the owner."""

    def __init__(
        self,
        config: Config,
        rooms: WorkerRooms,
        sockets: Sequence[socket.socket],
        keys: Sequence[Key],
        *,
        tell: Callable[[str, str], None],
    ) -> None:
        self._rooms = rooms
        self._tell = tell
        self._alerts = Alerts(config.gateway.alerts)
        self._watching: asyncio.Task[None] | None = None
        self._server = GatewayServer(
            config.gateway,
            rooms,
            sockets,
            timeout=config.agents.defaults.timeout.total / 1000,
            folder=config.workspace_path,
            more=keys,
        )

    async def start(self) -> None:
        """Accept calls."""
        await self._server.start()
        self._watching = asyncio.create_task(self._watch())

    async def drain(self) -> None:
        """Accept no more, and let those that run end."""
        await self._server.drain(DRAIN)

    async def close(self) -> None:
        """Give everything back."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        await self._server.close()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK)
            await self._rooms.look()
            cpu = self._server.cpu_percent
            begun, ended = self._alerts.look(self._rooms.vitals(), cpu, loop.time())
            for alert in begun:
                self._tell(alert.kind, alert.subject)
            for alert in ended:
                self._tell(f"{alert.kind} over", alert.subject)
