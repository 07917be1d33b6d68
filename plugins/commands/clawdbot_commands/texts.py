"""The plugin's own words, in the reader's language (gettext: English and zh-CN)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError

from clawdcore import translator

from .fetching import Trouble

LOCALES: Final = Path(__file__).with_name("locale")
DOMAIN: Final = "clawdbot_commands"


def words(language: str) -> Callable[[str], str]:
    """The translator for readers of ``language`` (an IETF tag, or "")."""
    return translator(language, LOCALES, DOMAIN)


def locale_of(language: str) -> Locale:
    """How numbers and dates are written for ``language``; English where CLDR has none."""
    for tag in (language, language.partition("-")[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


def failed(service: str, trouble: Trouble, language: str) -> str:
    """One sentence for a service that gave nothing."""
    _ = words(language)
    sentences = {
        "down": _("{service} can't be reached right now; please try again later."),
        "slow": _("{service} takes too long to answer right now; please try again later."),
        "busy": _("{service} gets too many requests right now; please try again in a minute."),
        "refused": _("{service} doesn't let me in; the owner of this bot has to look at it."),
        "wrong": _("{service} gave an answer that I can't read; please try again later."),
    }
    return sentences[trouble].format(service=service)


def sky(code: int, language: str) -> str:
    """A WMO weather code (table 4677 as Open-Meteo uses it) in words; "" for an unknown one."""
    _ = words(language)
    table = (
        ((0,), _("clear sky")),
        ((1, 2), _("partly cloudy")),
        ((3,), _("overcast")),
        ((45, 48), _("fog")),
        ((51, 53, 55, 56, 57), _("drizzle")),
        ((61, 63, 65, 66, 67), _("rain")),
        ((71, 73, 75, 77), _("snow")),
        ((80, 81, 82), _("rain showers")),
        ((85, 86), _("snow showers")),
        ((95, 96, 99), _("thunderstorm")),
    )
    return next((text for numbers, text in table if code in numbers), "")
