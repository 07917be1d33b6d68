"""What commands that look after the bot need: how it does, stop, forget, rest, end."""

from __future__ import annotations

from typing import ClassVar, Protocol

import msgspec

from ..messages import Content, Message
from .chats import no_bot
from .scope import Scope


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the bot does, now.

    ``running`` and ``waiting`` count messages: those at work, and those that stand in line
    for a model. ``rung`` is how far it got worse on purpose (docs/admission.md), "" for not
    at all, else a key such as ``"short_answers"``. ``wait`` is the seconds that a message
    which came now would wait for the primary model, 0 for none. ``plugins`` rest for so many
    seconds; ``models`` are references, with whether each can be asked. ``uptime`` is the
    seconds that this worker has run.
    """

    running: int = 0
    waiting: int = 0
    paused: bool = False
    rung: str = ""
    wait: float = 0.0
    plugins: tuple[tuple[str, float], ...] = ()
    models: tuple[tuple[str, bool], ...] = ()
    uptime: float = 0.0


class Held(Content, msgspec.Struct, frozen=True):
    """What one plugin says of itself: what it held of somebody, or what it hands on to whom."""

    plugin: str
    words: str

    SHOWN: ClassVar[frozenset[str]] = frozenset({"plugin"})


class Control(Protocol):
    """For commands of the owner and for ``/stop``, ``/forget`` and their like."""

    def owner(self, user: int) -> bool:
        """Whether ``user`` (an id) is the bot's owner."""
        ...

    def status(self) -> Status:
        """How the bot does; costs nothing."""
        ...

    async def stop(self, message: Message) -> int:
        """Cancel all that ``message.sender`` has under way in ``message.chat``; how many it was.

        ``message`` itself goes on. A message that was cancelled gets no answer: what
        it had shown so far stays.
        """
        ...

    async def forget(self, scope: Scope) -> tuple[Held, ...]:
        """Have every plugin erase what it holds of ``scope``, and the bot what it keeps itself.

        What each held, in plugin-list order; the bot's own settings come as ``core``. A
        plugin that fails comes with words that say so.
        """
        ...

    async def privacy(self, language: str) -> tuple[Held, ...]:
        """What each plugin hands on of people's words, and to whom, in ``language``."""
        ...

    async def pause(self) -> None:
        """Rest: only commands of the control lane and the owner are worked for.

        Others are told so. It outlives a restart of the bot, and ends with :meth:`resume`.

        Raises:
            clawdcore.errors.StorageError: it rests, but a restart will end that.
        """
        ...

    async def resume(self) -> None:
        """Work again. Harmless twice.

        Raises:
            clawdcore.errors.StorageError: it works, but after a restart it may rest again.
        """
        ...

    async def drain(self) -> None:
        """End the bot as SIGTERM does: take nothing new, finish what is under way, end.

        Returns when that was asked for, not when it is done.
        """
        ...


class NoControl:
    """Stands in where no bot runs."""

    def owner(self, user: int) -> bool:
        """Nobody is."""
        return False

    def status(self) -> Status:
        """Of nothing."""
        return Status()

    async def stop(self, message: Message) -> int:
        """There is nothing to stop."""
        return 0

    async def forget(self, scope: Scope) -> tuple[Held, ...]:
        """There is nothing to forget."""
        return ()

    async def privacy(self, language: str) -> tuple[Held, ...]:
        """There is nothing to tell."""
        return ()

    async def pause(self) -> None:
        """Refuse."""
        raise no_bot()

    async def resume(self) -> None:
        """Refuse."""
        raise no_bot()

    async def drain(self) -> None:
        """Refuse."""
        raise no_bot()
