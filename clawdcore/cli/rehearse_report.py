"""A rehearsal's numbers for people, and for programs. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from .rehearse_advice import Advice
from .rehearse_measure import Result
from .rehearse_pressure import Pressure


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is told at the end; ``pressure`` None where the bot gave no numbers."""

    profile: str
    goal: float
    result: Result
    pressure: Pressure | None
    rung: str
    advice: Advice
    interrupted: bool = False

    @property
    def met(self) -> bool:
        """Whether the goal was reached, so far, and nothing was lost."""
        return not self.result.lost and (self.result.success or 0.0) >= self.goal

    def as_json(self) -> dict[str, Any]:
        """One object: the numbers, the pressure, the advice."""
        result = self.result
        return {
            "profile": self.profile,
            "goal": self.goal,
            "met": self.met,
            "interrupted": self.interrupted,
            "success": result.success,
            **msgspec.to_builtins(result),
            "rung": self.rung,
            "queue": msgspec.to_builtins(self.pressure),
            "advice": msgspec.to_builtins(self.advice),
        }

    def lines(self) -> list[str]:
        """The report, a line each."""
        result = self.result
        success = "nothing measured" if result.success is None else f"{result.success:.1%}"
        rows = [
            ("profile", f"{self.profile}, {result.seconds:.0f} s"),
            ("sent", f"{result.sent}, of which {result.addressed + result.open} to the bot"),
            ("answered", f"{result.answered}, {result.in_time} of them in time"),
            ("success", f"{success}; the goal is {self.goal:.1%}"),
            ("latency", _latency(result)),
            ("refused", _refused(result)),
            ("late", str(result.late)),
            ("failed", str(result.failed)),
            ("lost", str(result.lost)),
            ("in flight", self._in_flight()),
            ("429s", f"{result.turned_away} messages turned away by Telegram's limits"),
        ]
        if result.open:
            rows.append(("open", f"{result.open} when it was interrupted"))
        if self.pressure is not None:
            rows.append(("queue", _queue(self.pressure, self.rung)))
        verdict = "SO FAR" if self.interrupted else "PASS" if self.met else "FAIL"
        words = f"{verdict}: {self.advice.line()}"
        return [*(f"{name:<10} {value}" for name, value in rows), "", words]

    def _in_flight(self) -> str:
        if self.result.in_flight is None:
            return "not measured"
        words = f"{self.result.in_flight:.2f} (rate × latency)"
        if self.pressure is not None:
            words += f"; the bot's queue held {self.pressure.load:.2f} on average"
        return words


def _latency(result: Result) -> str:
    if result.mean is None or result.p50 is None or result.p99 is None:
        return "not measured"
    words = f"mean {result.mean:.2f} s, median {result.p50:.2f} s, p99 {result.p99:.2f} s"
    for name, value in (("private", result.private_mean), ("groups", result.group_mean)):
        if value is not None:
            words += f"; {name} {value:.2f} s"
    return words


def _refused(result: Result) -> str:
    if result.etas is None:
        return str(result.refused)
    least, most = result.etas
    return f"{result.refused}, told to come back in {least:g} to {most:g} s"


def _queue(pressure: Pressure, rung: str) -> str:
    refused = ", ".join(f"{reason} {count}" for reason, count in pressure.refused.items())
    return (
        f"{pressure.server}: limit {pressure.limit} of {pressure.ceiling}, at most "
        f"{pressure.most_waiting} waited of {pressure.bound}; refused: {refused or 'none'}; "
        f"given up: {rung.replace('_', ' ')}"
    )
