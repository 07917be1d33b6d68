"""How updates reach the bot: a webhook, or polling, and whether somebody else takes them."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final
from urllib.parse import urlsplit

from ...config import Config
from .bot_api import Answer, BotApi
from .finding import Finding, fail, ok, warn

MANY: Final = 1000
"""Updates waiting at Telegram from which on it is worth a word."""
RECENT: Final = 3600.0
"""Seconds for which a failed delivery counts."""
RIVAL_FIX: Final = (
    "Stop the other one (your own running bot too, if this is a check before its start), or get a "
    "token of its own for it from @BotFather."
)


async def webhook(api: BotApi, config: Config) -> list[Finding]:
    """Where Telegram delivers, and how that went."""
    if await api.accepted() is None:
        return []
    answer = await api.webhook()
    if not answer.ok:
        return [warn(f"getWebhookInfo failed: {answer.code} {answer.description}.")]
    info: dict[str, Any] = answer.result
    found = [_address(info.get("url", ""), config.channels.telegram.webhook.url)]
    pending = int(info.get("pending_update_count", 0))
    if pending >= MANY:
        found.append(
            warn(f"{pending} updates wait at Telegram.", "Start the bot; it takes them in order.")
        )
    elif pending:
        found.append(ok(f"{pending} updates wait at Telegram for the bot"))
    age = time.time() - float(info.get("last_error_date", 0))
    if info.get("last_error_message") and age < RECENT:
        found.append(
            warn(
                f"Telegram could not deliver {age / 60:.0f} min ago: {info['last_error_message']}.",
                "Check the proxy before the bot, its certificate, and channels.telegram.webhook.",
            )
        )
    return found


def _address(actual: str, wanted: str | None) -> Finding:
    """What is set against what is configured. An address may hold a secret: hosts are shown."""
    if actual == (wanted or ""):
        if wanted is None:
            return ok("no webhook is set, and the configuration polls")
        return ok(f"the webhook is set to {_host(wanted)}, as configured")
    if wanted is None:
        return warn(
            f"a webhook is set to {_host(actual)}, but the configuration polls.",
            "If another program uses it, stop that one: the bot removes the webhook at its start.",
        )
    if not actual:
        return ok(f"the webhook {_host(wanted)} is not set yet: the bot sets it at its start")
    return warn(
        f"the webhook is set to {_host(actual)}, and configured is {_host(wanted)} or another "
        "path there.",
        "If another program uses it, stop that one: the bot sets its own at its start.",
    )


def _host(url: str) -> str:
    return urlsplit(url).hostname or "an unreadable address"


async def polling(api: BotApi, config: Config, listen: float) -> list[Finding]:
    """Whether somebody else polls with this token.

    Asks without an offset, which confirms nothing, so that no update is lost to
    whom it belongs. Telegram ends the *older* of two polls: one short call sees
    a rival only by luck; ``listen`` seconds of polling see it come back.
    """
    if await api.accepted() is None or config.channels.telegram.webhook.url is not None:
        return []
    hook = await api.webhook()
    if hook.ok and hook.result.get("url"):
        return []  # getUpdates is refused meanwhile, and the webhook's check says so
    first = await api.call("getUpdates", limit=1, timeout=0)
    conflict = _conflict(first)
    if conflict:
        return conflict
    if listen <= 0:
        return [ok("no conflict with another poller at this moment (--listen 10 looks longer)")]
    return await _listen(api, listen, _first_id(first))


async def _listen(api: BotApi, seconds: float, waiting: int | None) -> list[Finding]:
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        # The public server answers a repeated question within 0.5 s with less.
        await asyncio.sleep(min(1.0, left))
        timeout = max(1, round(ends - time.monotonic()))
        answer = await api.call("getUpdates", patience=timeout, limit=1, timeout=timeout)
        conflict = _conflict(answer)
        if conflict:
            return conflict
        now = _first_id(answer)
        if waiting is not None and now != waiting:
            return [fail("somebody else takes this bot's updates.", RIVAL_FIX)]
        waiting = now
    return [ok(f"nobody else polled within {seconds:g} s")]


def _conflict(answer: Answer) -> list[Finding]:
    if answer.ok:
        return []
    if answer.code == 409:
        return [fail("somebody else polls with this token (409 Conflict).", RIVAL_FIX)]
    return [warn(f"getUpdates failed: {answer.code} {answer.description}.")]


def _first_id(answer: Answer) -> int | None:
    return answer.result[0]["update_id"] if answer.result else None
