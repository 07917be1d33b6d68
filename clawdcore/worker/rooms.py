"""What the gateway sees of the worker: its models, their servers, and how all of it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from ..backend import ModelInfo
from ..errors import BackendError, ModelNotFound
from ..gateway.rooms import Room
from ..privacy import describe
from ..vitals import PluginUse, Vitals
from .guard import ends_us
from .models import ModelChain
from .refs import ModelRef
from .servers import Server

log = logging.getLogger(__name__)

KNOWN: Final = 60.0
"""Seconds after which a server is asked again what it serves."""


class WorkerRooms:
    """Implements :class:`~clawdcore.gateway.rooms.Rooms`.

    ``messages`` counts what became of messages, by outcome; ``plugins`` says what each
    has cost, and whether it rests.
    """

    def __init__(
        self,
        models: ModelChain,
        *,
        messages: Mapping[str, int],
        plugins: Callable[[], tuple[PluginUse, ...]],
    ) -> None:
        self.taking = False
        self._models = models
        self._messages = messages
        self._plugins = plugins
        self._began = _now()
        self._found: dict[str, Room] = {}
        self._served: dict[str, list[ModelInfo]] = {}
        self._asked = float("-inf")
        self._asking = asyncio.Lock()

    async def find(self, name: str) -> Room:
        """As :meth:`Rooms.find`."""
        if _now() - self._asked > KNOWN:
            async with self._asking:  # who comes meanwhile waits for the answer too
                if _now() - self._asked > KNOWN:
                    await self._ask()
        room = self._found.get(name)
        if room is None:
            room = await self._find(name)
        server = self._models.servers.get(room.provider)
        if server is not None:
            await server.must_start()
            self._models.servers.watch()
        return room

    async def _find(self, name: str) -> Room:
        if not name:
            ref = self._models.refs[0]
            return await self._find(str(ref))
        provider, _, model = name.partition("/")
        server = self._models.servers.get(provider)
        if server is not None and model:
            await server.must_start()
            return self._remember(name, server, model)
        for server in self._models.servers:
            if any(info.id == name for info in self._served.get(server.name, ())):
                return self._remember(name, server, name)
        raise self._unknown(name)

    def _remember(self, name: str, server: Server, model: str) -> Room:
        served = self._served.get(server.name)
        if served and all(info.id != model for info in served):
            raise self._unknown(name)
        room = Room(server.name, model, server.backend, server.gate, server.refused)
        if served:
            self._found[name] = room  # only names that exist, so that nobody fills it
        return room

    def _unknown(self, name: str) -> ModelNotFound:
        there = [
            str(ModelRef(each, info.id)) for each, infos in self._served.items() for info in infos
        ]
        return ModelNotFound(
            "no server has a model of that name.",
            fix=f"There are: {', '.join(there) or 'none'}.",
        )

    async def models(self) -> list[tuple[str, ModelInfo]]:
        """As :meth:`Rooms.models`."""
        await self._ask()
        return [(name, info) for name, infos in self._served.items() for info in infos]

    async def _ask(self) -> None:
        """Ask every server that is up what it serves."""
        servers = [server for server in self._models.servers if server.ready]
        answers = await asyncio.gather(*(_models(server) for server in servers))
        self._served = {
            server.name: infos for server, infos in zip(servers, answers, strict=True) if infos
        }
        self._found.clear()
        self._asked = _now()

    def vitals(self) -> Vitals:
        """As :meth:`Rooms.vitals`."""
        servers = self._models.servers
        plugins = self._plugins()
        return Vitals(
            uptime=_now() - self._began,
            queues=tuple(server.gate.vitals() for server in servers),
            messages=dict(self._messages),
            rung=servers.rung.value,
            rung_name=servers.rung.name.lower(),
            resting={plugin.name: plugin.rest for plugin in plugins if plugin.rest > 0},
            degraded=(str(self._models.refs[0]),) if self._models.degraded else (),
            trouble=tuple(f"{server.name}: {server.error}" for server in servers if server.error),
            plugins=plugins,
        )

    @property
    def ready(self) -> bool:
        """As :attr:`Rooms.ready`."""
        return self.taking and any(server.up for server in self._models.servers)

    async def look(self) -> None:
        """See how the servers are, also while nobody asks them anything."""
        await self._models.servers.look()


async def _models(server: Server) -> list[ModelInfo]:
    try:
        return await server.backend.models()
    except BackendError:
        return []
    except BaseException as error:
        if ends_us(error):
            raise
        log.warning("%s does not say what it serves: %s", server.name, describe(error))
        return []


def _now() -> float:
    return asyncio.get_running_loop().time()
