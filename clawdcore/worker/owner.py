"""Who owns the bot, and what the owner is told: rarely, and only what matters."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from typing import Final

from ..hooks.context import Storage

KEY: Final = "owner"
CLAIM_TRIES: Final = 10
"""Wrong codes before claiming is closed until the next start."""
SAME_PAUSE: Final = 600.0
"""Seconds in which the same thing is told once."""
PER_HOUR: Final = 20
"""Messages to the owner in any hour, all kinds together."""
HOUR: Final = 3600.0


class Notes:
    """Which messages to the owner may go out; pure, time in seconds is a parameter.

    A recovery is told only when its trouble was.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], float] = {}
        self._sent: deque[float] = deque(maxlen=PER_HOUR)
        self._open: set[str] = set()

    def allows(self, kind: str, subject: str, now: float) -> bool:
        """Whether to tell ``kind`` ("started", "degraded", "recovered") of ``subject``."""
        if kind == "recovered":
            if subject not in self._open:
                return False
            self._open.discard(subject)
            self._sent.append(now)
            return True
        last = self._last.get((kind, subject))
        if last is not None and now - last < SAME_PAUSE:
            return False
        if len(self._sent) == PER_HOUR and now - self._sent[0] < HOUR:
            return False
        self._last[kind, subject] = now
        self._sent.append(now)
        if kind == "degraded":
            self._open.add(subject)
        return True


class Owner:
    """The owner's user id: from the configuration, or claimed once with a code."""

    def __init__(self, configured: int | None, storage: Storage) -> None:
        self.id = configured or 0
        self.code = ""
        self.language = ""
        self._storage = storage
        self._tries = 0

    async def load(self) -> None:
        """Look up an earlier claim; with none, make the code for a new one.

        Raises:
            clawdcore.errors.StorageError: the settings can't be read.
        """
        if not self.id:
            self.id = int(await self._storage.get(KEY, default=0))
        if not self.id:
            self.code = secrets.token_hex(4)

    async def claim(self, user: int, code: str) -> bool:
        """Make ``user`` the owner if ``code`` is right and nobody is yet.

        Raises:
            clawdcore.errors.StorageError: the claim can't be kept.
        """
        if self.id or not self.code or self._tries >= CLAIM_TRIES:
            return False
        if not hmac.compare_digest(self.code.encode(), code.strip().encode()):
            self._tries += 1
            return False
        await self._storage.set(KEY, user)
        self.id, self.code = user, ""
        return True
