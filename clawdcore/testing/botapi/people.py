"""What people do in chats with the bot, in process: the side that Telegram's apps show.

Every function that makes a message returns the Message object as the bot gets
it, whether or not the bot's rights let it see the message.
"""

from __future__ import annotations

from collections.abc import Iterable

from .core import Core
from .entities import detect
from .errors import JSON
from .journal import Record
from .observed import Observed
from .sending import media
from .state import SUPERGROUPS_BELOW, Chat, ChatType, Status, User

Where = Chat | User | int | None
What = Record | JSON | int


class People(Observed):
    """Users, chats, and what happens in them. ``sees_all`` is the bot's privacy mode, off."""

    def __init__(self, core: Core, *, sees_all: bool) -> None:
        super().__init__(core)
        self._sees_all = sees_all
        self._last_callback = 0

    @property
    def bot(self) -> User:
        """The bot itself."""
        return self._core.world.bot

    def user(
        self,
        id: int,
        first_name: str = "Ada",
        username: str | None = None,
        language_code: str = "en",
        *,
        last_name: str = "",
        is_bot: bool = False,
    ) -> User:
        """A person; the same id again replaces what is known of them.

        Until they write (or :meth:`private` is called) the bot can't write first.
        """
        person = User(id, first_name, username or "", last_name, language_code, is_bot)
        self._core.world.users[id] = person
        return person

    def known_user(self, id: int) -> User | None:
        """The person with this id, or None."""
        return self._core.world.users.get(id)

    def private(self, user: User) -> Chat:
        """The private chat of a person with the bot, opened if it was not."""
        chat = self._core.world.chats.get(user.id)
        if chat is None:
            chat = Chat(
                user.id,
                "private",
                username=user.username,
                first_name=user.first_name,
                last_name=user.last_name,
                members={user.id: "member", self.bot.id: "member"},
            )
            self._core.world.chats[user.id] = chat
        return chat

    def group(
        self,
        id: int,
        title: str,
        members: Iterable[User] = (),
        *,
        kind: ChatType | None = None,
        username: str = "",
        forum: bool = False,
        bot_status: Status = "member",
        owner: User | None = None,
        admins: Iterable[User] = (),
        reactions: bool = True,
    ) -> Chat:
        """A group with the bot in it; makes no update.

        ``kind`` follows the id where it is None: below -10**12 a supergroup,
        else a group. ``forum`` allows topics (supergroups), ``reactions`` reactions.

        Raises:
            ValueError: the id is not negative.
        """
        if id >= 0:
            raise ValueError("a group's id is negative, a supergroup's is below -10**12")
        supergroup = forum or id <= SUPERGROUPS_BELOW
        status: dict[int, Status] = {user.id: "member" for user in members}
        status |= {user.id: "administrator" for user in admins}
        if owner is not None:
            status[owner.id] = "creator"
        status[self.bot.id] = bot_status
        chat = Chat(
            id,
            kind or ("supergroup" if supergroup else "group"),
            title=title,
            username=username,
            is_forum=forum,
            members=status,
            reactions=reactions,
        )
        self._core.world.chats[id] = chat
        return chat

    def upgrade(self, chat: Chat) -> Chat:
        """A group becomes a supergroup with a new id, and its messages new ids too.

        Both chats get the service message that says so; calls with the old id are
        refused with ``migrate_to_chat_id``.

        Raises:
            ValueError: it is no basic group.
        """
        if chat.type != "group":
            raise ValueError("only a basic group can be upgraded")
        world = self._core.world
        new = Chat(
            SUPERGROUPS_BELOW + chat.id,
            "supergroup",
            title=chat.title,
            members=dict(chat.members),
            reactions=chat.reactions,
        )
        world.chats[new.id] = new
        owner = next((u for u, s in chat.members.items() if s == "creator"), self.bot.id)
        notices = ((chat, "migrate_to_chat_id", new.id), (new, "migrate_from_chat_id", chat.id))
        for place, key, other in notices:
            message = world.new_message(place, world.users[owner])
            message[key] = other
            self._finish(place, message)
        chat.migrated_to = new.id
        return new

    def topic(self, chat: Chat, name: str) -> int:
        """A new topic of a forum; its thread id, to say something in it."""
        thread = self._core.world.next_message_id(chat)
        chat.topics[thread] = name
        return thread

    def say(
        self,
        user: User,
        text: str,
        chat: Where = None,
        reply_to: What | None = None,
        *,
        thread: int | None = None,
        entities: list[JSON] | None = None,
    ) -> JSON:
        """A person writes a text; in their private chat where ``chat`` is None.

        ``entities`` None: commands, mentions, links and so on are found as the
        apps do. ``reply_to`` is a message, a record, or a message id of the chat.
        """
        place = self._place(user, chat)
        message = self._begin(user, place, reply_to, thread)
        message["text"] = text
        found = detect(text) if entities is None else entities
        if found:
            message["entities"] = found
        return self._finish(place, message)

    def attach(
        self,
        user: User,
        kind: str,
        data: bytes,
        chat: Where = None,
        reply_to: What | None = None,
        *,
        thread: int | None = None,
        caption: str = "",
        name: str = "",
        mime: str = "",
        duration: int = 1,
        size: tuple[int, int] | None = None,
        file_size: int | None = None,
        album: str = "",
    ) -> JSON:
        """A person sends a file.

        ``kind`` is photo, voice, audio, video or document; ``duration`` is in
        seconds, ``size`` is width and height in pixels, ``file_size`` in bytes is what
        Telegram reports (the data's length where None). Messages with one
        ``album`` form a media group.
        """
        place = self._place(user, chat)
        message = self._begin(user, place, reply_to, thread)
        stored = self._core.files.add(kind, data, name=name, mime=mime, size=file_size)
        message[kind] = media(stored, kind, duration=duration, size=size)
        if album:
            message["media_group_id"] = album
        if caption:
            message["caption"] = caption
            if found := detect(caption):
                message["caption_entities"] = found
        return self._finish(place, message)

    def photo(
        self, user: User, data: bytes, chat: Where = None, *, caption: str = "", album: str = ""
    ) -> JSON:
        """A person sends a picture; see :meth:`attach`."""
        return self.attach(user, "photo", data, chat, caption=caption, album=album)

    def voice(
        self, user: User, data: bytes, chat: Where = None, *, duration: int = 1, caption: str = ""
    ) -> JSON:
        """A person sends a voice note of ``duration`` seconds; see :meth:`attach`."""
        return self.attach(user, "voice", data, chat, duration=duration, caption=caption)

    def edit(self, message: What, text: str, chat: Where = None) -> JSON:
        """A person edits what they wrote (or its caption).

        Raises:
            LookupError: no such message.
        """
        place, old = self._find(message, chat)
        key, mark = ("text", "entities") if "text" in old else ("caption", "caption_entities")
        new = {k: v for k, v in old.items() if k != mark}
        new |= {key: text, "edit_date": self._core.world.now()}
        if found := detect(text):
            new[mark] = found
        place.messages[new["message_id"]] = new
        if self._visible(place, new):
            self._core.emit("edited_message", new, key=place.id)
        return new

    def remove(self, message: What, chat: Where = None) -> None:
        """A person deletes a message; the bot is not told.

        Raises:
            LookupError: no such message.
        """
        place, old = self._find(message, chat)
        del place.messages[old["message_id"]]

    def press(self, user: User, message: What, button: str, chat: Where = None) -> str:
        """A person presses an inline button, named by its callback data or its text.

        Returns the callback query's id.

        Raises:
            LookupError: no such message, or no such button with callback data.
        """
        _, shown = self._find(message, chat)
        rows = shown.get("reply_markup", {}).get("inline_keyboard", [])
        buttons = [b for row in rows for b in row if "callback_data" in b]
        for found in buttons:
            if button in (found["callback_data"], found["text"]):
                break
        else:
            raise LookupError(f"no such button; the message has {len(buttons)} that call back")
        self._last_callback += 1
        query: JSON = {
            "id": str(self._last_callback),
            "from": user.json(),
            "message": shown,
            "chat_instance": str(shown["chat"]["id"]),
            "data": found["callback_data"],
        }
        self._core.callbacks[query["id"]] = query
        while len(self._core.callbacks) > 10_000:
            del self._core.callbacks[next(iter(self._core.callbacks))]
        self._core.emit("callback_query", query, key=user.id)
        return str(query["id"])

    def react(self, user: User, message: What, emoji: str | None, chat: Where = None) -> None:
        """A person reacts with an emoji, or takes the reaction back (None).

        The bot sees it if it asked for `message_reaction`, and in a group only as
        an administrator.

        Raises:
            LookupError: no such message.
        """
        place, shown = self._find(message, chat)
        if place.is_group and not self._core.world.can(place, self.bot.id):
            return
        reaction = [{"type": "emoji", "emoji": emoji}] if emoji else []
        update: JSON = {
            "chat": place.json(),
            "message_id": shown["message_id"],
            "user": user.json(),
            "date": self._core.world.now(),
            "old_reaction": [],
            "new_reaction": reaction,
        }
        self._core.emit("message_reaction", update, key=place.id)

    def set_member(self, chat: Chat, user: User, status: Status, by: User | None = None) -> None:
        """Somebody's place in a chat changes, the bot's own included.

        The bot being removed, made administrator, or blocked (its status in a
        private chat "kicked") comes as `my_chat_member`, others as `chat_member`.
        """
        old = self._core.world.member(chat, user.id)
        chat.members[user.id] = status
        new = self._core.world.member(chat, user.id)
        private = self._core.world.users.get(chat.id) if chat.type == "private" else None
        update: JSON = {
            "chat": chat.json(),
            "from": (by or private or user).json(),
            "date": self._core.world.now(),
            "old_chat_member": old,
            "new_chat_member": new,
        }
        kind = "my_chat_member" if user.id == self.bot.id else "chat_member"
        self._core.emit(kind, update, key=chat.id)

    def _place(self, user: User, chat: Where) -> Chat:
        if chat is None or isinstance(chat, User):
            return self.private(chat or user)
        place = chat if isinstance(chat, Chat) else self._core.world.chats.get(chat)
        if place is None:
            raise LookupError("no such chat: make it with group() or private() first")
        if place.members.get(user.id, "left") in ("left", "kicked"):
            place.members[user.id] = "member"
        return place

    def _find(self, message: What, chat: Where) -> tuple[Chat, JSON]:
        if isinstance(message, Record):
            message = message.message
        if isinstance(message, dict):
            chat_id, message_id = message["chat"]["id"], message["message_id"]
        else:
            if chat is None:
                raise LookupError("a message id alone says nothing: pass its chat too")
            chat_id, message_id = chat if isinstance(chat, int) else chat.id, message
        place = self._core.world.chats.get(chat_id)
        found = place.messages.get(message_id) if place is not None else None
        if place is None or found is None:
            raise LookupError(f"no message {message_id} in chat {chat_id}")
        return place, found

    def _begin(self, user: User, chat: Chat, reply_to: What | None, thread: int | None) -> JSON:
        world = self._core.world
        world.users.setdefault(user.id, user)
        target = self._find(reply_to, chat)[1] if reply_to is not None else None
        if thread is None and target is not None and chat.is_forum:
            thread = target.get("message_thread_id")
        message = world.new_message(chat, user, thread=thread)
        if target is not None:
            message["reply_to_message"] = world.quotable(chat, target["message_id"])
        return message

    def _finish(self, chat: Chat, message: JSON) -> JSON:
        visible = self._visible(chat, message)
        self._core.world.store(chat, message)
        if visible:
            self._core.emit("message", message, key=chat.id)
        return message

    def _visible(self, chat: Chat, message: JSON) -> bool:
        """Whether the bot gets it: core.telegram.org/bots/features#privacy-mode."""
        world = self._core.world
        if chat.members.get(self.bot.id, "left") in ("left", "kicked"):
            return False
        if not chat.is_group or self._sees_all or world.can(chat, self.bot.id):
            return True
        answered = message.get("reply_to_message", {}).get("from", {}).get("id")
        if answered == self.bot.id:
            return True
        text = message.get("text") or message.get("caption") or ""
        mark = f"@{self.bot.username}".lower()
        first = text.split(maxsplit=1)[0].lower() if text.strip() else ""
        if first.startswith("/"):
            return first.endswith(mark) or ("@" not in first and chat.bot_wrote_last)
        return mark in text.lower()
