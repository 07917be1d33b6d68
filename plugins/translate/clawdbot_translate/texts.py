"""The plugin's own words, in the reader's language (gettext: English and zh-CN)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from clawdcore import translator

from .languages import Language

LOCALES: Final = Path(__file__).with_name("locale")
DOMAIN: Final = "clawdbot_translate"


def nothing_given(language: str) -> str:
    """Neither a text nor a message replied to."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("Write the text after the command, or reply with it to a message.")


def nothing_quoted(language: str) -> str:
    """The message replied to has no text, nor anything that a reader makes text of."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("I find no text in the message that you reply to.")


def too_long(count: int, limit: int, language: str) -> str:
    """More characters than ``maxCharacters``."""
    _ = translator(language, LOCALES, DOMAIN)
    return _(
        "That is too long: {count} characters, and I translate at most {limit} at once. "
        "Please send it in smaller parts."
    ).format(count=count, limit=limit)


def echoed(target: Language, language: str) -> str:
    """The model gave no translation, twice."""
    _ = translator(language, LOCALES, DOMAIN)
    return _(
        "I tried twice and could not translate this into {language}. "
        "Please say it differently, or ask for another language."
    ).format(language=target.name_for(language))


def cut_off(language: str) -> str:
    """The model wrote more than a translation can have."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("The translation breaks off here.")
