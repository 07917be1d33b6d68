"""The plugin's words in the reader's language (gettext: English, and Chinese in ``locale``)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clawdcore import translator

LOCALES = Path(__file__).with_name("locale")


def words(language: str) -> Callable[[str], str]:
    """What translates a text; in ``_("…")`` so that tools find the texts."""
    return translator(language, LOCALES, "clawdbot_water")


def today(drunk: int, goal: int, language: str) -> str:
    """How far somebody is."""
    _ = words(language)
    if drunk >= goal:
        return _("{drunk} of {goal} ml: well done!").format(drunk=drunk, goal=goal)
    return _("{drunk} of {goal} ml today.").format(drunk=drunk, goal=goal)


def reminding(minutes: int, language: str) -> str:
    """What was agreed on."""
    _ = words(language)
    if not minutes:
        return _("I don't remind you any more.")
    if minutes % 60:
        return _("I remind you every {minutes} minutes.").format(minutes=minutes)
    return _("I remind you every {hours} h.").format(hours=minutes // 60)


def remind(drunk: int, goal: int, language: str) -> str:
    """The reminder itself."""
    _ = words(language)
    return _("Time for a glass of water: {drunk} of {goal} ml so far.").format(
        drunk=drunk, goal=goal
    )
