"""Texts and translations that buttons under a translation need; in memory, for an hour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from clawdcore import Memory, Scope

HOUR: Final = 3600.0
LARGEST: Final = 60_000
"""Characters of text and translation that are kept: four bytes each fit one value's 256 KB."""


class Kept(msgspec.Struct, frozen=True):
    """A text, its translation as it was sent, into what, for whom (an id), and when.

    Its ``repr`` tells the length of the words and nothing of them.
    """

    text: str
    translation: str
    target: str
    source: str
    asker: int
    at: float

    def __repr__(self) -> str:
        return f"Kept(<{len(self.text)} characters>, target={self.target!r}, at={self.at})"


class Originals:
    """Keeps them by chat and a number. ``wall`` gives seconds since the epoch."""

    def __init__(self, memory: Memory, wall: Callable[[], float]) -> None:
        self._memory = memory
        self._wall = wall

    def keep(
        self,
        chat: int,
        number: int,
        *,
        text: str,
        translation: str,
        target: str,
        source: str,
        asker: int,
    ) -> None:
        """Remember one; what is too long is not, and what is too old goes."""
        now = self._wall()
        self._expire(now)
        if len(text) + len(translation) <= LARGEST:
            kept = Kept(text, translation, target, source, asker, now)
            self._memory.set(_key(chat, number), kept)

    def find(self, chat: int, number: int) -> Kept | None:
        """What was kept, if it is not older than an hour."""
        kept = self._memory.get(_key(chat, number), Kept)
        return kept if kept is not None and self._wall() - kept.at <= HOUR else None

    def forget(self, scope: Scope) -> int:
        """Erase those of a chat, or those that a user asked for; how many."""
        erased = 0
        keys = self._memory.keys()
        for key in keys:
            chat, _, _ = key.partition("/")
            kept = self._memory.get(key, Kept)
            of_user = scope.kind == "user" and kept is not None and kept.asker == scope.id
            if chat == str(scope.id) or of_user:
                self._memory.delete(key)
                erased += 1
        return erased

    def _expire(self, now: float) -> None:
        keys = self._memory.keys()  # the longest unset first
        for key in keys:
            kept = self._memory.get(key, Kept)
            if kept is not None and now - kept.at <= HOUR:
                return
            self._memory.delete(key)


def _key(chat: int, number: int) -> str:
    return f"{chat}/{number}"
