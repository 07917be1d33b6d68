"""Chats and their members, files, callback queries, the bot's commands.

getChat, getChatMember, getChatMemberCount, getChatAdministrators, leaveChat,
getFile, answerCallbackQuery, setMyCommands, getMyCommands, deleteMyCommands.
Source: core.telegram.org/bots/api#available-methods.
"""

from __future__ import annotations

import json
import re

from .core import Core
from .errors import JSON, bad_request
from .request import Call
from .state import PRESENT

MAX_COMMANDS = 100
MAX_MENUS = 10_000
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


def get_chat(core: Core, call: Call) -> JSON:
    """The ChatFullInfo object."""
    chat = core.world.find_chat(call.values["chat_id"])
    full: JSON = {
        **chat.json(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            (
                "unlimited_gifts",
                "limited_gifts",
                "unique_gifts",
                "premium_subscription",
                "gifts_from_channels",
            ),
            False,
        ),
    }
    if chat.username:
        full["active_usernames"] = [chat.username]
    if chat.is_group:
        full["permissions"] = dict.fromkeys(
            ("can_send_messages", "can_send_photos", "can_send_documents", "can_send_voice_notes"),
            True,
        )
    return full


def get_chat_member(core: Core, call: Call) -> JSON:
    """One member, also one who left."""
    chat = core.world.find_chat(call.values["chat_id"])
    return core.world.member(chat, call.values["user_id"])


def get_chat_administrators(core: Core, call: Call) -> list[JSON]:
    """Owner and administrators but bots other than this one."""
    chat = core.world.find_chat(call.values["chat_id"])
    if not chat.is_group:
        raise bad_request("there are no administrators in the private chat")
    return [core.world.member(chat, u) for u in chat.members if core.world.can(chat, u)]


def get_chat_member_count(core: Core, call: Call) -> int:
    """How many are in the chat, the bot included."""
    chat = core.world.find_chat(call.values["chat_id"])
    return sum(1 for status in chat.members.values() if status in PRESENT)


def leave_chat(core: Core, call: Call) -> bool:
    """The bot goes; it may not write there any more."""
    chat = core.world.writable_chat(call.values["chat_id"])
    if not chat.is_group:
        raise bad_request("chat member status can't be changed in private chats")
    chat.members[core.world.bot.id] = "left"
    return True


def get_file(core: Core, call: Call) -> JSON:
    """Where to download a file of up to 20 MB."""
    return core.files.link(call.values["file_id"])


def answer_callback_query(core: Core, call: Call) -> bool:
    """Ends the progress mark of a button; each query once."""
    query = core.callbacks.pop(call.values["callback_query_id"], None)
    if query is None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    core.journal.add("answer", call.method, query["message"]["chat"]["id"], dict(call.values))
    return True


def set_my_commands(core: Core, call: Call) -> bool:
    """The menu of commands for a scope and a language."""
    commands: list[JSON] = call.values["commands"]
    if len(commands) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for item in commands:
        name, description = item.get("command"), item.get("description")
        if not isinstance(name, str) or not _COMMAND.fullmatch(name.removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not isinstance(description, str) or not 1 <= len(description.strip()) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    core.commands[_scope(call)] = [
        {"command": c["command"].removeprefix("/"), "description": c["description"].strip()}
        for c in commands
    ]
    while len(core.commands) > MAX_MENUS:
        del core.commands[next(iter(core.commands))]
    core.journal.changed()
    return True


def get_my_commands(core: Core, call: Call) -> list[JSON]:
    """The menu of exactly this scope and language, [] where none was set."""
    return core.commands.get(_scope(call), [])


def delete_my_commands(core: Core, call: Call) -> bool:
    """Takes that menu away."""
    core.commands.pop(_scope(call), None)
    core.journal.changed()
    return True


def _scope(call: Call) -> str:
    scope: JSON = call.get("scope", {"type": "default"})
    kind = scope.get("type")
    if not isinstance(kind, str) or kind not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    return json.dumps([scope, call.get("language_code", "")], sort_keys=True)


_SCOPES = frozenset(
    {
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    }
)
