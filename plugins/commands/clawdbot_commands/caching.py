"""How long an HTTP answer may be used again (RFC 9111), kept in memory only.

No library for it: hishel keeps its answers in SQLite and bounds neither their number nor
their bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

STORED: Final = ("cache-control", "expires", "date", "etag", "last-modified", "vary")
"""The headers that are kept with an answer, since a 304 may leave them out (RFC 9111, 4.3.4)."""


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """An answer: its JSON, until when it is fresh (seconds of the cache's clock), its headers.

    ``size`` is what it counts for, in bytes.
    """

    value: Any
    until: float
    headers: Mapping[str, str]
    size: int = 0

    @property
    def conditions(self) -> dict[str, str]:
        """The request headers that ask whether it still holds (RFC 9110, 13.1)."""
        found = {
            "If-None-Match": self.headers.get("etag", ""),
            "If-Modified-Since": self.headers.get("last-modified", ""),
        }
        return {name: value for name, value in found.items() if value}


def seconds_between(later: str, earlier: str) -> float | None:
    """Seconds between two HTTP dates; None where one can't be read."""
    try:
        return (parsedate_to_datetime(later) - parsedate_to_datetime(earlier)).total_seconds()
    except (TypeError, ValueError):
        return None


def whole_seconds(text: str) -> float | None:
    """A header's delta-seconds; None for anything else."""
    text = text.strip()
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def keep(value: Any, headers: Mapping[str, str], now: float, size: int = 0) -> Kept | None:
    """``value`` as its headers allow to keep it; None if not at all.

    The cache is one for all users, so that ``private`` forbids it too. Where ``s-maxage``
    and ``max-age`` differ, the shorter counts: nobody tells us when something changed.
    """
    stored = {name: headers[name] for name in STORED if name in headers}
    rules: dict[str, str] = {}
    for part in stored.get("cache-control", "").lower().split(","):
        name, _, argument = part.strip().partition("=")
        rules[name] = argument.strip('" ')
    if "no-store" in rules or "private" in rules or stored.get("vary", "").strip() == "*":
        return None
    ages = [whole_seconds(rules[name]) or 0.0 for name in ("s-maxage", "max-age") if name in rules]
    if "no-cache" in rules:
        life = 0.0
    elif ages:
        life = min(ages)
    else:
        life = seconds_between(stored.get("expires", ""), stored.get("date", "")) or 0.0
    life = max(0.0, life - (whole_seconds(headers.get("age", "")) or 0.0))
    kept = Kept(value, now + life, stored, size)
    return kept if life > 0 or kept.conditions else None


def renew(kept: Kept, headers: Mapping[str, str], now: float) -> Kept | None:
    """``kept`` after a 304 with ``headers``, which take the place of the older ones."""
    return keep(kept.value, {**kept.headers, **headers}, now, kept.size)


class Cache:
    """The answers that were used last: ``entries`` of them at most, of ``most`` bytes together."""

    def __init__(self, entries: int, most: int) -> None:
        self._entries, self._most = entries, most
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """The bytes of all that is kept."""
        return self._bytes

    def get(self, key: str) -> Kept | None:
        """What is kept under ``key``, fresh or not."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: str, kept: Kept | None) -> None:
        """Keep it, or with None nothing, in place of what was there."""
        before = self._kept.pop(key, None)
        if before is not None:
            self._bytes -= before.size
        if kept is None or not self._entries or kept.size > self._most:
            return
        self._kept[key] = kept
        self._bytes += kept.size
        while len(self._kept) > self._entries or self._bytes > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size
