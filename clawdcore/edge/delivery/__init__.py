"""Hand replies out: paced, in order, merged, retried, split, exactly once on the books.

:class:`Delivery` is what the edge uses. What decides is pure and stands in
modules of its own: how fast (``pace``), whose turn (``schedule``), what goes
together (``merging``), what is tried again (``retrying``), what message ids say
about a send that was not confirmed (``known``).
"""

from __future__ import annotations

from .delivery import STOPPED, Delivery
from .lane import LANE_LIMIT
from .pace import Pace
from .retrying import FLOOD_RETRIES, PATIENCE, UNKNOWN_RETRIES
from .streams import DRAFT_PAUSE

__all__ = [
    "DRAFT_PAUSE",
    "FLOOD_RETRIES",
    "LANE_LIMIT",
    "PATIENCE",
    "STOPPED",
    "UNKNOWN_RETRIES",
    "Delivery",
    "Pace",
]
