"""The local Bot API server, which also counts calls under way, and lets downloads fail."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from aiohttp import web

from clawdcore.testing.botapi import BotApiServer
from clawdcore.testing.botapi.errors import ApiError
from clawdcore.testing.botapi.spec import Method


class CountingServer(BotApiServer):
    """Counts, besides what the server counts itself.

    ``in_flight`` are calls that show an answer and are under way now; ``refused``
    are answers of 429, by method. A fault of the method ``download`` meets files.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.in_flight = 0
        self.refused: Counter[str] = Counter()

    async def _answer(self, request: web.Request, method: Method) -> web.StreamResponse:
        shows = method.name in ("sendMessage", "editMessageText")
        self.in_flight += shows
        try:
            return await super()._answer(request, method)
        except ApiError as error:
            if error.code == 429:
                self.refused[method.name] += 1
            raise
        finally:
            self.in_flight -= shows

    async def _download(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.take("download")
        kind = fault.kind if fault is not None else ""
        statuses = {"flood": 429, "error": 500, "unauthorized": 401}
        if kind in statuses:
            return web.Response(status=statuses[kind])
        answer = await super()._download(request)
        if kind in ("drop_before", "drop_after"):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if fault is not None and kind == "slow":
            await asyncio.sleep(fault.seconds)
        if kind == "garbage":
            return web.Response(body=b"\xff")
        return answer
