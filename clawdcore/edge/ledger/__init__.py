"""The ledger: which updates we have, and how far each is. Ids and times, never content."""

from __future__ import annotations

from .disk import UNKNOWN
from .failures import LedgerNewer, LedgerTaken
from .files import LEDGER_FILE
from .reading import Summary, read_all, read_summary
from .rules import Remedy, Row, State, Verdict, left_over
from .store import Deletion, Ledger

__all__ = [
    "LEDGER_FILE",
    "UNKNOWN",
    "Deletion",
    "Ledger",
    "LedgerNewer",
    "LedgerTaken",
    "Remedy",
    "Row",
    "State",
    "Summary",
    "Verdict",
    "left_over",
    "read_all",
    "read_summary",
]
