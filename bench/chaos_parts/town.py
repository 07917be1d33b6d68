"""People and groups, and what they write: seeded, at a steady rate, each with its own token."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

from clawdcore.testing.botapi import BotApiServer, Chat, User

from .books import Asked, Books
from .canaries import Canaries

DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
COMMANDS: Final = ("/echo", "/nap", "/stream", "/work", "/file")


class Town:
    """``people`` who write in private, and ``groups`` of some of them.

    ``in_groups`` is the share of messages that go to groups, ``doubled`` the share of
    updates that come twice.
    """

    def __init__(
        self,
        server: BotApiServer,
        books: Books,
        canaries: Canaries,
        *,
        seed: int,
        people: int = 40,
        groups: int = 6,
        in_groups: float = 0.5,
        doubled: float = 0.0,
    ) -> None:
        self._server = server
        self._books = books
        self._canaries = canaries
        self._random = random.Random(seed)
        self._doubled = doubled
        self._count = 0
        self._in_groups = in_groups if groups else 0.0
        self._bot = f"@{server.bot.username}"
        self.people = [server.user(1000 + n, f"Person {n}") for n in range(people)]
        for person in self.people:
            server.private(person)
        self.groups: list[Chat] = []
        for n in range(groups):
            members = self._random.sample(self.people, min(8, people))
            number = -(1_000_000_000_000 + n) if n % 2 else -(500 + n)
            self.groups.append(server.group(number, f"Group {n}", members))

    async def write(self, rate: float, done: Callable[[], bool]) -> float:
        """People write ``rate`` messages a second until ``done``; the seconds it took.

        When each is due was fixed before: a bot that is slow makes nobody write less.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        sent = 0
        while not done():
            wait = began + sent / rate - loop.time()
            # A sleep of nothing lets the server serve.
            await asyncio.sleep(max(wait, 0.0))
            self.one()
            sent += 1
        return loop.time() - began

    def one(self) -> Asked:
        """Somebody writes something somewhere."""
        if self._random.random() < self._doubled:
            self._server.double_updates(1)
        if self._random.random() < self._in_groups:
            return self._in_group()
        return self._in_private()

    def say(
        self, user: User, text: str, chat: Chat | None = None, *, culprit: bool = False
    ) -> Asked:
        """Somebody writes ``text``, with a token and the canary behind it."""
        token = self._token()
        message = self._server.say(user, f"{text} {token} {self._canaries.text}", chat)
        return self._note(
            token, message, addressed=True, how=text.partition(" ")[0], culprit=culprit
        )

    def _in_private(self) -> Asked:
        person = self._random.choice(self.people)
        kind = self._random.random()
        if kind < 0.15:
            return self._attach(person, None)
        if kind < 0.4:
            return self.say(person, "well,")
        return self.say(person, self._random.choice(COMMANDS))

    def _in_group(self) -> Asked:
        group = self._random.choice(self.groups)
        members = [n for n in group.members if n != self._server.bot.id]
        person = self._server.known_user(self._random.choice(members))
        assert person is not None
        kind = self._random.random()
        if kind < 0.4:
            return self._chatter(person, group)
        if kind < 0.6:
            return self.say(person, self._bot, group)
        if kind < 0.75:
            return self.say(person, f"{self._random.choice(COMMANDS)}{self._bot}", group)
        if kind < 0.85:
            return self._attach(person, group)
        return self._reply(person, group)

    def _chatter(self, person: User, group: Chat) -> Asked:
        token = self._token()
        message = self._server.say(person, f"by the way {token} {self._canaries.text}", group)
        return self._note(token, message, addressed=False, how="chatter")

    def _reply(self, person: User, group: Chat) -> Asked:
        """Answer the bot, or somebody else where it has said nothing yet."""
        said = self._server.messages(group.id)[-20:]
        target = self._random.choice(said) if said else None
        ours = target is not None and target["from"]["id"] == self._server.bot.id
        token = self._token()
        text = f"and then? {token} {self._canaries.text}"
        message = self._server.say(person, text, group, reply_to=target)
        return self._note(token, message, addressed=ours, how="reply")

    def _attach(self, person: User, group: Chat | None) -> Asked:
        token = self._token()
        kind = self._random.choice(("photo", "voice"))
        data = self._canaries.photo() if kind == "photo" else self._canaries.voice()
        to_bot = f"{self._bot} " if group is not None else ""
        caption = f"{to_bot}{token} {self._canaries.text}"
        message = self._server.attach(person, kind, data, group, caption=caption)
        return self._note(token, message, addressed=True, how=kind)

    def _token(self) -> str:
        self._count += 1
        number, digits = self._count, ""
        for _ in range(4):
            number, digit = divmod(number, len(DIGITS))
            digits = DIGITS[digit] + digits
        return self._canaries.tokens + digits

    def _note(
        self,
        token: str,
        message: dict[str, object],
        *,
        addressed: bool,
        how: str,
        culprit: bool = False,
    ) -> Asked:
        chat, sender, number = message["chat"], message["from"], message["message_id"]
        assert isinstance(chat, dict)
        assert isinstance(sender, dict)
        assert isinstance(number, int)
        asked = Asked(token, chat["id"], sender["id"], number, addressed, how, culprit)
        self._books.ask(asked)
        return asked
