"""Exact books: what came in, and what became of it. Counts only."""

from __future__ import annotations

import msgspec

from ..broker import Outcome


class Books(msgspec.Struct):
    """``accepted = answered + noticed + unaddressed + skipped + open``, always.

    ``broken`` are pieces that were no update, ``repeated`` updates that had come
    before; neither is accepted. ``undelivered`` counts replies that Telegram
    refused; their updates have an outcome all the same.
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

    def summary(self) -> str:
        """The books in one line."""
        return (
            f"{self.accepted} accepted = {self.answered} answered + {self.noticed} noticed + "
            f"{self.unaddressed} not addressed + {self.skipped} skipped + {self.open} open; "
            f"{self.sent} replies sent, {self.undelivered} not deliverable"
        )
