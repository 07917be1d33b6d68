"""Telegram in memory, for the harness: updates go in as bytes, replies are recorded."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from ..broker import Bot, Target
from ..edge.api import CallError, Reason, Rejected, Whose
from ..edge.markup import Entity
from ..errors import FileUnavailable
from ..hooks.chats import Member
from ..messages import Keyboard

BOT = Bot(7_000_000_001, "clawd_bot")


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the bot, as it is now. ``reply_to`` is 0 when it quotes nothing."""

    id: int
    chat: int
    text: str
    reply_to: int = 0
    entities: tuple[Entity, ...] = ()
    at: float = 0.0
    buttons: Keyboard = ()


class FakeTelegram:
    """Implements the edge's ``Api`` without a network.

    ``failures`` are raised by the next sends, one each, and ``faults`` by the next
    calls of another name (``{"edit": [FloodWait(3)]}``). ``files`` maps file ids to
    bytes. ``sent`` holds messages with their newest text, ``edits`` each text that
    one was given: (chat, message, text). ``deleted`` and ``reactions`` name chat and
    message, ``typings`` chat and topic. ``answers`` are those to presses: (query, text).
    ``asked`` names chat and user of each look at somebody's rights.
    """

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.drafts: list[tuple[int, str]] = []
        self.commands: dict[str, tuple[tuple[str, str], ...]] = {}
        self.files: dict[str, bytes] = {}
        self.members: dict[tuple[int, int], Member] = {}
        self.failures: list[CallError] = []
        self.faults: dict[str, list[CallError]] = {}
        self.edits: list[tuple[int, int, str]] = []
        self.answers: list[tuple[str, str]] = []
        self.asked: list[tuple[int, int]] = []
        self.deleted: list[tuple[int, int]] = []
        self.typings: list[tuple[int, int | None]] = []
        self.reactions: list[tuple[int, int, str]] = []
        self._gone: set[tuple[int, int]] = set()
        self._written: set[tuple[int, int]] = set()
        self._updates: list[tuple[int, bytes]] = []
        self._next_update = 1
        self._next_message = 1000
        self._asked = 0
        self._changed = asyncio.Condition()

    async def inject(self, update: dict[str, Any]) -> int:
        """Put an update in line, numbered; returns when the edge has accepted it."""
        number = self._next_update
        self._next_update += 1
        if "message" in update:
            message = update["message"]
            self._written.add((message.get("chat", {}).get("id", 0), message.get("message_id", 0)))
        body = msgspec.json.encode({"update_id": number, **update})
        async with self._changed:
            self._updates.append((number, body))
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._asked > number)
        return number

    async def open(self) -> Bot:
        """As :meth:`Api.open`."""
        return BOT

    async def close(self) -> None:
        """As :meth:`Api.close`."""

    async def poll(self, offset: int, *, limit: int, timeout: int) -> bytes:
        """As :meth:`Api.poll`; waits until there is something, however long."""
        async with self._changed:
            self._asked = max(self._asked, offset)
            self._updates = [each for each in self._updates if each[0] >= offset]
            self._changed.notify_all()
            if timeout:
                await self._changed.wait_for(lambda: bool(self._updates))
            bodies = [body for _, body in self._updates[:limit]]
        return b'{"ok":true,"result":[' + b",".join(bodies) + b"]}"

    async def send(
        self,
        target: Target,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> int:
        """As :meth:`Api.send`."""
        if self.failures:
            raise self.failures.pop(0)
        self._next_message += 1
        self.sent.append(
            Sent(
                id=self._next_message,
                chat=target.chat_id,
                text=text,
                reply_to=target.reply_to,
                entities=entities,
                at=asyncio.get_running_loop().time(),
                buttons=buttons,
            )
        )
        return self._next_message

    async def edit(
        self,
        target: Target,
        message_id: int,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> None:
        """As :meth:`Api.edit`."""
        self._fault("edit")
        at = self._find(target.chat_id, message_id)
        if at is None:
            raise Rejected("message to edit not found", Reason.NOT_FOUND)
        before = self.sent[at]
        after = msgspec.structs.replace(before, text=text, entities=entities, buttons=buttons)
        if after == before:
            raise Rejected("message is not modified", Reason.NOT_MODIFIED)
        self.sent[at] = after
        self.edits.append((target.chat_id, message_id, text))

    async def edit_buttons(self, chat_id: int, message_id: int, buttons: Keyboard) -> None:
        """As :meth:`Api.edit_buttons`."""
        self._fault("edit_buttons")
        at = self._find(chat_id, message_id)
        if at is None:
            raise Rejected("message to edit not found", Reason.NOT_FOUND)
        if self.sent[at].buttons == buttons:
            raise Rejected("message is not modified", Reason.NOT_MODIFIED)
        self.sent[at] = msgspec.structs.replace(self.sent[at], buttons=buttons)

    async def answer(self, query: str, text: str, *, alert: bool) -> None:
        """As :meth:`Api.answer`."""
        self._fault("answer")
        self.answers.append((query, text))

    async def delete(self, chat_id: int, message_id: int) -> None:
        """As :meth:`Api.delete`; a message of the bot stays in ``sent``.

        Of others it deletes what they wrote in private, and in groups where it may.
        """
        self._fault("delete")
        written = (chat_id, message_id) in self._written
        if (chat_id, message_id) in self._gone or not (
            written or self._find(chat_id, message_id) is not None
        ):
            raise Rejected("message to delete not found", Reason.NOT_FOUND)
        if written and chat_id < 0 and not (await self.member(chat_id, BOT.id)).can_delete:
            raise Rejected("message can't be deleted", Reason.NOT_ALLOWED)
        self._gone.add((chat_id, message_id))
        self.deleted.append((chat_id, message_id))

    async def member(self, chat_id: int, user_id: int) -> Member:
        """As :meth:`Api.member`."""
        self._fault("member")
        self.asked.append((chat_id, user_id))
        return self.members.get((chat_id, user_id), Member())

    async def typing(self, target: Target) -> None:
        """As :meth:`Api.typing`."""
        self._fault("typing")
        self.typings.append((target.chat_id, target.topic))

    async def react(self, chat_id: int, message_id: int, emoji: str) -> None:
        """As :meth:`Api.react`."""
        self._fault("react")
        self.reactions.append((chat_id, message_id, emoji))

    async def probe(self, chat_id: int, message_id: int, buttons: Keyboard = ()) -> Whose:
        """As :meth:`Api.probe`; of other people's messages nothing is known."""
        self._fault("probe")
        at = self._find(chat_id, message_id)
        if at is None:
            return Whose.MISSING
        self.sent[at] = msgspec.structs.replace(self.sent[at], buttons=buttons)
        return Whose.OURS

    def _fault(self, name: str) -> None:
        if self.faults.get(name):
            raise self.faults[name].pop(0)

    def shown(self) -> list[Sent]:
        """The messages that are there, oldest first."""
        return [sent for sent in self.sent if (sent.chat, sent.id) not in self._gone]

    def _find(self, chat_id: int, message_id: int) -> int | None:
        if (chat_id, message_id) in self._gone:
            return None
        found = (
            at for at, sent in enumerate(self.sent) if (sent.chat, sent.id) == (chat_id, message_id)
        )
        return next(found, None)

    async def draft(self, target: Target, draft_id: int, text: str) -> None:
        """As :meth:`Api.draft`."""
        self.drafts.append((target.chat_id, text))

    async def set_commands(self, language: str, commands: tuple[tuple[str, str], ...]) -> None:
        """As :meth:`Api.set_commands`."""
        self.commands[language] = commands

    async def set_webhook(self, url: str, secret: str) -> None:
        """As :meth:`Api.set_webhook`."""

    async def delete_webhook(self) -> None:
        """As :meth:`Api.delete_webhook`."""

    async def file(self, file_id: str) -> bytes:
        """As :meth:`Api.file`."""
        if file_id not in self.files:
            raise FileUnavailable("Telegram did not hand it out (no such file).")
        return self.files[file_id]
