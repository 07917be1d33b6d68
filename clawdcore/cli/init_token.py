"""The bot's token: given, asked for, and checked with getMe."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ..errors import ChannelUnreachable, ClawdBotError, TokenRefused
from .init_questions import Asker

if TYPE_CHECKING:
    from ..broker import Bot

VARIABLE: Final = "TELEGRAM_BOT_TOKEN"
PUBLIC: Final = "https://api.telegram.org"
_SHAPE: Final = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Token:
    """Where the token is kept: in a file, else in the variable.

    ``typed`` is a token that is yet to be written to a file. ``username`` is
    the bot's, "" where it was not asked.
    """

    file: Path | None = None
    typed: str = ""
    username: str = ""


def get_token(
    file: Path | None, api_root: str, asker: Asker, env: Mapping[str, str] = os.environ
) -> Token:
    """From ``file``, else from the environment, else from the one who is asked.

    Raises:
        ClawdBotError: the given token can't be read, or is refused, and nobody is asked.
    """
    if file is not None:
        return Token(file=file, username=_checked(_read(file), api_root, asker))
    given = env.get(VARIABLE, "").strip()
    if given:
        try:
            return Token(username=_checked(given, api_root, asker))
        except TokenRefused as error:
            if not asker.asks:
                raise
            click.echo(f"The variable {VARIABLE} has a token that does not work: {error}")
    while typed := asker.secret("The bot's token from @BotFather (empty: later)"):
        try:
            return Token(typed=typed, username=_checked(typed, api_root, asker))
        except TokenRefused as error:
            click.echo(str(error))
    return Token()


def _checked(token: str, api_root: str, asker: Asker) -> str:
    """The bot's username, "" where it could not be asked and that was accepted.

    Raises:
        TokenRefused: it is not a token, or not of any bot.
        ChannelUnreachable: it could not be checked, and shall not be used so.
    """
    if not _SHAPE.fullmatch(token):
        raise TokenRefused(
            "that is not a bot token: one looks like 123456789:AAE…",
            fix="Copy it from @BotFather (/mybots → API Token).",
        )
    try:
        bot = asyncio.run(_who(token, api_root))
    except ChannelUnreachable as error:
        click.echo(f"The token could not be checked: {error}")
        if not asker.confirm("Use it unchecked?", default=True):
            raise
        return ""
    click.echo(f"The token is that of @{bot.username}.")
    return bot.username


async def _who(token: str, api_root: str) -> Bot:
    from ..edge.telegram import TelegramApi

    api = TelegramApi(token, api_root)
    try:
        return await api.open()
    finally:
        await api.close()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ClawdBotError(
            f"the token file {file} can't be read ({reason}).",
            fix="Give the path of a file that holds the token and nothing else.",
        ) from None
