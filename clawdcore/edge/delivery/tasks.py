"""Begin a task in a group that may be about to end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


def begin(group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """``work`` as a task of ``group``; None where the group takes no more, as it does at the end.

    What was to be done then stays where it is: :meth:`Delivery.close` or the ledger
    takes care of it.
    """
    try:
        return group.create_task(work)
    except RuntimeError:
        work.close()
        return None
