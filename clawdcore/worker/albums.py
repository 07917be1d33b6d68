"""Pictures that were sent together: Telegram sends each by itself, plugins get them as one."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from ..messages import Message

QUIET: Final = 0.7
"""Seconds without a further part after which an album is taken for whole. Telegram doesn't
say how many there are; its parts come in one answer to getUpdates or in the next."""
MOST: Final = 10
"""Parts of an album (core.telegram.org/bots/api#sendmediagroup)."""


class Album:
    """The parts that came so far, each with its update."""

    def __init__(self) -> None:
        self._parts: dict[int, Message] = {}

    @property
    def full(self) -> bool:
        """Whether no further part can come."""
        return len(self._parts) >= MOST

    def add(self, update: int, message: Message) -> None:
        """A further part."""
        self._parts[update] = message

    async def quiet(self) -> None:
        """Until no further part comes."""
        seen = 0
        while not self.full and len(self._parts) > seen:
            seen = len(self._parts)
            await asyncio.sleep(QUIET)

    def whole(self) -> tuple[int, Message, tuple[int, ...]]:
        """The update and the message that stand for all, and the other updates.

        The message is the one with the caption, or else the first.
        """
        parts = sorted(self._parts.items(), key=lambda part: part[1].id)
        lead, message = next((part for part in parts if part[1].body), parts[0])
        others = [each for update, each in parts if update != lead]
        whole = msgspec.structs.replace(
            message,
            attachments=tuple(file for _, each in parts for file in each.attachments),
            others=tuple(each.id for each in others),
            addressed=message.addressed or any(each.addressed for each in others),
        )
        return lead, whole, tuple(update for update, _ in parts if update != lead)


class Albums:
    """Albums whose parts are still coming."""

    def __init__(self) -> None:
        self._coming: dict[tuple[int, str], Album] = {}

    def add(self, update: int, message: Message) -> Album | None:
        """Take a part. The album, if it is the first of one; it is then to be waited for."""
        key = (message.chat.id, message.album)
        known = self._coming.get(key)
        album = known or self._coming.setdefault(key, Album())
        album.add(update, message)
        if album.full:
            del self._coming[key]
        return album if known is None else None

    async def wait(self, album: Album, message: Message) -> tuple[int, Message, tuple[int, ...]]:
        """The album of which ``message`` is a part, as :meth:`Album.whole`, once it is."""
        try:
            await album.quiet()
        finally:
            key = (message.chat.id, message.album)
            if self._coming.get(key) is album:
                del self._coming[key]
        return album.whole()
