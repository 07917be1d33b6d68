"""The plugin's own words, in the reader's language (gettext: English and zh-CN)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from clawdcore import translator

from .sessions import Erased

LOCALES: Final = Path(__file__).with_name("locale")
DOMAIN: Final = "clawdbot_chat"


def fresh(language: str) -> str:
    """After ``/new``."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("A fresh start: I no longer know what we said here before.")


def held(erased: Erased, language: str) -> str:
    """What was erased, in the language of whoever asked for it."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("conversation (questions: {questions}, summaries: {summaries})").format(
        questions=erased.questions, summaries=erased.notes
    )
