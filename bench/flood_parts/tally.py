"""What became of a flood's questions, in figures. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from clawdcore.cli.rehearse_measure import mean, quantile

from .plan import Call

WARM: Final = 0.1
"""The part of a run that is left out of goodput, while the line fills."""
WINDOW: Final = 60.0
"""Seconds over which portions are compared."""

Outcome = Literal["answered", "refused", "failed", "lost"]


class Fate(msgspec.Struct):
    """What became of one question.

    ``due`` and ``ended`` are in seconds from the beginning. ``eta`` is the seconds after which
    a refusal invited to come again, None where it named none. ``again`` marks who came again.
    ``tokens`` were written.
    """

    call: Call
    due: float
    outcome: Outcome = "lost"
    ended: float = math.inf
    eta: float | None = None
    tokens: int = 0
    again: bool = False

    @property
    def latency(self) -> float:
        """Seconds from when it was due to its answer; infinite without one."""
        return self.ended - self.due if self.outcome == "answered" else math.inf


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One run. Times in seconds, rates a second; None where there is nothing to measure.

    The quiet people's times count an answer that never came as infinite, the others' leave
    it out.
    """

    asked: int
    answered: int
    in_time: int
    refused: int
    late: int
    failed: int
    lost: int
    mean: float | None
    p50: float | None
    p99: float | None
    quiet_asked: int
    quiet_ok: float | None
    quiet_p50: float | None
    quiet_p99: float | None
    goodput: float
    eta_kept: float | None
    came_back: int
    in_flight: float
    """By Little's law: questions a second x the mean seconds from due to outcome."""


def figures(fates: Sequence[Fate], *, seconds: float, within: float) -> Figures:
    """Count. In time is ``within`` seconds; the schedule was ``seconds`` long."""
    first = [fate for fate in fates if not fate.again]
    quiet = [fate for fate in first if fate.call.quiet]
    back = [fate for fate in fates if fate.again and fate.due < seconds]
    latencies = [fate.latency for fate in first if fate.outcome == "answered"]
    calm = [fate.latency for fate in quiet]
    in_time = [fate for fate in first if fate.latency <= within]
    warm = WARM * seconds
    done = [fate for fate in fates if fate.latency <= within and warm <= fate.ended < seconds]
    ended = [fate for fate in fates if fate.outcome != "lost"]
    spent = sum(fate.ended - fate.due for fate in ended)
    return Figures(
        asked=len(first),
        answered=len(latencies),
        in_time=len(in_time),
        refused=sum(fate.outcome == "refused" for fate in first),
        late=len(latencies) - len(in_time),
        failed=sum(fate.outcome == "failed" for fate in first),
        lost=sum(fate.outcome == "lost" for fate in first),
        mean=mean(latencies),
        p50=quantile(latencies, 0.5),
        p99=quantile(latencies, 0.99),
        quiet_asked=len(quiet),
        quiet_ok=sum(fate.latency <= within for fate in quiet) / len(quiet) if quiet else None,
        quiet_p50=quantile(calm, 0.5),
        quiet_p99=quantile(calm, 0.99),
        goodput=len(done) / (seconds - warm),
        eta_kept=sum(fate.outcome == "answered" for fate in back) / len(back) if back else None,
        came_back=len(back),
        in_flight=spent / max((fate.ended for fate in ended), default=1.0),
    )


def jain(fates: Iterable[Fate], *, begin: float, end: float, chats: int) -> float:
    """Jain's index of the tokens that each of so many chats got between two moments.

    1 is perfectly even, 1 / ``chats`` is everything for one. Source: R. Jain, D. Chiu,
    W. Hawe, "A quantitative measure of fairness and discrimination", DEC-TR-301, 1984.
    """
    portions: defaultdict[int, float] = defaultdict(float)
    for fate in fates:
        if fate.outcome == "answered" and begin <= fate.ended < end:
            portions[fate.call.chat] += fate.tokens
    squares = sum(portion**2 for portion in portions.values())
    return sum(portions.values()) ** 2 / (chats * squares) if squares else 0.0
