"""What plugins know of chats and do in them: rights, deletions, and what they listen to."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import Final

from ..broker import (
    Answered,
    AskMember,
    Bot,
    Closed,
    DeleteLater,
    Port,
    ToEdge,
    ToWorker,
)
from ..errors import ChatUnavailable
from ..hooks.chats import Chats, Member
from .listening import Listening

REMEMBERED: Final = 60.0
"""Seconds for which somebody's rights are not asked for again."""
PEOPLE: Final = 10_000
"""So many people's rights are remembered; the longest known go first."""
ANSWER_LIMIT: Final = 30.0
"""Seconds for one question to Telegram, through the edge; a call has 10 s there."""
LONGEST: Final = 48 * 3600.0
"""Seconds for which Telegram deletes a message (core.telegram.org/bots/api#deletemessage)."""
ALL: Final = Member(admin=True, can_delete=True)

Person = tuple[int, int]
"""A chat, and a user in it."""


class AllChats:
    """What all plugins share of it. ``bot`` is set once it is known who the bot is.

    ``clock`` gives seconds that only move forward.
    """

    def __init__(
        self,
        port: Port[ToEdge, ToWorker],
        listening: Listening,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.bot = Bot(0, "")
        self.listening = listening
        self._port = port
        self._clock = clock
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Answered]] = {}
        self._asking: dict[Person, asyncio.Future[Member]] = {}
        self._known: OrderedDict[Person, tuple[float, Member]] = OrderedDict()

    def of(self, plugin: str) -> Chats:
        """The part of one plugin."""
        return _PluginChats(self, plugin)

    def answered(self, record: Answered) -> None:
        """The edge has answered; whoever waited may have given up."""
        future = self._waiting.pop(record.request, None)
        if future is not None and not future.done():
            future.set_result(record)

    async def member(self, chat: int, user: int) -> Member:
        """As :meth:`clawdcore.Chats.member`."""
        if chat > 0:
            return ALL
        if user == chat:
            return Member(admin=True)  # anonymous admins write under the group's own id
        person = (chat, user)
        known = self._known.get(person)
        if known is not None and self._clock() < known[0]:
            return known[1]
        asking = self._asking.get(person)
        if asking is None:
            asking = self._asking[person] = asyncio.ensure_future(self._ask(person))
            asking.add_done_callback(lambda _: self._asking.pop(person, None))
        # Who gives up waiting must not take the answer from the others.
        return await asyncio.shield(asking)

    async def _ask(self, person: Person) -> Member:
        chat, user = person
        answer = await self._request(lambda number: AskMember(number, chat, user))
        self._known[person] = self._clock() + REMEMBERED, answer.member
        self._known.move_to_end(person)
        if len(self._known) > PEOPLE:
            self._known.popitem(last=False)
        return answer.member

    async def delete(self, chat: int, message: int, after: float) -> None:
        """As :meth:`clawdcore.Chats.delete`."""
        if not math.isfinite(after) or not 0 <= after <= LONGEST:
            raise ValueError(f"a message is deleted in 0 to {LONGEST:.0f} seconds, not {after}")
        await self._request(lambda number: DeleteLater(number, chat, message, after))

    def forget(self, user: int) -> None:
        """Nothing is known of ``user`` any more."""
        for person in [person for person in self._known if person[1] == user]:
            del self._known[person]

    async def close(self) -> None:
        """Ask nothing more."""
        asking = set(self._asking.values())
        for each in asking:
            each.cancel()
        if asking:
            await asyncio.wait(asking)

    async def _request(self, record: Callable[[int], AskMember | DeleteLater]) -> Answered:
        number = next(self._numbers)
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            async with asyncio.timeout(ANSWER_LIMIT):
                await self._port.send(record(number))
                answer = await future
        except Closed:
            raise ChatUnavailable("the bot is stopping.") from None
        except TimeoutError:
            raise ChatUnavailable("Telegram did not answer in time.") from None
        finally:
            self._waiting.pop(number, None)
        if answer.error:
            raise ChatUnavailable(answer.error, fix="Check that the bot is still in the chat.")
        return answer


class _PluginChats:
    """A :class:`~clawdcore.Chats` of one plugin."""

    def __init__(self, chats: AllChats, plugin: str) -> None:
        self._chats = chats
        self._plugin = plugin

    @property
    def hears_all(self) -> bool:
        return self._chats.bot.reads_all_groups

    async def member(self, chat: int, user: int) -> Member:
        return await self._chats.member(chat, user)

    async def me(self, chat: int) -> Member:
        return await self._chats.member(chat, self._chats.bot.id)

    async def delete(self, chat: int, message: int, *, after: float = 0.0) -> None:
        await self._chats.delete(chat, message, after)

    async def hear(self, chat: int, on: bool) -> None:
        await self._chats.listening.set(self._plugin, chat, on=on)

    def hears(self, chat: int) -> bool:
        return self._plugin in self._chats.listening.of(chat)
