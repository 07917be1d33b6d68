"""How the work on a message ends: what goes back, if anything, and what it counts as."""

from __future__ import annotations

from ..broker import Outcome
from ..messages import Reply
from . import notices
from .dispatch import Job

Ending = tuple[Reply | None, Outcome]
"""What goes back, if anything, and what it counts as."""
SILENT: Ending = (None, Outcome.NOTICED)
"""Nothing goes back: who asked knows, or is told another way."""


def notice(words: str) -> Ending:
    """Words of the bot's own in place of an answer."""
    return Reply(text=words), Outcome.NOTICED


def broken_off(job: Job, reason: str) -> Ending:
    """The reason alone, or below what had been written when it broke off."""
    so_far = job.written()
    if not so_far:
        return notice(reason)
    text = notices.cut(so_far, reason, job.format)
    return Reply(text=text, format=job.format), Outcome.NOTICED
