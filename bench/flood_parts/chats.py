"""Plays a flood to a bot as people in Telegram, open loop, and reads what they got."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from typing import Final

from clawdcore.cli.rehearse_outcome import Asked, outcomes
from clawdcore.testing.botapi import BotApiServer

from .plan import Call
from .tally import Fate, Outcome

PERSON: Final = 10_000
GROUP: Final = -20_000
"""The ids of the first person and of the first group; groups go down from it."""
SETTLING: Final = 1.0
"""Seconds between looks whether everything has its outcome."""
SAYING: Final = {"sent", "edit"}
KINDS: Final[dict[str, Outcome]] = {
    "answered": "answered",
    "refused": "refused",
    "late": "refused",
    "failed": "failed",
    "open": "lost",
}
"""A notice that it is too late is a refusal; an answer that is late is an answer."""


def place(call: Call) -> tuple[int, int | None]:
    """Who writes, and the group it is in, None for in private.

    Each sender of each group is somebody of their own.
    """
    if call.kind == "direct":
        return PERSON + call.chat, None
    return PERSON + 1000 * (call.chat + 1) + call.sender, GROUP - call.chat


class Chats:
    """The people and groups of one server, and one flood in them."""

    def __init__(self, server: BotApiServer) -> None:
        self._server = server
        self._asked: list[Asked] = []
        self._number = 0
        self._groups: set[int] = set()

    async def play(
        self, calls: Sequence[Call], *, patience: float, texts: Sequence[str] = ()
    ) -> list[Fate]:
        """What became of each, ``patience`` seconds after the last at the latest.

        ``texts`` are what is written, in turn; without them each asks something else.
        """
        self._people(calls)
        self._asked = []
        after = max((record.n for record in self._server.records()), default=0)
        began = time.time()
        for call in calls:
            await asyncio.sleep(max(0.0, began + call.at - time.time()))
            self._say(call, began, texts)
        ends = time.time() + patience
        found = outcomes(self._asked, [])
        while time.time() < ends:
            await asyncio.sleep(SETTLING)
            said = (each for each in self._server.records(after) if each.kind in SAYING)
            found = outcomes(self._asked, [record.event() for record in said])
            if all(outcome.kind != "open" for outcome in found):
                break
        return [
            Fate(
                call=call,
                due=call.at,
                outcome=KINDS[outcome.kind],
                ended=math.inf if outcome.at is None else outcome.at - began,
                eta=outcome.eta,
            )
            for call, outcome in zip(calls, found, strict=True)
        ]

    def _people(self, calls: Sequence[Call]) -> None:
        for call in calls:
            person, group = place(call)
            if self._server.known_user(person) is None:
                self._server.user(person, f"Person {person}")
            if group is not None and group not in self._groups:
                self._groups.add(group)
                self._server.group(group, f"Group {-group}")

    def _say(self, call: Call, began: float, texts: Sequence[str]) -> None:
        person, group = place(call)
        self._number += 1
        text = texts[self._number % len(texts)] if texts else f"How was day {self._number}?"
        message = self.write(call, text, person, group)
        chat = person if group is None else group
        self._asked.append(Asked(began + call.at, person, chat, message, group is not None))

    def write(self, call: Call, text: str, person: int, group: int | None) -> int:
        """Have ``person`` write; the message's id."""
        user = self._server.known_user(person)
        assert user is not None
        number: int = self._server.say(user, text, group)["message_id"]
        return number
