"""The plugin's own words, in the reader's language (gettext: English and zh-CN)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from clawdcore import translator

from .spans import written

LOCALES: Final = Path(__file__).with_name("locale")
DOMAIN: Final = "clawdbot_burn"


def _in(language: str) -> Callable[[str], str]:
    return translator(language, LOCALES, DOMAIN)


def how(shortest: int, longest: int, language: str) -> str:
    """What may be written after the command."""
    _ = _in(language)
    return _(
        "Write a time from {shortest} to {longest}, as 30s, 10m or 2h: /burn 60 for your next "
        "answer, or as a reply to a message of mine; /burn on 10m for this chat; /burn off."
    ).format(shortest=written(shortest), longest=written(longest))


def on(span: int, language: str) -> str:
    """The chat's state: everything vanishes."""
    _ = _in(language)
    return _("My answers here vanish after {time}.").format(time=written(span))


def off(language: str) -> str:
    """The chat's state: nothing vanishes."""
    _ = _in(language)
    return _("My answers here stay.")


def questions_too(language: str) -> str:
    """So do the messages that ask."""
    _ = _in(language)
    return _("So do the messages that they answer.")


def questions_stay(language: str) -> str:
    """The bot lacks the right for it, which an admin can give."""
    _ = _in(language)
    return _(
        "The messages that they answer stay: make me an admin who may delete messages, "
        "and they vanish too."
    )


def next_one(span: int, language: str) -> str:
    """The next answer to who asks."""
    _ = _in(language)
    return _("My next answer to you vanishes after {time}.").format(time=written(span))


def this_one(span: int, language: str) -> str:
    """The message that was replied to, and this exchange."""
    _ = _in(language)
    return _("That message and this one vanish after {time}.").format(time=written(span))


def admins_only(language: str) -> str:
    """A group's setting is its admins'."""
    _ = _in(language)
    return _("Only the admins of this group can change that.")


def not_mine(language: str) -> str:
    """A reply to somebody else's message."""
    _ = _in(language)
    return _("I only let my own messages vanish: reply to one of mine.")


def too_old(language: str) -> str:
    """Telegram would refuse it."""
    _ = _in(language)
    return _("That message is too old: Telegram deletes messages for 48 hours.")


def held(language: str) -> str:
    """What /forget erased."""
    _ = _in(language)
    return _("a time after which answers vanish")
