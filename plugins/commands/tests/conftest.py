"""A bot with the plugin alone, and a local server in place of the three services."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from clawdbot_commands import Commands
from clawdcore import Backend
from clawdcore.testing import Harness

Answer = Callable[[web.Request], web.StreamResponse]


class Services(Harness):
    """A harness whose plugin asks a server on 127.0.0.1.

    ``answers`` are by path; ``asked`` holds the requests that came.
    """

    def __init__(
        self, options: dict[str, Any], others: tuple[object, ...], backend: Backend | None
    ) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[web.Request] = []
        self._runner: web.ServerRunner | None = None
        # The port is taken before the bot starts: its options name the address.
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._socket.getsockname()[1]
        root = f"http://127.0.0.1:{self._port}"
        roots = {"geocodingUrl": root, "weatherUrl": root, "ratesUrl": root}
        roots["wikiUrl"] = root + "/{language}"
        super().__init__(
            [Commands(lambda: datetime(2026, 1, 2, tzinfo=UTC)), *others],
            config={"plugins": [{"name": "commands", "options": {**roots, **options}}]},
            backend=backend,
            network=True,
        )
        self._run(self._listen())

    async def _listen(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request)  # type: ignore[arg-type]
        answer = self.answers.get(request.path)
        return web.Response(status=404) if answer is None else answer(request)  # type: ignore[arg-type]

    async def stall(self) -> None:
        """Take connections from now on, but never answer."""
        await self.hush()
        # The kernel completes connections of a listening socket that nobody accepts from.
        self._socket = socket.create_server(("127.0.0.1", self._port))

    async def hush(self) -> None:
        """End the server."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def close(self) -> None:
        """End the server, then the bot."""
        if not self.loop.is_closed():
            self.loop.run_until_complete(self.hush())
        super().close()
        self._socket.close()


@pytest.fixture
def make_services() -> Iterator[Callable[..., Services]]:
    """``make_services(*others, backend=None, **options)``: with ``others`` as further plugins."""
    with ExitStack() as stack:

        def make(*others: object, backend: Backend | None = None, **options: Any) -> Services:
            bot = Services(options, others, backend)
            stack.callback(bot.close)
            assert not bot.report.disabled, bot.report.disabled
            return bot

        yield make


@pytest.fixture
def services(make_services: Callable[..., Services]) -> Services:
    """With room in time for a loaded machine."""
    return make_services(timeoutSeconds=30)
