"""Fetch files for workers, in pieces; the token never leaves the edge."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from ..broker import FETCH_PIECE, Closed, Fetch, Fetched, Port, ToEdge, ToWorker
from ..errors import FileUnavailable
from .api import Api

log = logging.getLogger(__name__)

FETCHES: Final = 4
"""Files downloaded at once; with the 20 MB that Telegram hands out, 80 MB at most."""


class Files:
    """Answers :class:`~clawdcore.broker.Fetch`."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._free = asyncio.Semaphore(FETCHES)

    async def fetch(self, record: Fetch, port: Port[ToWorker, ToEdge]) -> None:
        """Fetch one file for the worker at ``port``."""
        async with self._free:
            try:
                data = await self._api.file(record.file_id)
            except FileUnavailable as error:
                await self._answer(port, Fetched(record.request, error=str(error)))
                return
            for start in range(0, max(len(data), 1), FETCH_PIECE):
                stop = start + FETCH_PIECE
                piece = Fetched(record.request, data[start:stop], more=stop < len(data))
                if not await self._answer(port, piece):
                    return

    async def _answer(self, port: Port[ToWorker, ToEdge], record: Fetched) -> bool:
        try:
            await port.send(record)
        except Closed:
            log.debug("a file came after the worker had gone")
            return False
        return True
