"""The servers of a provider, and one request's way through them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from types import TracebackType
from typing import Final

from clawdcore import BackendUnavailable, Overloaded

from . import loads, picking, retrying
from .client import Client, refused
from .failures import AttemptFailed, Where
from .http import Response
from .options import VllmOptions
from .servers import Server
from .watch import Watch

WHOLE_ANSWER: Final = 600.0
"""Seconds for an answer that comes in one piece, as OpenAI's own client allows."""


class Fleet:
    """Made inside a running loop; :meth:`start` and :meth:`close` belong together."""

    def __init__(
        self, provider: str, servers: Sequence[Server], options: VllmOptions, random: Random
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.provider = provider
        self.servers = servers
        self.options = options
        self.client = Client()
        self._random = random
        self.closed = False
        self._budget = retrying.Budget()
        self._watch = Watch(provider, servers, self.client, metrics=options.metrics, random=random)

    def start(self) -> None:
        self._watch.start()

    async def close(self) -> None:
        self.closed = True
        await self._watch.close()
        await self.client.close()

    def looked(self, now: float) -> None:
        """Somebody wants to know how the servers are."""
        self._watch.looked(now)

    def where(self, server: Server, model: str = "") -> Where:
        return Where(self.provider, server.name, model)

    def attempts(self, model: str, deadline: float | None) -> Attempts:
        """The attempts of a new request."""
        self._budget.request()
        return Attempts(self, model, deadline)

    def pick(self, now: float, tried: Sequence[Server]) -> Server:
        """As :func:`.picking.pick`.

        Raises:
            BackendUnavailable: it was closed.
            Overloaded: all that could take it are full.
        """
        if self.closed:
            raise not_started(self.provider)
        most = self.options.max_concurrent
        server = picking.pick(self.servers, now, self._random, without=tried, most=most)
        if server is None:
            raise Overloaded(
                f"{self.provider} holds {most} requests on each of its servers already.",
                retry_after=min(loads.wait(server) for server in self.servers),
                fix="Ask again later.",
            )
        return server

    def blame(self, server: Server, failed: AttemptFailed) -> None:
        """Remember a failure, for which the server may be left out for a while."""
        self._watch.failed(server, failed.kind, self.loop.time())

    def pause(
        self,
        failed: AttemptFailed,
        server: Server,
        tried: Sequence[Server],
        *,
        begun: bool,
        deadline: float | None,
    ) -> float | None:
        """Blame ``server``, the last of ``tried``; the seconds until the next attempt, if any."""
        now = self.loop.time()
        self.blame(server, failed)
        if begun or self.closed:
            return None
        return retrying.pause(
            failed.kind,
            len(tried),
            most=self.options.retries,
            elsewhere=any(other.up and other not in tried for other in self.servers),
            left=None if deadline is None else deadline - now,
            budget=self._budget,
        )

    def exchange(
        self,
        server: Server,
        model: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        streamed: bool,
        deadline: float | None,
        takes: Callable[[int], bool],
    ) -> Exchange:
        """One request to one server; ``takes`` says which status is an answer."""
        seconds = self.options.headers_timeout if streamed else WHOLE_ANSWER

        async def send(where: Where) -> Response:
            return await self.client.post(
                where,
                server.address,
                path,
                body,
                headers,
                seconds=seconds,
                deadline=deadline,
                option="headersTimeout",
            )

        self._watch.used(self.loop.time())
        return Exchange(self.where(server, model), server, send, takes, streamed=streamed)


class Exchange:
    """One request and its answer. Leaving it early closes the call."""

    response: Response
    """From :meth:`open` on."""

    def __init__(
        self,
        where: Where,
        server: Server,
        send: Callable[[Where], Awaitable[Response]],
        takes: Callable[[int], bool],
        *,
        streamed: bool,
    ) -> None:
        self.where = where
        self.server = server
        self._send = send
        self._takes = takes
        self._streamed = streamed
        self._began = 0.0
        self._waits = True

    async def open(self) -> None:
        """Send it, and wait for its answer to begin; then :meth:`close` is owed.

        Raises:
            AttemptFailed: no answer began, or one with a status that ``takes`` doesn't take.
        """
        self._began = asyncio.get_running_loop().time()
        self.server.in_flight += 1
        response: Response | None = None
        try:
            response = await self._send(self.where)
            if not self._takes(response.status):
                raise await refused(self.where, response, wait=loads.wait(self.server))
        except BaseException:
            self.server.in_flight -= 1
            if response is not None:
                response.close()
            raise
        self.response = response
        picking.answered(self.server)
        if not self._streamed:
            self.came()

    def close(self, *, whole: bool) -> None:
        """It is over; ``whole`` is whether all was read that was wanted."""
        if whole:
            loads.finished(self.server, self.response.loop.time() - self._began)
        self.server.in_flight -= 1
        self.response.close()  # a whole answer gave its connection back before this

    async def __aenter__(self) -> Exchange:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(whole=error is None)

    def came(self) -> None:
        """Bytes of the answer are here; the first ones tell how fast the server answers."""
        if self._waits:
            self._waits = False
            loads.answered(self.server, self.response.loop.time() - self._began)


class Attempts:
    """One request's attempts, each at the server that :meth:`server` names."""

    def __init__(self, fleet: Fleet, model: str, deadline: float | None) -> None:
        self._fleet = fleet
        self._model = model
        self._deadline = deadline
        self._tried: list[Server] = []

    def server(self) -> Server:
        """Raises :class:`~clawdcore.Overloaded` where all are full."""
        server = self._fleet.pick(self._fleet.loop.time(), self._tried)
        self._tried.append(server)
        return server

    async def failed(self, failed: AttemptFailed, *, begun: bool = False) -> None:
        """Wait until it may be tried again; ``begun`` is whether a token came.

        Raises:
            BackendError: it may not, and this is why the request failed.
        """
        pause = self._fleet.pause(
            failed, self._tried[-1], self._tried, begun=begun, deadline=self._deadline
        )
        if pause is None:
            raise failed.error from None
        await asyncio.sleep(pause)


def not_started(provider: str) -> BackendUnavailable:
    """The error of a backend that is asked before its start or after its end."""
    return BackendUnavailable(f"{provider} is not started.", fix="Start the bot anew.")
