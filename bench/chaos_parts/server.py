"""The local Bot API server, which also counts calls under way and refusals."""

from __future__ import annotations

from collections import Counter
from typing import Any

from aiohttp import web

from clawdcore.testing.botapi import BotApiServer
from clawdcore.testing.botapi.errors import ApiError
from clawdcore.testing.botapi.spec import Method


class CountingServer(BotApiServer):
    """Counts, besides what the server counts itself.

    ``in_flight`` are calls that show an answer and are under way now; ``refused``
    are answers of 429, by method.
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
