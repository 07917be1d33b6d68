"""The numbers of a rehearsal, from what became of its messages. Pure."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence

import msgspec

from .demo_control import Event
from .rehearse_outcome import Asked, Outcome


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a rehearsal. Times are in seconds; None where there is nothing to measure.

    ``sent`` counts every message, ``addressed`` those whose fate is known and that had
    to be answered; each of these is in one of ``in_time``, ``late``, ``refused``,
    ``failed`` and ``lost``. ``answered`` got an answer, in time or not. ``open`` ones
    were under way when the rehearsal was interrupted. ``etas`` are the shortest and
    longest time that a refusal named. ``turned_away`` are messages of the bot that
    Telegram's limits didn't let through (HTTP 429). ``in_flight`` are messages under
    way at a time by Little's law: their rate times the mean time to their outcome.
    """

    sent: int
    addressed: int
    in_time: int
    answered: int
    late: int
    refused: int
    failed: int
    lost: int
    open: int
    seconds: float
    mean: float | None
    p50: float | None
    p99: float | None
    private_mean: float | None
    group_mean: float | None
    late_groups: int
    etas: tuple[float, float] | None
    group_peak: int
    turned_away: int
    in_flight: float | None

    @property
    def success(self) -> float | None:
        """The part of the addressed that was answered in time, 0 to 1."""
        return self.in_time / self.addressed if self.addressed else None


def measure(
    asked: Sequence[Asked],
    found: Sequence[Outcome],
    *,
    total: float,
    sent: int,
    now: float,
    seconds: float,
    group_peak: int = 0,
    turned_away: int = 0,
    whole: bool = True,
) -> Result:
    """Count.

    ``total`` is how long an answer may take; ``seconds`` how long was measured;
    ``now`` the end. ``whole`` says that the rehearsal went to its end, so that what
    is open is lost; else only what had more than ``total`` is.
    """
    kinds: Counter[str] = Counter()
    latencies: list[float] = []
    private: list[float] = []
    groups: list[float] = []
    late_groups = 0
    under_way = 0.0
    for each, outcome in zip(asked, found, strict=True):
        kind = _kind(each, outcome, total, now, whole)
        kinds[kind] += 1
        late_groups += kind == "late" and each.group
        under_way += max(0.0, outcome.at - each.due) if outcome.at is not None else 0.0
        if outcome.kind == "answered" and outcome.at is not None:
            latency = max(0.0, outcome.at - each.due)
            latencies.append(latency)
            (groups if each.group else private).append(latency)
    etas = [outcome.eta for outcome in found if outcome.eta is not None]
    return Result(
        sent=sent,
        addressed=len(asked) - kinds["open"],
        in_time=kinds["in_time"],
        answered=len(latencies),
        late=kinds["late"],
        refused=kinds["refused"],
        failed=kinds["failed"],
        lost=kinds["lost"],
        open=kinds["open"],
        seconds=seconds,
        mean=mean(latencies),
        p50=quantile(latencies, 0.5),
        p99=quantile(latencies, 0.99),
        private_mean=mean(private),
        group_mean=mean(groups),
        late_groups=late_groups,
        etas=(min(etas), max(etas)) if etas else None,
        group_peak=group_peak,
        turned_away=turned_away,
        in_flight=under_way / seconds if latencies and seconds > 0 else None,
    )


def _kind(each: Asked, outcome: Outcome, total: float, now: float, whole: bool) -> str:
    if outcome.kind == "answered" and outcome.at is not None:
        return "in_time" if outcome.at - each.due <= total else "late"
    if outcome.kind == "open":
        return "lost" if whole or now - each.due > total else "open"
    return outcome.kind


def mean(values: Sequence[float]) -> float | None:
    """Their mean, None of none."""
    return sum(values) / len(values) if values else None


def quantile(values: Iterable[float], share: float) -> float | None:
    """The value below or at which ``share`` of them lie (nearest rank); None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(1, math.ceil(share * len(ordered))) - 1]


def group_peak(events: Iterable[Event], window: float = 60.0) -> int:
    """The most messages that the bot sent to one group within ``window`` seconds."""
    sent: dict[int, deque[float]] = {}
    most = 0
    for event in events:
        if event["kind"] != "sent" or event["chat_id"] >= 0:
            continue
        times = sent.setdefault(event["chat_id"], deque())
        times.append(event["at"])
        while times[0] <= event["at"] - window:
            times.popleft()
        most = max(most, len(times))
    return most
