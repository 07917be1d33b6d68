"""What the edge must know of an update to keep books: ids, language, whom it is meant for; pure.

No text is kept, and nothing here raises: the worker says what is wrong with an
update, and to the edge one without a head is one that nobody waits for.

Source: core.telegram.org/bots/api#update, #message, #messageentity, #callbackquery.
"""

from __future__ import annotations

import msgspec

from ..access import Access, Policy
from ..broker import Bot, Target
from ..messages import Chat, Message, Sender


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Whose an update is. ``wanted``: somebody waits for an answer to it.

    ``time`` is when it was written, in seconds since the epoch; ``left`` whether
    the bot was put out of the chat. A ``press`` of a button has no message of its own,
    and nobody waits longer for it than Telegram shows: some seconds.
    """

    chat: int = 0
    topic: int | None = None
    message: int = 0
    user: int = 0
    language: str = ""
    private: bool = False
    wanted: bool = False
    edited: bool = False
    time: float = 0.0
    left: bool = False
    press: bool = False

    @property
    def target(self) -> Target:
        """Where an answer to it goes."""
        return Target(
            chat_id=self.chat, topic=self.topic, reply_to=self.message, private=self.private
        )


class _User(msgspec.Struct):
    id: int = 0
    username: str = ""
    language_code: str = ""
    is_bot: bool = False


class _Chat(msgspec.Struct):
    id: int = 0
    type: str = ""


class _Entity(msgspec.Struct):
    type: str = ""
    offset: int = 0
    length: int = 0
    user: _User | None = None


class _Quoted(msgspec.Struct, rename={"sender": "from"}):
    sender: _User | None = None


class _Message(msgspec.Struct, rename={"sender": "from"}):
    message_id: int = 0
    chat: _Chat = msgspec.field(default_factory=_Chat)
    date: int = 0
    edit_date: int = 0
    sender: _User | None = None
    sender_chat: _Chat | None = None
    text: str = ""
    caption: str = ""
    entities: list[_Entity] = []
    caption_entities: list[_Entity] = []
    reply_to_message: _Quoted | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False


class _Member(msgspec.Struct):
    status: str = ""


class _Membership(msgspec.Struct):
    chat: _Chat = msgspec.field(default_factory=_Chat)
    new_chat_member: _Member = msgspec.field(default_factory=_Member)


class _CallbackQuery(msgspec.Struct, rename={"sender": "from"}):
    sender: _User = msgspec.field(default_factory=_User)
    message: _Message = msgspec.field(default_factory=_Message)


class _Update(msgspec.Struct):
    message: _Message | None = None
    edited_message: _Message | None = None
    callback_query: _CallbackQuery | None = None
    my_chat_member: _Membership | None = None


_update = msgspec.json.Decoder(_Update)

OUT = ("left", "kicked")
"""The bot's own status where it can't write (#chatmember)."""


class Heads:
    """Reads heads for one bot. ``policy`` says who may write, ``owner`` is 0 for nobody."""

    def __init__(self, bot: Bot, policy: Policy, *, owner: int = 0) -> None:
        self._bot = bot
        self._username = bot.username.casefold()
        self._policy = policy
        self._owner = owner

    def read(self, body: bytes) -> Head:
        """The head of one update."""
        try:
            update = _update.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Head()
        if update.my_chat_member is not None:
            chat = update.my_chat_member.chat
            left = update.my_chat_member.new_chat_member.status in OUT
            return Head(chat=chat.id, private=chat.type == "private", left=left)
        if update.callback_query is not None:
            return _press(update.callback_query)
        raw = update.message or update.edited_message
        if raw is None:
            return Head()
        user = raw.sender
        private = raw.chat.type == "private"
        return Head(
            chat=raw.chat.id,
            topic=raw.message_thread_id if raw.is_topic_message else None,
            message=raw.message_id,
            user=user.id if user is not None else raw.chat.id,
            language=user.language_code if user is not None else "",
            private=private,
            wanted=self._wanted(raw, private),
            edited=update.message is None,
            time=float(raw.edit_date or raw.date),
        )

    def _wanted(self, raw: _Message, private: bool) -> bool:
        """Whether the bot was spoken to by somebody who may."""
        if raw.sender_chat is None and (raw.sender is None or raw.sender.is_bot):
            return False
        if raw.chat.type == "channel":
            return False
        user = raw.sender or _User()
        message = Message(
            id=raw.message_id,
            update_id=0,
            chat=Chat(raw.chat.id, "private" if private else "group"),
            sender=Sender(user.id, "?", user.username),
            addressed=private or self._addressed(raw),
        )
        return self._policy.decide(message, owner=self._owner) is Access.ALLOWED

    def _addressed(self, raw: _Message) -> bool:
        text = raw.text or raw.caption
        entities = raw.entities if raw.text else raw.caption_entities
        for entity in entities:
            if entity.type == "bot_command" and entity.offset == 0:
                # A command is ASCII, so that its UTF-16 units are its characters.
                _, _, whose = text[: entity.length].partition("@")
                return not whose or whose.casefold() == self._username
        quoted = raw.reply_to_message
        if quoted is not None and quoted.sender is not None and quoted.sender.id == self._bot.id:
            return True
        return any(self._names(entity, text) for entity in entities)

    def _names(self, entity: _Entity, text: str) -> bool:
        if entity.type == "text_mention":
            return entity.user is not None and entity.user.id == self._bot.id
        if entity.type != "mention":
            return False
        units = text.encode("utf-16-le", "surrogatepass")
        name = units[entity.offset * 2 : (entity.offset + entity.length) * 2]
        return name.decode("utf-16-le", "replace")[1:].casefold() == self._username


def _press(raw: _CallbackQuery) -> Head:
    shown = raw.message
    return Head(
        chat=shown.chat.id,
        topic=shown.message_thread_id if shown.is_topic_message else None,
        user=raw.sender.id,
        language=raw.sender.language_code,
        private=shown.chat.type == "private",
        press=True,
    )
