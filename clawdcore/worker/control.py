"""Looking after the bot from within a chat: how it does, stop, forget, rest, end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..admission.ladder import Rung
from ..broker import Closed, Drain, Port, ToEdge, ToWorker
from ..errors import ChatUnavailable
from ..hooks.context import Memory
from ..hooks.control import Held, Status
from ..hooks.scope import Scope
from ..hooks.storage import SettingsStore
from ..messages import Message
from . import notices
from .builtin import CORE
from .chats import AllChats
from .models import ModelChain
from .origin import ORIGIN
from .owner import Owner
from .plugins import Plugins
from .seats import Seats
from .underway import UnderWay

PAUSED: Final = "paused"
"""The key under which it is noted that the bot rests: in its own memory for the next worker,
in its own settings for the next start."""


class BotControl:
    """Implements :class:`clawdcore.Control`; one for all plugins.

    ``plugins`` and ``resting`` give the present ones, the latter with the seconds of their
    rest; ``memory`` is the bot's own, which the next worker gets.
    """

    def __init__(
        self,
        port: Port[ToEdge, ToWorker],
        *,
        owner: Owner,
        plugins: Callable[[], Plugins],
        resting: Callable[[], dict[str, float]],
        models: ModelChain,
        seats: Seats,
        under_way: UnderWay,
        chats: AllChats,
        store: SettingsStore,
        memory: Memory,
        clock: Callable[[], float],
    ) -> None:
        self._port = port
        self._owner = owner
        self._plugins = plugins
        self._resting = resting
        self._models = models
        self._seats = seats
        self._under_way = under_way
        self._chats = chats
        self._store = store
        self._memory = memory
        self._clock = clock
        self._began = clock()
        self.paused = False
        """Whether the bot rests; asked for every message."""

    async def load(self) -> None:
        """Rest on, where the bot did when it ended.

        Raises:
            clawdcore.errors.StorageError: the settings can't be read.
        """
        self.paused = await self._store.of(CORE).get(PAUSED, default=False) is True

    def changed(self, key: str) -> None:
        """Another worker has changed this key of the bot's own memory."""
        if key == PAUSED:
            self.paused = self._memory.get(PAUSED, bool, False)

    def owner(self, user: int) -> bool:
        """As :meth:`clawdcore.Control.owner`."""
        return bool(self._owner.id) and user == self._owner.id

    def status(self) -> Status:
        """As :meth:`clawdcore.Control.status`."""
        servers = self._models.servers
        waiting = self._seats.gate.queue.waiting + sum(each.gate.queue.waiting for each in servers)
        primary = servers.get(self._models.refs[0].provider)
        rung = servers.rung
        return Status(
            running=max(0, self._under_way.count() - waiting),
            waiting=waiting,
            paused=self.paused,
            rung="" if rung is Rung.NONE else rung.name.lower(),
            wait=0.0 if primary is None else primary.gate.vitals().eta,
            plugins=tuple(self._resting().items()),
            models=tuple((str(ref), self._up(ref.provider)) for ref in self._models.refs),
            uptime=self._clock() - self._began,
        )

    def _up(self, provider: str) -> bool:
        server = self._models.servers.get(provider)
        return server is not None and server.up

    async def stop(self, message: Message) -> int:
        """As :meth:`clawdcore.Control.stop`."""
        return self._under_way.stop(message.asker, but=message.update_id)

    async def forget(self, scope: Scope) -> tuple[Held, ...]:
        """As :meth:`clawdcore.Control.forget`."""
        language = _language()
        async with self._seats.lent():  # others in the control lane must not wait for hooks
            held = await self._plugins().forget(scope, notices.not_erased(language), language)
            if scope.kind == "chat":
                self._chats.listening.forget(scope.id)
            else:
                self._chats.forget(scope.id)
            settings = await self._store.forget(scope)
        if settings:
            held += (Held(CORE, notices.settings_held(settings, language)),)
        return held

    async def privacy(self, language: str) -> tuple[Held, ...]:
        """As :meth:`clawdcore.Control.privacy`."""
        async with self._seats.lent():
            return await self._plugins().privacy(language)

    async def pause(self) -> None:
        """As :meth:`clawdcore.Control.pause`."""
        self.paused = True
        self._memory.set(PAUSED, True)
        await self._store.of(CORE).set(PAUSED, True)

    async def resume(self) -> None:
        """As :meth:`clawdcore.Control.resume`."""
        self.paused = False
        self._memory.delete(PAUSED)
        await self._store.of(CORE).set(PAUSED, None)

    async def drain(self) -> None:
        """As :meth:`clawdcore.Control.drain`."""
        try:
            await self._port.send(Drain())
        except Closed:
            raise ChatUnavailable("the bot is stopping already.") from None


def _language() -> str:
    """That of whoever wrote the message that this task works for."""
    origin = ORIGIN.get()
    return "" if origin is None else origin.language
