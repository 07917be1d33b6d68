"""What requests are expected to take, learnt from what earlier ones took. Pure."""

from __future__ import annotations

from typing import Final

from ..backend import Priority
from .ask import Ask

PROMPT_WEIGHT: Final = 1.0
OUTPUT_WEIGHT: Final = 2.0
"""A generated token costs about two read ones (Sheng et al., OSDI 2024, section 3.1)."""
UNKNOWN_OUTPUT: Final = 256.0
"""Tokens of an answer, before any was seen."""
GAIN: Final = 1 / 16
"""How much one request moves a mean, in the end; the first ones are a plain mean.
Half of TCP's 1/8 (RFC 6298): answers differ more in length than round trips do."""
DEVIATIONS: Final = 4.0
"""So many mean deviations above the mean little takes longer (RFC 6298, its K). With
one, every fifth request that starts at the last moment would end too late."""
LONGEST: Final = 2.0
"""Times the usual seconds that a request is foretold at most, however much it costs: what
costs many times the usual is mostly a long question, which a server reads at once."""
ENOUGH: Final = 8
"""So many requests must have been seen before anybody is refused for an estimate."""


def weigh(prompt_tokens: float, output_tokens: float) -> float:
    """Weighted tokens: what a request costs the server."""
    return PROMPT_WEIGHT * prompt_tokens + OUTPUT_WEIGHT * output_tokens


class Estimates:
    """Means that follow what is measured; seconds and weighted tokens."""

    def __init__(self) -> None:
        self._output: dict[Priority, float] = {}
        self._any_output = UNKNOWN_OUTPUT
        self._cost = 0.0
        self._seconds = 0.0
        self._deviation = 0.0
        self._seen = 0

    @property
    def known(self) -> bool:
        """Whether enough was measured to refuse somebody for it."""
        return self._seen >= ENOUGH

    def cost(self, ask: Ask) -> float:
        """The weighted tokens that a request will take; at least one."""
        output = self._output.get(ask.priority, self._any_output)
        if ask.output_tokens:
            output = min(output, float(ask.output_tokens))
        return max(1.0, weigh(ask.prompt_tokens, output))

    def observe(
        self,
        priority: Priority,
        prompt_tokens: float,
        output_tokens: float,
        seconds: float,
        *,
        expected: float | None = None,
    ) -> None:
        """Learn from a request that was done: what it took, and the seconds that it ran.

        ``expected`` is the cost that it had in line, None for what it really took. All
        that waits is counted in such costs, so seconds are learnt for them: else a first
        guess that was far too high would refuse everybody who was guessed alike.
        """
        mean = self._output.get(priority)
        self._output[priority] = (
            output_tokens if mean is None else mean + GAIN * (output_tokens - mean)
        )
        cost = weigh(prompt_tokens, output_tokens) if expected is None else expected
        cost = max(1.0, cost)
        off = abs(seconds - self._foretold(cost)) if self._seen else seconds / 2
        self._seen += 1
        gain = max(GAIN, 1 / self._seen)
        if self._seen == 1:
            self._any_output = output_tokens
        self._any_output += gain * (output_tokens - self._any_output)
        self._deviation += gain * (off - self._deviation)
        self._seconds += gain * (seconds - self._seconds)
        self._cost += gain * (cost - self._cost)

    def service(self, cost: float) -> float:
        """Seconds that a request of this cost mostly stays below, 0 while unknown."""
        if not self.known:
            return 0.0
        return self._foretold(cost) + DEVIATIONS * self._deviation

    def _foretold(self, cost: float) -> float:
        return self._seconds * min(cost / self._cost, LONGEST)

    @property
    def usual(self) -> float:
        """The weighted tokens of a usual request, 0 before the first."""
        return self._cost

    def rate(self, seats: int) -> float:
        """Weighted tokens a second with so many seats taken, 0 while unknown.

        Requests under way = rate of requests x seconds of each (Little's law).
        """
        if not self.known or self._seconds <= 0:
            return 0.0
        return seats * self._cost / self._seconds
