"""Planned calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..broker import Plan, ToWorker
from .ledger import Ledger


class Planned:
    def __init__(
        self, ledger: Ledger, *, call: Callable[[ToWorker], None], clock: Callable[[], float]
    ) -> None:
        pass

    async def run(self) -> None:
        await asyncio.Event().wait()

    def attach(self) -> None: ...
    def pause(self) -> None: ...
    def requeue(self) -> None: ...
    def plan(self, record: Plan) -> None: ...
    def called(self, id: int) -> None: ...
