"""Who owns the bot, and what the owner is told: rarely, and only what matters."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from typing import Final

from ..hooks.context import Storage

KEY: Final = "owner"
CLAIM_TRIES: Final = 10
"""Wrong codes of one user before claiming is closed to them until the next start."""
CLAIMANTS: Final = 1000
"""So many users' tries are remembered; the code's 32 bits outlast the others."""
SAME_PAUSE: Final = 600.0
"""Seconds in which the same thing is told once."""
PER_HOUR: Final = 20
"""Messages to the owner in any hour, all kinds together."""
HOUR: Final = 3600.0


class Notes:
    """Which messages to the owner may go out; pure, time in seconds is a parameter.

    A recovery is told only when its trouble was. Trouble that may not be told
    yet is held, until it may or is over.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], float] = {}
        self._sent: deque[float] = deque(maxlen=PER_HOUR)
        self._open: set[str] = set()
        self._held: set[str] = set()

    def allows(self, kind: str, subject: str, now: float) -> bool:
        """Whether to tell ``kind`` ("started", "degraded", "recovered") of ``subject``."""
        if kind == "recovered":
            self._held.discard(subject)
            if subject not in self._open:
                return False
            self._open.discard(subject)
            self._sent.append(now)
            return True
        if self._pause(kind, subject, now) > 0:
            if kind == "degraded":
                self._held.add(subject)
            return False
        self._last[kind, subject] = now
        self._sent.append(now)
        if kind == "degraded":
            self._held.discard(subject)
            self._open.add(subject)
        return True

    def held(self, subject: str, now: float) -> float | None:
        """Seconds until the trouble of ``subject`` may be told; None: there is none to tell."""
        return self._pause("degraded", subject, now) if subject in self._held else None

    def _pause(self, kind: str, subject: str, now: float) -> float:
        last = self._last.get((kind, subject))
        same = 0.0 if last is None else last + SAME_PAUSE - now
        full = self._sent[0] + HOUR - now if len(self._sent) == PER_HOUR else 0.0
        return max(same, full, 0.0)


class Owner:
    """The owner's user id: from the configuration, or claimed once with a code."""

    def __init__(self, configured: int | None, storage: Storage) -> None:
        self.id = configured or 0
        self.code = ""
        self.language = ""
        self._storage = storage
        self._tries: dict[int, int] = {}

    async def load(self) -> None:
        """Look up an earlier claim; with none, make the code for a new one.

        Raises:
            clawdcore.errors.StorageError: the settings can't be read.
        """
        if not self.id:
            self.id = int(await self._storage.get(KEY, default=0))
        if not self.id:
            self.code = secrets.token_hex(4)

    def fits(self, user: int, code: str) -> bool:
        """Whether ``code`` is the right one; counts the tries of each user."""
        tries = self._tries.get(user, 0)
        if self.id or not self.code or tries >= CLAIM_TRIES:
            return False
        if hmac.compare_digest(self.code.encode(), code.strip().encode(errors="replace")):
            return True
        self._tries.pop(user, None)
        self._tries[user] = tries + 1
        if len(self._tries) > CLAIMANTS:
            del self._tries[next(iter(self._tries))]
        return False

    async def claim(self, user: int, code: str) -> bool:
        """Make ``user`` the owner if ``code`` is right and nobody is yet.

        Raises:
            clawdcore.errors.StorageError: the claim can't be kept.
        """
        if not self.fits(user, code):
            return False
        await self._storage.set(KEY, user)
        self.id, self.code = user, ""
        return True
