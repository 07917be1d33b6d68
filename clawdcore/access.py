"""Who may use the bot, and where it must be spoken to; pure, from the configuration."""

from __future__ import annotations

from enum import Enum

from .config import GroupConfig, TelegramConfig
from .messages import Message, Sender


class Access(Enum):
    """What the policy says of a message."""

    ALLOWED = "allowed"
    """Take it; it is addressed to the bot."""
    OVERHEARD = "overheard"
    """In an allowed group, but nobody spoke to the bot."""
    STRANGER = "stranger"
    """A private message from somebody who is not on the list."""
    REFUSED = "refused"
    """Neither answered nor noticed: a closed chat."""


class Policy:
    """``dmPolicy``, ``allowFrom`` and ``groups``, ready to be asked."""

    def __init__(self, telegram: TelegramConfig) -> None:
        self._dm = telegram.dm_policy
        self._groups = telegram.groups
        self._allow = _names(telegram.allow_from)
        self._group_allow = {
            key: _names(group.allow_from) for key, group in telegram.groups.items()
        }

    def decide(self, message: Message, *, owner: int = 0) -> Access:
        """What to do with ``message``. The owner may always write in private.

        A chat is matched by its id, else by ``"*"``; with no ``groups`` at all
        every group is open to mentions.
        """
        if message.chat.kind == "private":
            return self._private(message.sender, owner)
        key, group = self._group(message)
        if group is None or not group.enabled:
            return Access.REFUSED
        allowed = self._group_allow.get(key)
        if allowed and not _matches(message.sender, allowed):
            return Access.REFUSED
        if message.addressed or not group.require_mention:
            return Access.ALLOWED
        return Access.OVERHEARD

    def _private(self, sender: Sender, owner: int) -> Access:
        if owner and sender.id == owner:
            return Access.ALLOWED
        if self._dm == "disabled":
            return Access.REFUSED
        if self._dm == "allowlist" and not _matches(sender, self._allow):
            return Access.STRANGER
        return Access.ALLOWED

    def _group(self, message: Message) -> tuple[str, GroupConfig | None]:
        if not self._groups:
            return "*", GroupConfig()
        key = str(message.chat.id)
        if key in self._groups:
            return key, self._groups[key]
        return "*", self._groups.get("*")


def _names(entries: tuple[int | str, ...]) -> frozenset[int | str]:
    return frozenset(
        entry if isinstance(entry, int) else entry.removeprefix("@").casefold() for entry in entries
    )


def _matches(sender: Sender, allowed: frozenset[int | str]) -> bool:
    return (
        "*" in allowed
        or sender.id in allowed
        or bool(sender.username and sender.username.casefold() in allowed)
    )
