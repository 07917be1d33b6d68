"""What the ledger's states mean. Pure: no file, no clock.

An update is received (durable before Telegram is told that we have it), then
confirmed (Telegram no longer holds it), then sending (durable before the first
call that sends its answer), then done. It never goes back.
"""

from __future__ import annotations

import math
import re
from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from ...broker import Plan

KEPT: Final = 25 * 3600
"""Seconds for which the id of a done update is kept: Telegram repeats for 24 hours."""
ENDED_LIMIT: Final = 1_000_000
"""Ids of done updates in the file; beyond that the oldest go before their time."""
DELETABLE: Final = 48 * 3600
"""Seconds after which a bot can't delete its message any more (Bot API, deleteMessage)."""
LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,3}")
NAME_LIMIT: Final = 128
"""Characters in a plan's plugin and name."""
INTEGERS: Final = range(-(2**63), 2**63)
"""What fits a column; Telegram's ids need at most 52 bits."""


class State(IntEnum):
    """How far an update is."""

    RECEIVED = 0
    CONFIRMED = 1
    SENDING = 2
    DONE = 3


class Verdict(StrEnum):
    """What to do with an update that came: work on it, take it up again, nothing."""

    NEW = "new"
    ADOPTED = "adopted"
    KNOWN = "known"


class Remedy(StrEnum):
    """What to do, after a start, with an update that an earlier run left."""

    WAIT = "wait"
    FIND_OUT = "find out"
    NOTICE = "notice"
    CHAT_NOTICE = "chat notice"


class Row(msgspec.Struct, gc=False, kw_only=True):
    """An update that is not done. Ids, flags and times only.

    ``at`` is when it was received, in seconds since the epoch. ``topic`` is 0 for
    none. ``starts`` counts how often work on it began. ``floor`` is the highest
    message id that was known in the chat before its answer was first sent: after a
    crash, whether the answer arrived can be looked for above it.
    """

    id: int
    chat: int
    message: int
    user: int
    at: int
    topic: int = 0
    language: str = ""
    addressed: bool = True
    private: bool = False
    state: State = State.RECEIVED
    starts: int = 0
    floor: int = 0


def verdict(state: State, *, taken: bool) -> Verdict:
    """What a repeated id means. ``taken``: somebody in this run has it already.

    A row in RECEIVED that nobody has was left by an earlier run, or by a caller
    that was cancelled: Telegram was never told that we have it.
    """
    if state is State.RECEIVED and not taken:
        return Verdict.ADOPTED
    return Verdict.KNOWN


def left_over(row: Row, *, drained: bool) -> Remedy:
    """What to do with what an earlier run left.

    ``drained``: what Telegram still held at the start has come. A row in RECEIVED
    that didn't come by then was confirmed, and the crash came before that was
    written. Words are gone with the process: who addressed the bot is asked to send
    again, and of unaddressed work there is one notice a chat.
    """
    if row.state is State.SENDING:
        return Remedy.FIND_OUT
    if row.state is State.RECEIVED and not drained:
        return Remedy.WAIT
    return Remedy.NOTICE if row.addressed else Remedy.CHAT_NOTICE


def language_tag(text: str) -> str:
    """``text`` if it looks like a language tag, else "": nobody's words get into the file."""
    return text if LANGUAGE.fullmatch(text) else ""


def storable(number: int) -> int:
    """``number`` if a column can hold it, else 0: a forged update must not stop the ledger."""
    return number if number in INTEGERS else 0


def plannable(plan: Plan) -> bool:
    """Whether a plan can be kept; plugins make them, so that anything may be in one."""
    times = (plan.every, 0.0 if plan.due is None else plan.due)
    return (
        all(math.isfinite(seconds) for seconds in times)
        and all(number in INTEGERS for number in (plan.chat, plan.user))
        and all(len(name) <= NAME_LIMIT and name.isprintable() for name in (plan.plugin, plan.name))
    )


def surplus(ended: int) -> int:
    """How many of so many done ids must go before their time."""
    return max(0, ended - ENDED_LIMIT)
