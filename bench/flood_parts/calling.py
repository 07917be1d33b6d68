"""Plays a flood to an OpenAI API, open loop: each call when due, whatever came of the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import aiohttp

from .plan import Call
from .sides import MODEL, token
from .tally import Fate

BACK: Final = 1.25
"""Who was refused comes again after so many times the seconds that it was told."""
MOST_TOKENS: Final = 256
"""Of an answer."""
REFUSALS: Final = {408, 429, 503, 504}
CLASSES: Final = {"direct": "interactive", "group": "default", "media": "bulk"}
"""The classes of others' gateways, in their header; ours knows each token's class."""


class Caller:
    """Asks at ``root``; one may take ``patience`` seconds until it is lost."""

    def __init__(self, root: str, *, patience: float) -> None:
        self._url = f"{root}/v1/chat/completions"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=patience),
        )
        self._number = 0

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def ask(self, call: Call, due: float, began: float, *, again: bool = False) -> Fate:
        """One call, and what became of it; ``began`` is when the clock said 0."""
        self._number += 1
        fate = Fate(call=call, due=due, again=again)
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": f"{self._number}. " + "How was it? " * 20}],
            "max_tokens": MOST_TOKENS,
            "user": f"sender-{call.sender}",
        }
        headers = {
            "Authorization": f"Bearer {token(call.kind, call.chat)}",
            "x-smg-priority": CLASSES[call.kind],
        }
        try:
            async with self._session.post(self._url, json=body, headers=headers) as answer:
                if answer.status == 200:
                    said = await answer.json(content_type=None)
                    fate.tokens = said["usage"]["completion_tokens"]
                    fate.outcome = "answered"
                elif answer.status in REFUSALS:
                    fate.outcome = "refused"
                    after = answer.headers.get("Retry-After")
                    fate.eta = float(after) if after is not None else None
                else:
                    fate.outcome = "failed"
        except TimeoutError:
            return fate
        except aiohttp.ClientError:
            fate.outcome = "failed"
        fate.ended = time.monotonic() - began
        return fate


async def play(
    calls: Sequence[Call], root: str, *, patience: float, returning_until: float = 0.0
) -> list[Fate]:
    """What became of each.

    Who is refused with a time comes again once, if that is before ``returning_until``
    seconds; this is a fate of its own.
    """
    fates: list[Fate] = []
    caller = Caller(root, patience=patience)
    began = time.monotonic()

    async def one(call: Call) -> None:
        fate = await caller.ask(call, call.at, began)
        fates.append(fate)
        if fate.outcome != "refused" or fate.eta is None:
            return
        due = fate.ended + BACK * max(1.0, fate.eta)
        if due < returning_until:
            await asyncio.sleep(max(0.0, began + due - time.monotonic()))
            fates.append(await caller.ask(call, due, began, again=True))

    try:
        async with asyncio.TaskGroup() as tasks:
            for call in calls:
                await asyncio.sleep(max(0.0, began + call.at - time.monotonic()))
                tasks.create_task(one(call))
    finally:
        await caller.close()
    return fates


async def closed(root: str, *, at_once: int, seconds: float, patience: float) -> list[Fate]:
    """So many callers who each ask again as soon as they are answered."""
    fates: list[Fate] = []
    caller = Caller(root, patience=patience)
    began = time.monotonic()

    async def one(person: int) -> None:
        while (due := time.monotonic() - began) < seconds:
            fates.append(await caller.ask(Call(due, True, "direct", person), due, began))

    try:
        async with asyncio.TaskGroup() as tasks:
            for person in range(at_once):
                tasks.create_task(one(person))
    finally:
        await caller.close()
    return fates
