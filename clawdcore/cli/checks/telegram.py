"""The bot's account at Telegram: token, reach, clock, rights in groups."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from ...config import Config, GroupConfig
from ...errors import ChannelUnreachable
from .bot_api import Answer, BotApi
from .finding import Finding, fail, ok, warn

SKEW: Final = 10.0
"""Seconds by which clocks may differ before it is worth a word."""
GROUPS: Final = 50
"""Groups that are asked about at most."""
PRIVACY_FIX: Final = (
    "Ask @BotFather: /setprivacy → Disable, then remove the bot from the group and add it again."
)


async def token(api: BotApi) -> list[Finding]:
    """Whether the server takes the token; where there is no answer, :func:`reach` says so."""
    try:
        answer = await api.me()
    except ChannelUnreachable:
        return []
    if answer.ok:
        return [ok(f"accepted: @{answer.result.get('username')} (id {answer.result.get('id')})")]
    if answer.code in (401, 404):
        return [
            fail(
                f"{api.root} refuses the bot token.",
                "Copy it again from @BotFather (/mybots → API Token).",
            )
        ]
    return [fail(f"getMe failed: {answer.code} {answer.description}.", "Try again later.")]


async def reach(api: BotApi) -> list[Finding]:
    """How quickly the server answers. Raises ChannelUnreachable."""
    await api.me()  # the first call also opens the connection, and is no measure
    answer = await api.call("getMe")
    return [ok(f"{api.root} answers in {answer.seconds * 1000:.0f} ms")]


async def clock(api: BotApi) -> list[Finding]:
    """Whether our clock and the server's agree."""
    if await api.accepted() is None:
        return []
    skew = (await api.me()).skew
    if skew is None:
        return [ok("the Bot API does not tell its time")]
    if abs(skew) > SKEW:
        how = "behind" if skew > 0 else "ahead of"
        return [
            warn(
                f"this machine's clock is {abs(skew):.0f} s {how} Telegram's.",
                "Switch time synchronisation on: timedatectl set-ntp true",
            )
        ]
    return [ok("the clock agrees with Telegram's")]


async def privacy(api: BotApi, config: Config) -> list[Finding]:
    """What Telegram shows the bot in groups."""
    me = await api.accepted()
    if me is None:
        return []
    if me.get("can_read_all_group_messages"):
        return [ok("privacy mode is off: the bot is shown every message of its groups")]
    groups = config.channels.telegram.groups
    curious = [key for key, group in groups.items() if group.enabled and not group.require_mention]
    if curious:
        return [
            warn(
                "privacy mode is on: Telegram hides from the bot what does not address it, but "
                f"requireMention is false for the groups {', '.join(curious)}.",
                f"{PRIVACY_FIX} Or make it an administrator there.",
            )
        ]
    return [
        ok(
            "privacy mode is on: in groups the bot is shown only what addresses it "
            "(its commands, mentions, replies to it), which is all that it answers"
        )
    ]


async def groups(api: BotApi, config: Config) -> list[Finding]:
    """The bot's place in each group that the configuration names."""
    me = await api.accepted()
    named = {
        key: group
        for key, group in config.channels.telegram.groups.items()
        if key != "*" and group.enabled
    }
    if me is None or not named:
        return []
    asked = list(named)[:GROUPS]
    answers = await asyncio.gather(
        *(api.call("getChatMember", chat_id=int(key), user_id=me["id"]) for key in asked)
    )
    sees_all = bool(me.get("can_read_all_group_messages"))
    found = [
        _place(key, answer, named[key], sees_all=sees_all)
        for key, answer in zip(asked, answers, strict=True)
    ]
    if len(named) > GROUPS:
        found.append(warn(f"{len(named) - GROUPS} more groups are named and were not asked about."))
    return found


def _place(key: str, answer: Answer, group: GroupConfig, *, sees_all: bool) -> Finding:
    if not answer.ok:
        moved = answer.parameters.get("migrate_to_chat_id")
        if moved:
            return warn(f"the group {key} became {moved}.", f"Write {moved} in place of {key}.")
        return warn(
            f"the bot has no place in the group {key}: {answer.description}.",
            "Add it to the group, or take the group out of channels.telegram.groups.",
        )
    member: dict[str, Any] = answer.result
    status = member.get("status")
    if status in ("creator", "administrator"):
        return ok(f"the bot is an administrator of the group {key}")
    if status in ("left", "kicked"):
        return warn(
            f"the bot is not in the group {key} ({status}).",
            "Add it to the group, or take the group out of channels.telegram.groups.",
        )
    if member.get("can_send_messages") is False:
        return fail(
            f"the bot may not write in the group {key}.",
            "Lift its restriction there, or make it an administrator.",
        )
    if sees_all or group.require_mention:
        return ok(f"the bot is a member of the group {key}, which is enough")
    return warn(
        f"the bot is no administrator of the group {key}, and privacy mode hides from it what "
        "does not address it.",
        f"Make it an administrator there. Or: {PRIVACY_FIX}",
    )
