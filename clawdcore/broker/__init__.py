"""What passes between the edge and the worker, and how it gets across."""

from __future__ import annotations

from .contract import (
    Bot,
    Closed,
    Commands,
    Deliver,
    Delivered,
    Done,
    Draft,
    Fetch,
    Fetched,
    Hello,
    Outcome,
    Port,
    Send,
    Started,
    Target,
    ToEdge,
    ToWorker,
)
from .memory import memory_broker

__all__ = [
    "Bot",
    "Closed",
    "Commands",
    "Deliver",
    "Delivered",
    "Done",
    "Draft",
    "Fetch",
    "Fetched",
    "Hello",
    "Outcome",
    "Port",
    "Send",
    "Started",
    "Target",
    "ToEdge",
    "ToWorker",
    "memory_broker",
]
