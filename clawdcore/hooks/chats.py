"""What a plugin may know of a chat and do in it, beyond answering."""

from __future__ import annotations

from typing import Protocol

import msgspec

from ..errors import ChatUnavailable


class Member(msgspec.Struct, frozen=True):
    """What somebody may do in a chat. In a private chat both are admins who may delete.

    ``can_delete``: messages of others (core.telegram.org/bots/api#chatmemberadministrator).
    """

    admin: bool = False
    can_delete: bool = False


class Chats(Protocol):
    """The chats that the bot is in. ``chat`` and ``user`` are ids."""

    @property
    def hears_all(self) -> bool:
        """Whether Telegram gives the bot every message of its groups: privacy mode is off."""
        ...

    async def member(self, chat: int, user: int) -> Member:
        """What ``user`` may do, as Telegram says; remembered for a minute, in memory only.

        Somebody who is not in the chat may do nothing.

        Raises:
            clawdcore.ChatUnavailable: Telegram refuses to say, or does not answer.
        """
        ...

    async def me(self, chat: int) -> Member:
        """What the bot itself may do; as :meth:`member`."""
        ...

    async def delete(self, chat: int, message: int, *, after: float = 0.0) -> None:
        """Delete a message, the bot's or somebody else's, in ``after`` seconds.

        It is owed like :attr:`~clawdcore.Reply.delete_after` is: ids and time stand on the
        disk on return, through restarts. Telegram deletes what is younger than 48 hours,
        and of others only where the bot may (:attr:`Member.can_delete`): what it refuses
        is logged, and left.

        Raises:
            clawdcore.ChatUnavailable: the bot is stopping, so that nobody took it on.
            ValueError: ``after`` is no number of seconds from 0 to 48 hours.
        """
        ...

    async def hear(self, chat: int, on: bool) -> None:
        """Hear what is said in a group to nobody, or no longer.

        This plugin's handlers with ``addressed=False`` get those messages anyhow; from now on
        its other handlers get them too, as if ``requireMention`` were off for this plugin
        alone. Kept over restarts, and forgotten with the chat.

        Raises:
            clawdcore.StorageError: it can't be kept.
        """
        ...

    def hears(self, chat: int) -> bool:
        """Whether :meth:`hear` is on for this plugin and ``chat``."""
        ...


class NoChats:
    """Stands in where no bot runs: while the doctor looks, or in a test of one function."""

    @property
    def hears_all(self) -> bool:
        """Never."""
        return False

    async def member(self, chat: int, user: int) -> Member:
        """Refuse."""
        raise no_bot()

    async def me(self, chat: int) -> Member:
        """Refuse."""
        raise no_bot()

    async def delete(self, chat: int, message: int, *, after: float = 0.0) -> None:
        """Refuse."""
        raise no_bot()

    async def hear(self, chat: int, on: bool) -> None:
        """Refuse."""
        raise no_bot()

    def hears(self, chat: int) -> bool:
        """Never."""
        return False


def no_bot() -> ChatUnavailable:
    """Nobody is there to ask."""
    return ChatUnavailable("no bot runs here.", fix="Ask while a message is handled.")
