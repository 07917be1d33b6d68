"""Faults on demand: which of the next calls go wrong, and how."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal, get_args

FaultKind = Literal[
    "flood", "error", "unauthorized", "drop_before", "drop_after", "slow", "garbage"
]
"""What can go wrong with a call.

``flood``: 429 with ``retry_after`` seconds, no effect. ``error``: 500, no
effect. ``unauthorized``: 401, no effect. ``drop_before``: the connection is cut
before the call takes effect. ``drop_after``: it takes effect, then the
connection is cut. ``slow``: it takes effect, the answer comes ``seconds`` later.
``garbage``: it takes effect, the answer is not JSON.
"""


@dataclass(slots=True)
class Fault:
    """One rule. ``method`` None is any; ``times`` None is for ever; 0 ≤ probability ≤ 1."""

    kind: FaultKind
    method: str | None = None
    times: int | None = 1
    probability: float = 1.0
    retry_after: int = 1
    seconds: float = 0.0


class Faults:
    """The rules in force, the earliest added first. ``seed`` makes chance repeatable."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a rule in force.

        Raises:
            ValueError: an unknown kind, or a probability outside 0 to 1.
        """
        if fault.kind not in get_args(FaultKind):
            known = ", ".join(get_args(FaultKind))
            raise ValueError(f"unknown fault {fault.kind!r}: one of {known}")
        if not 0 <= fault.probability <= 1:
            raise ValueError("a probability is between 0 and 1")
        self._rules.append(fault)

    def clear(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def take(self, method: str) -> Fault | None:
        """The fault that this call meets, or None; uses up one of the rule's times."""
        for fault in self._rules:
            if fault.method is not None and fault.method.lower() != method.lower():
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._rules.remove(fault)
            return fault
        return None
