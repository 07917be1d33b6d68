"""Find out whether a message arrived whose sending was not confirmed."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from ...messages import Keyboard
from ..api import Api, CallError, FloodWait, Whose
from .gate import Gate
from .known import Known

log = logging.getLogger(__name__)

SETTLE: Final = 1.0
"""Seconds that a call whose connection was lost is given to have its effect."""
FAILURES: Final = 3
"""Probes that may fail before the outcome stays unknown."""


async def trace(
    api: Api,
    gate: Gate,
    known: Known,
    chat_id: int,
    floor: int,
    *,
    settle: float = SETTLE,
    buttons: Keyboard = (),
) -> int | None:
    """The id of our message above ``floor`` that nobody knows of.

    0 where there surely is none, None where it can't be told; see
    :class:`~.known.Known` and ADR 8 for what is sure. Costs at most
    :data:`~.known.PROBES` calls that change nothing; the first comes after ``settle``
    seconds, by when what was on its way should have had its effect. ``buttons`` are
    those that it has.
    """
    await asyncio.sleep(settle)
    candidates = known.candidates(chat_id, floor)
    failures = 0
    asked = 0
    while asked < len(candidates):
        candidate = candidates[asked]
        ticket = await gate.enter(chat_id, chore=True)
        if ticket is None:
            return None
        pause = 0.0
        try:
            whose = await api.probe(chat_id, candidate, buttons)
        except FloodWait as wait:
            pause = wait.seconds
        except CallError:
            pause = 2.0**failures
        else:
            if whose is Whose.OURS:
                return candidate
            if whose is Whose.UNKNOWN:
                return None
            if whose is Whose.OTHER:
                known.note(chat_id, candidate, latest=False)
            asked += 1
        finally:
            gate.leave(ticket)
        if pause:
            failures += 1
            if failures >= FAILURES:
                return None
            await asyncio.sleep(pause)
    return 0 if known.surely_none(chat_id, floor, candidates) else None
