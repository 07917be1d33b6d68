"""How long an HTTP answer may be used again (RFC 9111), kept in memory only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """An answer: its JSON, until when it is fresh (seconds of the cache's clock), its marks."""

    value: Any
    until: float
    etag: str = ""
    modified: str = ""

    @property
    def conditions(self) -> dict[str, str]:
        """The request headers that ask whether it still holds (RFC 9110, 13.1)."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in found.items() if value}


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0.0


def _apart(later: str, earlier: str) -> float:
    """Seconds between two HTTP dates; 0 where one can't be read."""
    try:
        return (parsedate_to_datetime(later) - parsedate_to_datetime(earlier)).total_seconds()
    except (TypeError, ValueError):
        return 0.0


def keep(value: Any, headers: Mapping[str, str], now: float) -> Kept | None:
    """``value`` as its headers allow to keep it; None if not at all.

    The cache is one for all users, so that ``private`` forbids it too.
    """
    rules: dict[str, str] = {}
    for part in headers.get("cache-control", "").lower().split(","):
        name, _, argument = part.strip().partition("=")
        rules[name] = argument.strip('" ')
    if "no-store" in rules or "private" in rules or headers.get("vary", "").strip() == "*":
        return None
    if "no-cache" in rules:
        life = 0.0
    elif "s-maxage" in rules or "max-age" in rules:
        life = _seconds(rules.get("s-maxage", rules.get("max-age", "")))
    else:
        life = _apart(headers.get("expires", ""), headers.get("date", ""))
    life = max(0.0, life - _seconds(headers.get("age", "0").strip()))
    etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
    return Kept(value, now + life, etag, modified) if life > 0 or etag or modified else None


class Cache:
    """The ``limit`` answers that were used last."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Kept | None:
        """What is kept under ``key``, fresh or not."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: str, kept: Kept | None) -> None:
        """Keep it, or with None nothing, in place of what was there."""
        self._kept.pop(key, None)
        if kept is not None and self._limit:
            self._kept[key] = kept
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
