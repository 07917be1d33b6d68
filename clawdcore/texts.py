"""The bot's own words in the reader's language (gettext; en and zh-CN are here).

A text is written in English where it is used, marked by a call of the
translator that :func:`translator` returns. Catalogues lie in ``locale/`` and
are compiled by ``make messages``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Final

Translator = Callable[[str], str]
LOCALES: Final = Path(__file__).with_name("locale")
DOMAIN: Final = "clawdcore"
LANGUAGES: Final = ("", "zh")
"""Telegram's codes of the languages we have; "" stands for all others."""


@lru_cache(maxsize=64)
def _catalogue(locale: str, folder: Path, domain: str) -> NullTranslations:
    return translation(domain, folder, [locale], fallback=True)


def locale_of(language: str) -> str:
    """The locale for an IETF tag as Telegram sends it; English where we have none.

    ``zh``, ``zh-hans`` and ``zh-CN`` read Simplified Chinese; so does every
    other Chinese for now, since it is nearer than English.
    """
    return "zh_CN" if language.lower().partition("-")[0] == "zh" else "en"


def translator(language: str, folder: Path = LOCALES, domain: str = DOMAIN) -> Translator:
    """The function that translates one text for readers of ``language``."""
    gettext = _catalogue(locale_of(language), folder, domain).gettext
    # gettext gives the catalogue's header for the empty text.
    return lambda text: gettext(text) if text else ""
