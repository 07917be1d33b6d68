"""The one place in the worker that knows Telegram: an update's bytes to a Message or a Press.

msgspec checks and decodes in one pass and skips what we don't name. Anything
that is not an update raises :class:`Undecodable`, whose text names the place and
the type that was found, never a value.

Source of all fields: core.telegram.org/bots/api#update, #message, #messageentity,
#callbackquery.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from ..broker import Bot
from ..hooks import callbacks
from ..messages import Attachment, Chat, ChatKind, Kind, Message, Press, Reader, Sender

GROUP_ANONYMOUS_BOT: Final = 1087968824
"""The account under which anonymous group admins write."""

KINDS_OF_CHAT: Final[dict[str, ChatKind]] = {
    "private": "private",
    "group": "group",
    "supergroup": "group",
    "channel": "channel",
}


class Undecodable(ValueError):
    """The bytes are not an update."""


class _User(msgspec.Struct):
    id: int
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""
    is_bot: bool = False


class _Chat(msgspec.Struct):
    id: int
    type: str
    title: str = ""


class _Entity(msgspec.Struct):
    type: str
    offset: int
    length: int
    user: _User | None = None


class _File(msgspec.Struct):
    file_id: str
    mime_type: str = ""
    file_name: str = ""
    file_size: int = 0
    duration: float = 0.0
    width: int = 0
    height: int = 0


class _Message(msgspec.Struct, rename={"sender": "from"}):
    message_id: int
    chat: _Chat
    date: int = 0
    sender: _User | None = None
    sender_chat: _Chat | None = None
    text: str = ""
    caption: str = ""
    entities: list[_Entity] = []
    caption_entities: list[_Entity] = []
    reply_to_message: _Message | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    media_group_id: str = ""
    photo: list[_File] = []
    voice: _File | None = None
    audio: _File | None = None
    video: _File | None = None
    video_note: _File | None = None
    document: _File | None = None
    sticker: _File | None = None


class _CallbackQuery(msgspec.Struct, rename={"sender": "from"}):
    id: str = ""
    sender: _User | None = None
    message: _Message | None = None
    data: str = ""


class _Update(msgspec.Struct):
    update_id: int
    message: _Message | None = None
    edited_message: _Message | None = None
    callback_query: _CallbackQuery | None = None


_update = msgspec.json.Decoder(_Update)
Fetch = Callable[[Attachment], Awaitable[bytes]]


def decode(
    body: bytes, bot: Bot, *, fetch: Fetch | None = None, read: Reader | None = None
) -> Message | Press | None:
    """The message or the press in an update, or None where it holds none for us.

    ``fetch`` and ``read`` are what the message's attachments and ``text()`` use.

    Raises:
        Undecodable: ``body`` is not JSON, or not an update.
    """
    try:
        update = _update.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, msgspec.ValidationError) else "not valid JSON"
        raise Undecodable(reason) from None
    if update.callback_query is not None:
        return _press(update.callback_query, update.update_id, bot, fetch, read)
    raw = update.message or update.edited_message
    if raw is None:
        return None
    sender = _sender(raw)
    kind = KINDS_OF_CHAT.get(raw.chat.type)
    if sender is None or kind is None or kind == "channel":
        return None
    message = _message(raw, update.update_id, sender, kind, bot, fetch, read)
    if message is not None:
        message.edited = update.message is None
    if message is None or raw.text or raw.caption or message.attachments:
        return message
    return None  # a service message: somebody joined, a title changed


def _press(
    raw: _CallbackQuery, update_id: int, bot: Bot, fetch: Fetch | None, read: Reader | None
) -> Press | None:
    """The press; None for a game's button, and for one of a message that is in no chat."""
    shown, presser = raw.message, raw.sender
    if shown is None or presser is None or not raw.data:
        return None
    if KINDS_OF_CHAT.get(shown.chat.type) not in ("private", "group"):
        return None
    message = _quoted(shown, bot, fetch, read)
    if shown.is_topic_message:
        message.chat = msgspec.structs.replace(message.chat, topic=shown.message_thread_id)
    key, data = callbacks.decode(raw.data)
    return Press(
        update_id=update_id,
        query=raw.id,
        key=key,
        data=data,
        sender=_person(presser),
        message=message,
    )


def _sender(raw: _Message) -> Sender | None:
    user = raw.sender
    if raw.sender_chat is not None and (user is None or user.id == GROUP_ANONYMOUS_BOT):
        return Sender(raw.sender_chat.id, raw.sender_chat.title or "admin")
    if user is None or user.is_bot:
        return None
    return _person(user)


def _person(user: _User) -> Sender:
    name = f"{user.first_name} {user.last_name}".strip() or user.username or str(user.id)
    return Sender(user.id, name, user.username, user.language_code, user.is_bot)


def _message(
    raw: _Message,
    update_id: int,
    sender: Sender,
    kind: ChatKind,
    bot: Bot,
    fetch: Fetch | None,
    read: Reader | None,
) -> Message | None:
    """The message; None for a command to another bot."""
    text = raw.text or raw.caption
    entities = raw.entities if raw.text else raw.caption_entities
    addressed = kind == "private"
    command = args = ""
    body = text
    quoted = raw.reply_to_message
    if quoted is not None and quoted.sender is not None and quoted.sender.id == bot.id:
        addressed = True
    if entities:
        units = None if text.isascii() else text.encode("utf-16-le")
        for entity in entities:
            if entity.type == "bot_command" and entity.offset == 0:
                name, _, whose = _slice(text, units, 0, entity.length)[1:].partition("@")
                if not whose or whose.casefold() == bot.username.casefold():
                    command = name.lower()
                    args = _slice(text, units, entity.length, None).strip()
                    addressed = addressed or bool(whose)
                else:
                    return None
            elif _names(entity, text, units, bot):
                addressed = True
                if entity.offset == 0:
                    body = _slice(text, units, entity.length, None).lstrip(" \t\n,:;，：")
    topic = raw.message_thread_id if raw.is_topic_message else None
    return Message(
        id=raw.message_id,
        update_id=update_id,
        chat=Chat(raw.chat.id, kind, raw.chat.title, topic),
        sender=sender,
        body=body,
        command=command,
        args=args,
        attachments=_attachments(raw, fetch),
        reply_to=None if quoted is None else _quoted(quoted, bot, fetch, read),
        addressed=addressed,
        time=float(raw.date),
        album=raw.media_group_id,
        read=read,
    )


def _quoted(raw: _Message, bot: Bot, fetch: Fetch | None, read: Reader | None) -> Message:
    """The message replied to, or pressed; Telegram never nests them deeper than one."""
    sender = _person(raw.sender) if raw.sender is not None else Sender(raw.chat.id, "?")
    if raw.sender_chat is not None and sender.id in (GROUP_ANONYMOUS_BOT, raw.chat.id):
        sender = Sender(raw.sender_chat.id, raw.sender_chat.title or "admin")
    return Message(
        id=raw.message_id,
        update_id=0,
        chat=Chat(raw.chat.id, KINDS_OF_CHAT.get(raw.chat.type, "group"), raw.chat.title),
        sender=sender,
        body=raw.text or raw.caption,
        attachments=_attachments(raw, fetch),
        addressed=False,
        time=float(raw.date),
        read=read,
    )


def _names(entity: _Entity, text: str, units: bytes | None, bot: Bot) -> bool:
    if entity.type == "text_mention":
        return entity.user is not None and entity.user.id == bot.id
    if entity.type != "mention":
        return False
    name = _slice(text, units, entity.offset, entity.offset + entity.length)
    return name[1:].casefold() == bot.username.casefold()


def _slice(text: str, units: bytes | None, start: int, end: int | None) -> str:
    """``text[start:end]`` counted in UTF-16 code units, as entities count."""
    if units is None:
        return text[start:end]
    stop = None if end is None else end * 2
    return units[start * 2 : stop].decode("utf-16-le", "replace")


def _attachments(raw: _Message, fetch: Fetch | None) -> tuple[Attachment, ...]:
    found: list[tuple[Kind, _File]] = []
    if raw.photo:
        found.append(("photo", max(raw.photo, key=lambda size: size.width * size.height)))
    singles: tuple[tuple[Kind, _File | None], ...] = (
        ("voice", raw.voice),
        ("audio", raw.audio),
        ("video", raw.video),
        ("video_note", raw.video_note),
        ("document", raw.document),
        ("sticker", raw.sticker),
    )
    found.extend((kind, file) for kind, file in singles if file is not None)
    return tuple(
        Attachment(
            kind,
            file.file_id,
            file.mime_type,
            file.file_name,
            file.file_size,
            file.duration,
            file.width,
            file.height,
            fetch,
        )
        for kind, file in found
    )
