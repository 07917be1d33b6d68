"""sendMessage, sendMessageDraft, sendPhoto, sendDocument, sendVoice, sendChatAction.

Source: core.telegram.org/bots/api#sendmessage and the sections of the others.
"""

from __future__ import annotations

from typing import Any

from .core import Core
from .entities import utf16_length
from .errors import JSON, ApiError, bad_request
from .files import StoredFile
from .markups import inline_keyboard
from .request import Call
from .state import Chat, reply_target
from .text import MAX_TEXT, caption_text, formatted, message_text

ACTIONS = frozenset(
    {
        "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
        "upload_document", "choose_sticker", "find_location", "record_video_note",
        "upload_video_note", "cancel",
    }
)  # fmt: skip


def send_message(core: Core, call: Call) -> JSON:
    """A text of 1 to 4096 UTF-16 units after markup was read."""
    chat = core.world.writable_chat(call.values["chat_id"])
    text, entities = message_text(
        call.values["text"],
        parse_mode=call.get("parse_mode", ""),
        raw_entities=call.get("entities", []),
        empty="message text is empty",
    )
    message = _new(core, call, chat)
    message["text"] = text
    if entities:
        message["entities"] = entities
    preview: JSON = call.get("link_preview_options", {})
    if preview:
        message["link_preview_options"] = preview
    return _sent(core, call, chat, message)


def send_file(core: Core, call: Call) -> JSON:
    """A photo, a document or a voice note: uploaded now, or by the id of a known file."""
    kind = call.method.lower().removeprefix("send")
    chat = core.world.writable_chat(call.values["chat_id"])
    stored = _file(core, call, kind)
    caption, entities = caption_text(
        call.get("caption", ""),
        parse_mode=call.get("parse_mode", ""),
        raw_entities=call.get("caption_entities", []),
    )
    message = _new(core, call, chat)
    message[kind] = media(stored, kind, duration=call.get("duration", 0))
    if caption:
        message["caption"] = caption
    if entities:
        message["caption_entities"] = entities
    return _sent(core, call, chat, message)


def send_message_draft(core: Core, call: Call) -> bool:
    """A preview while an answer is written; private chats only, an empty text is allowed."""
    chat = core.world.writable_chat(call.values["chat_id"])
    if chat.type != "private":
        raise bad_request("TEXTDRAFT_PEER_INVALID")
    if call.values["draft_id"] == 0:
        raise bad_request("draft_id must be non-zero")
    text, entities = formatted(
        call.get("text", ""),
        parse_mode=call.get("parse_mode", ""),
        raw_entities=call.get("entities", []),
    )
    if utf16_length(text) > MAX_TEXT:
        raise bad_request("message is too long")
    draft: JSON = {"draft_id": call.values["draft_id"], "text": text, "entities": entities}
    thread = call.get("message_thread_id", 0)
    if thread:
        draft["message_thread_id"] = thread
    core.journal.add("draft", call.method, chat.id, draft)
    return True


def send_chat_action(core: Core, call: Call) -> bool:
    """A typing mark or its like."""
    chat = core.world.writable_chat(call.values["chat_id"])
    action = call.values["action"]
    if action not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    core.journal.add("action", call.method, chat.id, {"action": action})
    return True


def media(
    stored: StoredFile, kind: str, *, duration: int = 0, size: tuple[int, int] | None = None
) -> Any:
    """What a Message carries for a file: a list of PhotoSize, or one object."""
    described = stored.described()
    if kind == "photo":
        width, height = size or (1280, 960)
        small = {**described, "width": max(width // 4, 1), "height": max(height // 4, 1)}
        return [small, {**described, "width": width, "height": height}]
    described["mime_type"] = stored.mime
    if kind in ("voice", "audio", "video"):
        described["duration"] = duration
    if kind == "video":
        described["width"], described["height"] = size or (1280, 720)
    if kind in ("document", "audio", "video") and stored.name:
        described["file_name"] = stored.name
    return described


def _file(core: Core, call: Call, kind: str) -> StoredFile:
    value: str = call.values[kind]
    if value.startswith("attach://"):
        upload = call.uploads.get(value.removeprefix("attach://"))
        if upload is None or not upload.data:
            raise bad_request("file must be non-empty")
        return core.files.add(kind, upload.data, name=upload.name, mime=upload.mime)
    if "://" in value:
        raise ApiError(
            501, "Not Implemented: fetching a URL is not implemented by the local server"
        )
    return core.files.get(value)


def _new(core: Core, call: Call, chat: Chat) -> JSON:
    reply: JSON = call.get("reply_parameters", {})
    target = reply_target(core.world, chat, reply) if reply else None
    thread = _thread(call, chat, target)
    keyboard = inline_keyboard(call.values.get("reply_markup"))
    quote = _quote(reply, target) if target is not None else None
    message = core.world.new_message(chat, core.world.bot, thread=thread)
    if target is not None:
        if target["chat"]["id"] == chat.id:
            message["reply_to_message"] = target
        else:
            message["external_reply"] = _external(target)
    if quote is not None:
        message["quote"] = quote
    if keyboard is not None:
        message["reply_markup"] = keyboard
    if call.get("protect_content", False):
        message["has_protected_content"] = True
    return message


def _thread(call: Call, chat: Chat, target: JSON | None) -> int | None:
    thread = call.get("message_thread_id", 0)
    if thread and chat.type != "private" and thread not in chat.topics:
        raise bad_request("message thread not found")
    if not thread and chat.is_forum and target is not None:
        thread = target.get("message_thread_id", 0)
    return thread or None


def _quote(reply: JSON, target: JSON) -> JSON | None:
    quote = reply.get("quote")
    if not quote:
        return None
    text = target.get("text") or target.get("caption") or ""
    if not isinstance(quote, str) or quote not in text:
        raise bad_request("QUOTE_TEXT_INVALID")
    return {"text": quote, "position": text.index(quote), "is_manual": True}


def _external(target: JSON) -> JSON:
    origin = {"type": "user", "date": target["date"], "sender_user": target["from"]}
    return {"origin": origin, "chat": target["chat"], "message_id": target["message_id"]}


def _sent(core: Core, call: Call, chat: Chat, message: JSON) -> JSON:
    core.world.store(chat, message)
    core.journal.add("sent", call.method, chat.id, message)
    return message
