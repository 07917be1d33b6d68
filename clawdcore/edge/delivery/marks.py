"""Signs that the bot is at work: a typing mark a chat, a reaction for each asker.

Best effort: they take only tokens that no final answer wants, and none where one
waits for the same chat. What fails is let go.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from ...broker import Target
from ..api import Api, FloodWait, Reason, Rejected
from .gate import Gate
from .pace import Tokens
from .tasks import begin

log = logging.getLogger(__name__)

MARK_DELAY: Final = 0.3
"""Seconds of work before there is a sign of it: most commands are quicker."""
TYPING_EVERY: Final = 4.5
"""Telegram shows "typing" for 5 s (core.telegram.org/bots/api#sendchataction)."""
TYPING_LIMIT: Final = 120.0
"""Seconds for which one update shows that it is worked on."""
BUDGET: Final = 5
"""Typing marks a second, and as many reactions, over all chats."""
REACTION: Final = "👀"
REACTIONS_WAITING: Final = 100
REFUSED_FOR: Final = 3600.0
"""Seconds until a chat that refuses reactions is asked again."""
REFUSALS: Final = 1_000

Place = tuple[int, int | None]
"""A chat and a topic of it."""


class _Work(msgspec.Struct):
    """The updates of one place that are worked on, each with when its marks end."""

    target: Target
    until: dict[int, float]
    over: asyncio.Event


class Marks:
    """Typing marks and reactions; ``busy`` tells whether a final answer waits for a chat."""

    def __init__(self, api: Api, gate: Gate, busy: Callable[[int], bool]) -> None:
        self._api = api
        self._gate = gate
        self._busy = busy
        self._places: dict[Place, _Work] = {}
        self._of: dict[int, Place] = {}
        self._typing = Tokens(BUDGET, 1.0)
        self._reacting = Tokens(BUDGET, 1.0)
        self._reactions: deque[tuple[int, int, int, float]] = deque(maxlen=REACTIONS_WAITING)
        self._reactor: asyncio.Task[None] | None = None
        self._quiet: OrderedDict[int, float] = OrderedDict()
        self._mute: OrderedDict[int, float] = OrderedDict()

    def working(
        self, update: int, target: Target, message_id: int, tasks: asyncio.TaskGroup
    ) -> None:
        """Work on an update begins; ``message_id`` is what its asker wrote, 0 for nothing."""
        if update in self._of:
            return
        now = asyncio.get_running_loop().time()
        place = (target.chat_id, target.topic)
        self._of[update] = place
        work = self._places.get(place)
        if work is None:
            work = self._places[place] = _Work(target, {}, asyncio.Event())
            begin(tasks, self._type(work))
        work.until[update] = now + TYPING_LIMIT
        if not target.private and message_id and self._may(self._mute, target.chat_id, now):
            self._reactions.append((update, target.chat_id, message_id, now + MARK_DELAY))
            if self._reactor is None or self._reactor.done():
                self._reactor = begin(tasks, self._react())

    def rested(self, update: int) -> None:
        """Nobody works on the update any more."""
        place = self._of.pop(update, None)
        if place is None:
            return
        work = self._places[place]
        work.until.pop(update, None)
        if not work.until:
            work.over.set()
            del self._places[place]

    def forget(self, chat_id: int) -> None:
        """No more marks for a chat."""
        for update in [u for u, place in self._of.items() if place[0] == chat_id]:
            self.rested(update)

    def close(self) -> None:
        """No more marks at all."""
        for update in list(self._of):
            self.rested(update)

    async def _type(self, work: _Work) -> None:
        """One mark after another while there is work in this place."""
        loop = asyncio.get_running_loop()
        pause = MARK_DELAY
        while not work.over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await work.over.wait()
                return
            pause = TYPING_EVERY
            await self._one_typing(work.target)
            now = loop.time()
            for update in [u for u, until in work.until.items() if until <= now]:
                self.rested(update)

    async def _one_typing(self, target: Target) -> None:
        now = asyncio.get_running_loop().time()
        chat_id = target.chat_id
        if self._busy(chat_id) or not self._typing.free(now):
            return
        if not self._may(self._quiet, chat_id, now):
            return
        ticket = self._gate.try_enter(chat_id, counts=False)
        if ticket is None:
            return
        self._typing.take()
        try:
            await self._api.typing(target)
        except FloodWait as wait:
            _until(self._quiet, chat_id, now + wait.seconds)
        except Rejected:
            _until(self._quiet, chat_id, now + REFUSED_FOR)
        except Exception as error:  # noqa: BLE001 - one mark must not end the edge
            log.debug("a typing mark was not shown: %s", type(error).__name__)
        finally:
            self._typing.ended(asyncio.get_running_loop().time())
            self._gate.leave(ticket)

    async def _react(self) -> None:
        """Reactions one after the other; the oldest is let go where too many wait."""
        loop = asyncio.get_running_loop()
        while self._reactions:
            update, chat_id, message_id, at = self._reactions[0]
            now = loop.time()
            wait = max(at, self._reacting.next_at(now)) - now
            if update not in self._of or not self._may(self._mute, chat_id, now):
                self._reactions.popleft()
            elif wait > 0:
                await asyncio.sleep(wait)
            else:
                self._reactions.popleft()
                if not self._busy(chat_id):
                    await self._one_reaction(chat_id, message_id, now)

    async def _one_reaction(self, chat_id: int, message_id: int, now: float) -> None:
        ticket = self._gate.try_enter(chat_id, counts=False)
        if ticket is None:
            return
        self._reacting.take()
        try:
            await self._api.react(chat_id, message_id, REACTION)
        except FloodWait as wait:
            _until(self._mute, chat_id, now + wait.seconds)
        except Rejected as refused:
            if refused.reason is not Reason.NOT_FOUND:
                _until(self._mute, chat_id, now + REFUSED_FOR)
        except Exception as error:  # noqa: BLE001 - one mark must not end the edge
            log.debug("a reaction was not shown: %s", type(error).__name__)
        finally:
            self._reacting.ended(asyncio.get_running_loop().time())
            self._gate.leave(ticket)

    def _may(self, refused: OrderedDict[int, float], chat_id: int, now: float) -> bool:
        return refused.get(chat_id, now) <= now


def _until(refused: OrderedDict[int, float], chat_id: int, at: float) -> None:
    refused[chat_id] = at
    refused.move_to_end(chat_id)
    if len(refused) > REFUSALS:
        refused.popitem(last=False)
