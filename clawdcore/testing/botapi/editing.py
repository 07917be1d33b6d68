"""editMessageText, editMessageReplyMarkup, deleteMessage, deleteMessages, setMessageReaction.

Source: core.telegram.org/bots/api#updating-messages and #setmessagereaction.
"""

from __future__ import annotations

from .core import Core
from .errors import JSON, ApiError, bad_request
from .markups import inline_keyboard
from .request import Call
from .state import Chat
from .text import message_text

DELETABLE_SECONDS = 48 * 3600
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup "
    "are exactly the same as a current content and reply markup of the message"
)
REACTIONS = frozenset(
    {
        "❤", "👍", "👎", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱",
        "🤬", "😢", "🎉", "🤩", "🤮", "💩", "🙏", "👌", "🕊", "🤡",
        "🥱", "🥴", "😍", "🐳", "❤‍🔥", "🌚", "🌭", "💯", "🤣", "⚡",
        "🍌", "🏆", "💔", "🤨", "😐", "🍓", "🍾", "💋", "🖕", "😈",
        "😴", "😭", "🤓", "👻", "👨‍💻", "👀", "🎃", "🙈", "😇", "😨",
        "🤝", "✍", "🤗", "🫡", "🎅", "🎄", "☃", "💅", "🤪", "🗿",
        "🆒", "💘", "🙉", "🦄", "😘", "💊", "🙊", "😎", "👾", "🤷‍♂",
        "🤷", "🤷‍♀", "😡",
    }
)  # fmt: skip


def edit_message_text(core: Core, call: Call) -> JSON:
    """A new text, and the keyboard as given (none takes the old one away)."""
    chat, message = _own_message(core, call)
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    text, entities = message_text(
        call.get("text", ""),
        parse_mode=call.get("parse_mode", ""),
        raw_entities=call.get("entities", []),
        empty="message text is empty",
    )
    changed = {k: v for k, v in message.items() if k not in ("entities", "reply_markup")}
    changed["text"] = text
    if entities:
        changed["entities"] = entities
    return _edited(core, call, chat, changed)


def edit_message_reply_markup(core: Core, call: Call) -> JSON:
    """A new keyboard, or none."""
    chat, message = _own_message(core, call)
    changed = {k: v for k, v in message.items() if k != "reply_markup"}
    return _edited(core, call, chat, changed)


def delete_message(core: Core, call: Call) -> bool:
    """Own messages and a private chat's; a group's as administrator; for 48 hours."""
    chat = core.world.writable_chat(call.values["chat_id"])
    _delete(core, call, chat, call.values["message_id"])
    return True


def delete_messages(core: Core, call: Call) -> bool:
    """1 to 100 messages; those that can't be found or deleted are skipped."""
    chat = core.world.writable_chat(call.values["chat_id"])
    ids: list[int] = call.values["message_ids"]
    if not 1 <= len(ids) <= 100:
        raise bad_request("message identifiers must be 1 to 100")
    for message_id in ids:
        try:
            _delete(core, call, chat, message_id)
        except ApiError as skipped:
            if skipped.code != 400:
                raise
    return True


def set_message_reaction(core: Core, call: Call) -> bool:
    """One emoji reaction of the bot, or none."""
    chat = core.world.writable_chat(call.values["chat_id"])
    message_id: int = call.values["message_id"]
    reaction: list[JSON] = call.get("reaction", [])
    if message_id not in chat.messages:
        raise bad_request("message to react not found")
    if not chat.reactions and reaction:
        raise bad_request("REACTION_INVALID")
    if len(reaction) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    for item in reaction:
        emoji = item.get("emoji")
        if item.get("type") != "emoji" or not isinstance(emoji, str):
            raise bad_request("REACTION_INVALID")
        if emoji.replace("\ufe0f", "") not in REACTIONS:
            raise bad_request("REACTION_INVALID")
    record: JSON = {"message_id": message_id, "reaction": reaction}
    core.journal.add("reaction", call.method, chat.id, record)
    return True


def _own_message(core: Core, call: Call) -> tuple[Chat, JSON]:
    if call.get("inline_message_id", ""):
        raise bad_request("MESSAGE_ID_INVALID")
    if "chat_id" not in call.values:
        raise bad_request("chat_id is empty")
    chat = core.world.writable_chat(call.values["chat_id"])
    message = chat.messages.get(call.get("message_id", 0))
    if message is None:
        raise bad_request("message to edit not found")
    if message["from"]["id"] != core.world.bot.id:
        raise bad_request("message can't be edited")
    return chat, message


def _edited(core: Core, call: Call, chat: Chat, changed: JSON) -> JSON:
    keyboard = inline_keyboard(call.values.get("reply_markup"))
    if keyboard is not None:
        changed["reply_markup"] = keyboard
    before = chat.messages[changed["message_id"]]
    compared = ("text", "entities", "reply_markup")
    if all(before.get(key) == changed.get(key) for key in compared):
        raise bad_request(NOT_MODIFIED)
    changed["edit_date"] = core.world.now()
    chat.messages[changed["message_id"]] = changed
    core.journal.add("edit", call.method, chat.id, changed)
    return changed


def _delete(core: Core, call: Call, chat: Chat, message_id: int) -> None:
    message = chat.messages.get(message_id)
    if message is None:
        raise bad_request("message to delete not found")
    own = message["from"]["id"] == core.world.bot.id
    admin = core.world.can(chat, core.world.bot.id)
    if not (own or admin or chat.type == "private"):
        raise bad_request("message can't be deleted")
    old = core.world.now() - message["date"] >= DELETABLE_SECONDS
    if old and not (admin and not own):
        raise bad_request("message can't be deleted for everyone")
    del chat.messages[message_id]
    core.journal.add("delete", call.method, chat.id, message)
