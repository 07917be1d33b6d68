"""Exact books: what came in, and what became of it. Counts only."""

from __future__ import annotations

from typing import Final

import msgspec

from ..broker import Outcome

UNKNOWN: Final = "unknown"
"""A receipt's error where the reply may have arrived all the same."""


class Books(msgspec.Struct):
    """``accepted = answered + noticed + unaddressed + skipped + open``, always.

    ``broken`` are pieces that were no update, ``repeated`` updates that had come
    before; neither is accepted. ``undelivered`` counts replies that did not go
    out and ``unknown`` those that may have; their updates have an outcome all the
    same.
    """

    accepted: int = 0
    answered: int = 0
    noticed: int = 0
    unaddressed: int = 0
    skipped: int = 0
    broken: int = 0
    repeated: int = 0
    sent: int = 0
    undelivered: int = 0
    unknown: int = 0

    @property
    def open(self) -> int:
        """Accepted and not yet settled."""
        return self.accepted - self.answered - self.noticed - self.unaddressed - self.skipped

    def settle(self, outcome: Outcome) -> None:
        """Count the outcome of one update."""
        match outcome:
            case Outcome.ANSWERED:
                self.answered += 1
            case Outcome.NOTICED:
                self.noticed += 1
            case Outcome.UNADDRESSED:
                self.unaddressed += 1
            case Outcome.SKIPPED:
                self.skipped += 1

    def deliver(self, error: str) -> None:
        """Count one reply by its receipt's ``error``."""
        if not error:
            self.sent += 1
        elif error == UNKNOWN:
            self.unknown += 1
        else:
            self.undelivered += 1

    def summary(self) -> str:
        """The books in one line."""
        return (
            f"{self.accepted} accepted = {self.answered} answered + {self.noticed} noticed + "
            f"{self.unaddressed} not addressed + {self.skipped} skipped + {self.open} open; "
            f"{self.sent} replies sent, {self.undelivered} not deliverable, "
            f"{self.unknown} unknown"
        )
