"""When a server wants to be asked again: its header ``Retry-After``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from .health import LONGEST_TOLD


def told_rest(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds that the server asks for, at most :data:`LONGEST_TOLD`; None where it says nothing.

    ``Retry-After`` is seconds or an HTTP date (RFC 9110, section 10.2.3). A date counts from
    the server's own ``Date`` where it sends one, so that a wrong clock on either side does no
    harm, and else from ``wall``, seconds since the epoch. ``headers`` are looked up as they
    are named here: give a mapping that ignores case.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(LONGEST_TOLD) if len(value) > 9 else min(LONGEST_TOLD, float(value))
    until = _seconds(value)
    if until is None:
        return None
    since = _seconds(headers.get("Date", ""))
    return min(LONGEST_TOLD, max(0.0, until - (wall if since is None else since)))


def _seconds(date: str) -> float | None:
    """An HTTP date as seconds since the epoch, or None for what is none."""
    try:
        found = parsedate_to_datetime(date)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
