"""From what the rounds measured to the figures: medians, ratios, added time. No IO here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, Final

import msgspec

RIVALS: Final = {
    "direct": "direct",
    "bare": "bare",
    "smg": "smg",
    "router": "vllm-router",
    "litellm": "litellm",
    "single": "single",
}
"""The name in the figures' keys, and the system's."""
OURS: Final = "ours"
CELLS: Final = {
    "1": (1, False),
    "32": (32, False),
    "128": (128, False),
    "stream_1": (1, True),
    "stream_32": (32, True),
}
"""The loads, by name: how many at once, and whether the answers are streamed."""


class Measured(msgspec.Struct, frozen=True):
    """One round of one system under one load.

    ``rate`` is good answers a second, ``p50`` and ``p99`` their milliseconds, None
    where there was none; ``failed`` counts other answers and broken connections.
    """

    rate: float
    failed: int
    p50: float | None = None
    p99: float | None = None


Rounds = Sequence[Measured]
Results = Mapping[str, Mapping[str, Rounds]]
"""By system, then by load (a key of :data:`CELLS`); one a round, in the same order for all."""


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest of sorted values that ``share`` percent don't exceed (nearest rank).

    Raises:
        ValueError: there are no values.
    """
    if not ordered:
        raise ValueError("there is nothing to take a percentile of")
    return ordered[max(1, int(-(-len(ordered) * share // 100))) - 1]


def middle(rounds: Rounds, read: Callable[[Measured], float | None]) -> float | None:
    """The median over the rounds that have a value, None where none has."""
    known = [value for each in rounds if (value := read(each)) is not None]
    return median(known) if known else None


def over(ours: Rounds, theirs: Rounds) -> float | None:
    """The median over the rounds of our rate by theirs; None where either answered nothing.

    Both are of the same round, so that what slows the machine for a while slows both.
    """
    ratios = [a.rate / b.rate for a, b in zip(ours, theirs, strict=True) if a.rate and b.rate]
    return median(ratios) if ratios else None


def added(ours: Rounds, direct: Rounds) -> float | None:
    """The median over the rounds of the milliseconds that p50 is above that without anybody."""
    known = [
        a.p50 - b.p50
        for a, b in zip(ours, direct, strict=True)
        if a.p50 is not None and b.p50 is not None
    ]
    return median(known) if known else None


def figures(measured: Results) -> dict[str, Any]:
    """The figures by name; None for what a system that was left out would be needed for."""

    def rounds(system: str, cell: str) -> Rounds:
        return measured.get(system, {}).get(cell, ())

    def together(
        find: Callable[[Rounds, Rounds], float | None], one: str, other: str, cell: str
    ) -> float | None:
        ours, theirs = rounds(one, cell), rounds(other, cell)
        return _short(find(ours, theirs)) if ours and theirs else None

    told: dict[str, Any] = {}
    for cell, (at_once, stream) in CELLS.items():
        before = "stream_" if stream else ""
        if at_once == 1:
            told[f"{before}added_p50_ms"] = together(added, OURS, "direct", cell)
            for key, system in RIVALS.items():
                if key != "direct":
                    told[f"{before}added_p50_ms_{key}"] = together(added, system, "direct", cell)
            continue
        told[f"{before}rps_{at_once}"] = _short(middle(rounds(OURS, cell), _rate))
        for key, system in RIVALS.items():
            told[f"{before}over_{key}_{at_once}"] = together(over, OURS, system, cell)
    told["failed"] = {
        system: count
        for system, cells in measured.items()
        if (count := sum(each.failed for rounds in cells.values() for each in rounds))
    }
    told["raw"] = {
        system: {cell: _row(each) for cell, each in cells.items()}
        for system, cells in measured.items()
    }
    return told


def _row(rounds: Rounds) -> dict[str, float | None]:
    return {
        "rps": _short(middle(rounds, _rate)),
        "p50_ms": _short(middle(rounds, lambda each: each.p50)),
        "p99_ms": _short(middle(rounds, lambda each: each.p99)),
    }


def _rate(each: Measured) -> float:
    return each.rate


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
