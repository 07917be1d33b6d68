"""Calls to the Bot API for the checks: as the bot makes them, but telling more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self

import httpx

from ...errors import ChannelUnreachable

TIMEOUT: Final = 8.0
"""Seconds for one call."""
CONNECTIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to.

    ``result`` where ``ok``, else ``description`` and ``parameters``;
    ``seconds`` is how long it took. ``skew`` is how far the server's clock is
    ahead of ours in seconds (negative: behind), None where it does not say.
    """

    ok: bool
    code: int
    seconds: float
    skew: float | None = None
    result: Any = None
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


class BotApi:
    """The server at ``root``, for the bot with ``token``; an async context manager.

    Like the bot's own connection it goes through a proxy that the environment
    names.
    """

    def __init__(self, root: str, token: str) -> None:
        self.root = root.rstrip("/")
        self._token = token
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT, limits=httpx.Limits(max_connections=CONNECTIONS)
        )
        self._shared: dict[str, asyncio.Task[Answer]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._shared.values():
            task.cancel()
        await asyncio.gather(*self._shared.values(), return_exceptions=True)
        await self._client.aclose()

    async def me(self) -> Answer:
        """getMe, asked once for all checks. Raises ChannelUnreachable."""
        return await self._once("getMe", self.call("getMe"))

    async def webhook(self) -> Answer:
        """getWebhookInfo, asked once for all checks. Raises ChannelUnreachable."""
        return await self._once("getWebhookInfo", self.call("getWebhookInfo"))

    async def accepted(self) -> dict[str, Any] | None:
        """The bot, or None where the server is out of reach or refuses the token."""
        try:
            answer = await self.me()
        except ChannelUnreachable:
            return None
        return answer.result if answer.ok else None

    async def call(self, method: str, *, patience: float = 0.0, **parameters: Any) -> Answer:
        """One call; ``patience`` is how many seconds more than usual it may take.

        Raises:
            ChannelUnreachable: no answer, or none of a Bot API server.
        """
        url = f"{self.root}/bot{self._token}/{method}"
        begun, asked = time.time(), time.monotonic()
        try:
            response = await self._client.post(url, json=parameters, timeout=TIMEOUT + patience)
            seconds = time.monotonic() - asked
            body = response.json()
            if not isinstance(body, dict) or not isinstance(body.get("ok"), bool):
                raise ValueError("no answer of a Bot API server")
        except (httpx.HTTPError, ValueError) as error:
            raise ChannelUnreachable(
                f"the Bot API at {self.root} can't be reached ({type(error).__name__}); "
                "neither the token nor what depends on it was checked.",
                fix="Check the network, a proxy, and channels.telegram.apiRoot.",
            ) from None
        return Answer(
            ok=body["ok"],
            code=response.status_code,
            seconds=seconds,
            skew=_skew(response.headers.get("Date", ""), begun, begun + seconds),
            result=body.get("result"),
            description=str(body.get("description", "")),
            parameters=body.get("parameters") or {},
        )

    async def _once(self, name: str, call: Coroutine[Any, Any, Answer]) -> Answer:
        if name in self._shared:
            call.close()
        else:
            self._shared[name] = asyncio.create_task(call)
        return await asyncio.shield(self._shared[name])


def _skew(date: str, begun: float, ended: float) -> float | None:
    """How far ``date``, a whole second, lies outside of the time of the call."""
    try:
        told = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
    if told > ended:
        return told - ended
    return min(0.0, told + 1.0 - begun)
