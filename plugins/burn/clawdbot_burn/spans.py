"""Spans of time, as people write and read them. Pure."""

from __future__ import annotations

import re
from typing import Final

UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
"""Seconds of each unit; a number alone is seconds."""
LONGEST: Final = 47 * 3600
"""Seconds; Telegram deletes messages for 48 hours (core.telegram.org/bots/api#deletemessage),
and a busy chat may be late."""
_SPAN: Final = re.compile(r"(\d{1,9})\s*([smhd]?)", re.IGNORECASE | re.ASCII)


def seconds(text: str) -> int | None:
    """``"90"``, ``"90s"``, ``"10m"``, ``"2 h"`` or ``"1d"`` in seconds; None for anything else."""
    found = _SPAN.fullmatch(text.strip())
    return int(found[1]) * UNITS[found[2].lower()] if found else None


def written(span: int) -> str:
    """As it would be typed, in the largest units that are whole: ``"10m"``, ``"1h 30m"``."""
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, span = divmod(span, UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
