"""Whether a request that failed before its first token is tried again. No IO here."""

from __future__ import annotations

from typing import Final

import msgspec

from .failures import Kind

SHARE: Final = 0.1
"""Retries that each request earns, and :data:`BURST` the most that can be saved up.

Numbers of gRPC's retry throttling (proposal A6: tokenRatio 0.1, maxTokens 10);
the idea of a budget instead of a fixed count is Finagle's RetryBudget. When
everything fails, retries add a tenth to the load instead of tripling it.
"""
BURST: Final = 10.0
PAUSE: Final = 0.1
"""Seconds before the same server is asked again, doubled for the second time."""
ROUNDING: Final = 1e-9


class Rule(msgspec.Struct, frozen=True):
    """``same`` is whether the same server may be asked again, ``charged`` whether it costs."""

    same: bool
    charged: bool


RULES: Final = {
    # Whoever refuses or drops a connection does no work for it: another attempt adds no load.
    Kind.UNREACHABLE: Rule(same=True, charged=False),
    Kind.CUT: Rule(same=True, charged=False),
    Kind.DEAD: Rule(same=False, charged=False),
    Kind.SLOW: Rule(same=False, charged=True),
    Kind.BUSY: Rule(same=False, charged=True),
    Kind.BROKEN: Rule(same=True, charged=True),
}
"""Kinds of failure that another attempt may mend."""


class Budget:
    """A bucket of retries over all requests of a backend; it starts full."""

    def __init__(self) -> None:
        self._left = BURST

    def request(self) -> None:
        """A request came, which earns :data:`SHARE` of a retry."""
        self._left = min(BURST, self._left + SHARE)

    def take(self) -> bool:
        """Whether there is one, which is then spent."""
        if self._left < 1.0 - ROUNDING:
            return False
        self._left -= 1.0
        return True


def pause(
    kind: Kind, tries: int, *, most: int, elsewhere: bool, left: float | None, budget: Budget
) -> float | None:
    """Seconds to wait before the next attempt, None for not to try again.

    ``tries`` attempts were made, of which ``most`` may be retries. ``elsewhere``
    is whether a server that stands and was not tried is left, ``left`` the seconds
    until the deadline, None for none.
    """
    rule = RULES.get(kind)
    if rule is None or tries > most:
        return None
    if not (elsewhere or rule.same):
        return None
    wait = 0.0 if elsewhere else PAUSE * 2.0 ** (tries - 1)
    if left is not None and left <= wait:
        return None
    if rule.charged and not budget.take():
        return None
    return wait
