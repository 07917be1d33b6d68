"""Keys that load but have no effect in this version; the start says so for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .node import Loc, path_text

INERT: Final[dict[str, str]] = {
    "messages.queue": "it is OpenClaw's, and admission orders messages by its own rules.",
    "messages.inbound": "it is OpenClaw's, and messages are not held back to be joined.",
    "channels.telegram.mediaMaxMb": "files are bounded by the Bot API alone.",
}
"""The path of a key, or of a whole section, and why it does not act."""


def inert_reason(pattern: str) -> str:
    """Why the key of this path (``plugins[].name``) does not act, or "" if it does."""
    for inert, reason in INERT.items():
        if pattern == inert or pattern.startswith((f"{inert}.", f"{inert}[")):
            return reason
    return ""


def inert_lines(places: Iterable[Loc]) -> list[str]:
    """A line for each of ``places`` that does not act."""
    lines = []
    for loc in places:
        reason = inert_reason(path_text(tuple("[]" if isinstance(s, int) else s for s in loc)))
        if reason:
            lines.append(f"{path_text(loc)} has no effect in this version: {reason}")
    return lines
