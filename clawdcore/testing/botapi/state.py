"""Users, chats and messages, as the server holds them.

Source: core.telegram.org/bots/api#user, #chat, #message.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .errors import JSON, ApiError, bad_request, forbidden, migrated

ChatType = Literal["private", "group", "supergroup", "channel"]
Status = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]
SUPERGROUPS_BELOW = -1_000_000_000_000
_NUMBER = re.compile(r"-?[0-9]{1,19}")
PRESENT = ("creator", "administrator", "member", "restricted")


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot. ``language_code`` is an IETF tag, "" for none."""

    id: int
    first_name: str
    username: str = ""
    last_name: str = ""
    language_code: str = ""
    is_bot: bool = False

    def json(self) -> JSON:
        """The User object."""
        user: JSON = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        for key in ("last_name", "username", "language_code"):
            if value := getattr(self, key):
                user[key] = value
        return user


@dataclass(slots=True)
class Chat:
    """A chat with its members' status and its newest messages.

    ``messages`` maps a message id to a Message object, oldest first;
    ``topics`` maps a thread id to a topic's name. ``migrated_to`` is the supergroup
    that a group became, 0 for none; ``reactions`` whether the chat allows them.
    """

    id: int
    type: ChatType
    title: str = ""
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    is_forum: bool = False
    members: dict[int, Status] = field(default_factory=dict)
    topics: dict[int, str] = field(default_factory=dict)
    messages: OrderedDict[int, JSON] = field(default_factory=OrderedDict)
    last_id: int = 0
    bot_wrote_last: bool = False
    migrated_to: int = 0
    reactions: bool = True

    @property
    def is_group(self) -> bool:
        """True for groups and supergroups."""
        return self.type in ("group", "supergroup")

    def json(self) -> JSON:
        """The Chat object."""
        chat: JSON = {"id": self.id, "type": self.type}
        for key in ("title", "username", "first_name", "last_name", "is_forum"):
            if value := getattr(self, key):
                chat[key] = value
        return chat


class World:
    """All users and chats, and the messages in them.

    ``clock`` gives seconds since the epoch; each chat keeps its newest
    ``keep_messages`` messages.
    """

    def __init__(
        self, bot: User, clock: Callable[[], float], *, keep_messages: int = 10_000
    ) -> None:
        self.bot = bot
        self.clock = clock
        self.keep_messages = keep_messages
        self.users: dict[int, User] = {bot.id: bot}
        self.chats: dict[int, Chat] = {}
        self._last_common_id = 0

    def now(self) -> int:
        """Seconds since the epoch, whole, as messages carry it."""
        return int(self.clock())

    def find_chat(self, chat_id: int | str) -> Chat:
        """The chat with this id or @username.

        Raises:
            ApiError: 400, chat not found.
        """
        if isinstance(chat_id, str):
            name = chat_id.removeprefix("@").lower()
            for chat in self.chats.values():
                if chat.username and chat.type != "private" and chat.username.lower() == name:
                    return chat
            raise bad_request("chat not found")
        found = self.chats.get(chat_id)
        if found is None:
            if chat_id in self.users:
                raise forbidden("bot can't initiate conversation with a user")
            raise bad_request("chat not found")
        return found

    def writable_chat(self, chat_id: int | str) -> Chat:
        """The chat, if the bot may write there.

        Raises:
            ApiError: 400 unknown or upgraded; 403 where the bot was blocked or removed.
        """
        chat = self.find_chat(chat_id)
        if chat.migrated_to:
            raise migrated(chat.migrated_to)
        status = chat.members.get(self.bot.id, "left")
        if chat.type == "private":
            if status == "kicked":
                raise forbidden("bot was blocked by the user")
        elif status == "kicked":
            raise forbidden(f"bot was kicked from the {chat.type} chat")
        elif status == "left":
            raise forbidden(f"bot is not a member of the {chat.type} chat")
        return chat

    def next_message_id(self, chat: Chat) -> int:
        """A new id: one counter for private chats and groups, one for each supergroup."""
        if chat.type in ("supergroup", "channel"):
            chat.last_id += 1
            return chat.last_id
        self._last_common_id += 1
        return self._last_common_id

    def new_message(self, chat: Chat, sender: User, *, thread: int | None = None) -> JSON:
        """A Message with id, date, sender and chat; not stored yet."""
        message: JSON = {
            "message_id": self.next_message_id(chat),
            "from": sender.json(),
            "chat": chat.json(),
            "date": self.now(),
        }
        if thread is not None:
            message["message_thread_id"] = thread
            if chat.is_forum:
                message["is_topic_message"] = True
        return message

    def store(self, chat: Chat, message: JSON) -> None:
        """Keep a message in its chat; the oldest ones go."""
        chat.messages[message["message_id"]] = message
        while len(chat.messages) > self.keep_messages:
            chat.messages.popitem(last=False)
        chat.bot_wrote_last = message["from"]["id"] == self.bot.id

    def quotable(self, chat: Chat, message_id: int) -> JSON | None:
        """A message as it appears inside another one: without its own reply."""
        message = chat.messages.get(message_id)
        if message is None:
            return None
        return {k: v for k, v in message.items() if k not in ("reply_to_message", "quote")}

    def can(self, chat: Chat, user_id: int) -> bool:
        """Whether the user administers the chat."""
        return chat.members.get(user_id) in ("creator", "administrator")

    def member(self, chat: Chat, user_id: int) -> JSON:
        """The ChatMember object.

        Raises:
            ApiError: 400, nobody knows such a user.
        """
        user = self.users.get(user_id)
        if user is None:
            raise bad_request("user not found")
        status = chat.members.get(user_id, "left")
        member: JSON = {"status": status, "user": user.json()}
        if status == "creator":
            member["is_anonymous"] = False
        elif status == "administrator":
            member |= dict.fromkeys(_RIGHTS, True) | {"is_anonymous": False, "can_be_edited": False}
        elif status == "kicked":
            member["until_date"] = 0
        elif status == "restricted":
            member |= dict.fromkeys(_PERMISSIONS, True) | {"is_member": True, "until_date": 0}
        return member


_RIGHTS = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members",
    "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
    "can_edit_stories", "can_delete_stories", "can_pin_messages",
)  # fmt: skip
_PERMISSIONS = (
    "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos",
    "can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_send_polls",
    "can_send_other_messages", "can_add_web_page_previews", "can_change_info",
    "can_invite_users", "can_pin_messages", "can_manage_topics", "can_react_to_messages",
    "can_edit_tag",
)  # fmt: skip


def reply_target(world: World, chat: Chat, parameters: JSON) -> JSON | None:
    """The message that a reply answers, or None where the bot may send without it.

    Raises:
        ApiError: 400, not found, or `reply_parameters` can't be read.
    """
    message_id = parameters.get("message_id")
    if isinstance(message_id, str) and _NUMBER.fullmatch(message_id):
        message_id = int(message_id)
    if type(message_id) is not int:
        raise bad_request('can\'t parse reply parameters: field "message_id" must be a Number')
    try:
        other = world.find_chat(_chat_id(parameters.get("chat_id", chat.id)))
    except ApiError:
        raise bad_request("message to be replied not found") from None
    target = world.quotable(other, message_id)
    if target is None and parameters.get("allow_sending_without_reply") is not True:
        raise bad_request("message to be replied not found")
    return target


def _chat_id(raw: object) -> int | str:
    if isinstance(raw, str):
        return int(raw) if _NUMBER.fullmatch(raw) else raw
    if type(raw) is int:
        return raw
    raise bad_request('can\'t parse reply parameters: field "chat_id" must be a Number or String')
