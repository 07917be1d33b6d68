"""The plugin's own words, in the reader's language (gettext: English and zh-CN)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from clawdcore import translator

from .failures import (
    EngineBusy,
    EngineCrashed,
    EngineSlow,
    NoText,
    NotInstalled,
    NotPicture,
    OcrError,
    TooLarge,
    TooManyPixels,
)

LOCALES: Final = Path(__file__).with_name("locale")
DOMAIN: Final = "clawdbot_ocr"
MEGABYTE: Final = 1_000_000
MEGAPIXEL: Final = 1_000_000


def nothing_given(language: str) -> str:
    """Neither a picture nor a message replied to."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("Reply with it to a picture, or write it as the caption of one.")


def nothing_quoted(language: str) -> str:
    """The message replied to has no picture."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("There is no picture in the message that you reply to.")


def heading(number: int, count: int) -> str:
    """Above the text of one of several pictures."""
    return f"🖼 {number}/{count}"


def pages(found: Sequence[str], more: int, language: str) -> str:
    """The text of all pages, each below its number if there are several."""
    _ = translator(language, LOCALES, DOMAIN)
    if len(found) == 1 and not more:
        return found[0]
    count = len(found) + more
    parts = [
        f"📄 {number}/{count}\n{text or _('(no text)')}" for number, text in enumerate(found, 1)
    ]
    if more:
        parts.append("[" + _("I read {count} pages at most.").format(count=len(found)) + "]")
    return "\n\n".join(parts)


def unavailable(language: str) -> str:
    """The channel does not give the file."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("Telegram did not give me this file. Please send it again.")


def failed(error: OcrError, language: str, *, megapixels: float, megabytes: float) -> str:
    """Why there is no text, and what helps."""
    _ = translator(language, LOCALES, DOMAIN)
    if isinstance(error, NoText):
        return _("I see no text in this picture.")
    if isinstance(error, NotPicture):
        return _(
            "I can't open this file: it is damaged, or no picture of a kind that I read "
            "(PNG, JPEG, WebP, HEIC, TIFF)."
        )
    if isinstance(error, TooManyPixels):
        text = _("That is too large: {size} megapixels, and I take at most {limit}.")
        return text.format(size=f"{error.pixels / MEGAPIXEL:.1f}", limit=f"{megapixels:g}")
    if isinstance(error, TooLarge):
        text = _("That is too large: {size} MB, and I take at most {limit} MB.")
        return text.format(size=f"{error.size / MEGABYTE:.1f}", limit=f"{megabytes:g}")
    if isinstance(error, NotInstalled):
        text = _("My text recognition is not installed. Whoever runs this bot can add it: {fix}")
        return text.format(fix=error.fix or "pip install --upgrade clawdbot-ocr")
    if isinstance(error, EngineBusy):
        return _("I'm reading many pictures right now. Please send it again in a minute.")
    if isinstance(error, EngineSlow):
        return _("I could not read this in time. Please try again, or send a smaller picture.")
    if isinstance(error, EngineCrashed):
        return _("My text recognition broke down over this picture. Please try again.")
    return _("My text recognition isn't working right now. Please try again later.")
