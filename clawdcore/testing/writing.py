"""What people write in a harness: updates as Telegram sends them, with files and quotes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from .telegram import BOT, Sent

EPOCH: Final = 1_800_000_000
"""Telegram's clock when a test begins, seconds since 1970."""


class User(msgspec.Struct, frozen=True):
    """Somebody who writes to the bot."""

    id: int
    name: str = "Ada"
    username: str = ""
    language: str = "en"


class Group(msgspec.Struct, frozen=True):
    """A group that the bot is in."""

    id: int = -1001
    title: str = "Group"


ADA: Final = User(101, "Ada", "ada")
Document = tuple[str, bytes, str]
"""A file's name, its bytes and its media type."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a person, which others can reply to. ``message`` is Telegram's object."""

    id: int
    chat: int
    text: str
    sender: User
    message: dict[str, Any]


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """The file that comes with a message; at most one is given."""

    photo: bytes | None = None
    voice: bytes | None = None
    audio: bytes | None = None
    video: bytes | None = None
    video_note: bytes | None = None
    document: Document | None = None
    sticker: bytes | None = None


NO_FILES: Final = Files()


class Writer:
    """Numbers messages and files, and keeps what was said. ``files`` gets the files' bytes."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.said: list[Said] = []
        self._files = files
        self._next = 1
        self._presses = 0

    def message(
        self,
        text: str,
        *,
        sender: User,
        chat: Group | None,
        reply_to: Sent | Said | None,
        files: Files,
        album: str,
        now: float,
    ) -> dict[str, Any]:
        """The update; ``now`` is in seconds since the test began."""
        number = self._next
        self._next += 1
        where: dict[str, Any] = {"id": sender.id, "type": "private", "first_name": sender.name}
        if chat is not None:
            where = {"id": chat.id, "type": "supergroup", "title": chat.title}
        message: dict[str, Any] = {
            "message_id": number,
            "date": EPOCH + int(now),
            "chat": where,
            "from": user(sender),
        }
        attached = self._attached(number, files)
        message |= attached
        if text or not attached:
            message["caption" if attached else "text"] = text
            message["caption_entities" if attached else "entities"] = list(entities(text))
        if album:
            message["media_group_id"] = album
        if reply_to is not None:
            message["reply_to_message"] = _quoted(reply_to, where)
        kept = Said(id=number, chat=where["id"], text=text, sender=sender, message=message)
        self.said.append(kept)
        return {"message": message}

    def press(self, shown: Sent, data: str, sender: User) -> dict[str, Any]:
        """The update of a press of a button under ``shown`` that has ``data``."""
        self._presses += 1
        message = _quoted(shown, {"id": shown.chat, "type": KINDS[shown.chat > 0]})
        query = {
            "id": str(self._presses),
            "from": user(sender),
            "message": message,
            "chat_instance": str(shown.chat),
            "data": data,
        }
        return {"callback_query": query}

    def _attached(self, number: int, files: Files) -> dict[str, Any]:
        given = {name: value for name, value in msgspec.structs.asdict(files).items() if value}
        if not given:
            return {}
        if len(given) > 1:
            raise ValueError(f"a message has one file, not {len(given)}: {', '.join(given)}")
        ((kind, value),) = given.items()
        name, data, mime = value if kind == "document" else ("", value, MIME[kind])
        file_id = f"{kind}-{number}"
        self._files[file_id] = data
        file: dict[str, Any] = {
            "file_id": file_id,
            "file_unique_id": file_id,
            "file_size": len(data),
        }
        if kind == "photo":
            return {"photo": [file | {"width": 1280, "height": 960}]}
        if kind in ("voice", "audio", "video", "video_note"):
            file["duration"] = 1
        if mime and kind not in ("video_note", "sticker"):
            file["mime_type"] = mime
        if name:
            file["file_name"] = name
        return {kind: file}


KINDS: Final = {True: "private", False: "supergroup"}
MIME: Final = {
    "photo": "image/jpeg",
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
    "video": "video/mp4",
    "video_note": "",
    "sticker": "",
}
"""What Telegram calls each kind of file where the client doesn't say."""


def user(given: User) -> dict[str, Any]:
    """Telegram's User object."""
    return {
        "id": given.id,
        "is_bot": False,
        "first_name": given.name,
        "username": given.username,
        "language_code": given.language,
    }


def bot_user() -> dict[str, Any]:
    """The bot as Telegram's User object."""
    return {"id": BOT.id, "is_bot": True, "first_name": "Bot", "username": BOT.username}


def _quoted(quoted: Sent | Said, where: dict[str, Any]) -> dict[str, Any]:
    """The message replied to; what it replies to itself, Telegram leaves out."""
    if isinstance(quoted, Said):
        left_out = ("reply_to_message",)
        return {key: value for key, value in quoted.message.items() if key not in left_out}
    return {
        "message_id": quoted.id,
        "date": EPOCH + int(quoted.at),
        "chat": where,
        "from": bot_user(),
        "text": quoted.text,
    }


def entities(text: str) -> Iterator[dict[str, Any]]:
    """The entities that Telegram would find: a command first, and mentions."""
    at = 0
    for word in text.split(" "):
        units = len(word.encode("utf-16-le")) // 2
        bare = word.rstrip(",.:;!?")
        if len(bare) > 1 and word[0] in "/@" and bare.isascii():
            kind = "bot_command" if word[0] == "/" else "mention"
            yield {"type": kind, "offset": at, "length": len(bare.partition("\n")[0])}
        at += units + 1
