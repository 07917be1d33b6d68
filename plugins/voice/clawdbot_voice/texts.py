"""The plugin's own words, in the reader's language (gettext: English and zh-CN)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from clawdcore import translator

from .failures import (
    EngineBusy,
    EngineCrashed,
    EngineSlow,
    NoSpeech,
    NotAudio,
    NotInstalled,
    TooLarge,
    TooLong,
    VoiceError,
    WeightsMissing,
)
from .languages import name_of

LOCALES: Final = Path(__file__).with_name("locale")
DOMAIN: Final = "clawdbot_voice"
MEGABYTE: Final = 1_000_000


def nothing_given(language: str) -> str:
    """Neither a recording nor a message replied to."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("Reply with it to a voice message, an audio file or a video note.")


def nothing_quoted(language: str) -> str:
    """The message replied to has no recording."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("There is no recording in the message that you reply to.")


def no_language(language: str) -> str:
    """What follows the command names no language that can be heard."""
    _ = translator(language, LOCALES, DOMAIN)
    return _(
        "I know no language of that name. Leave it out and I find the language, or write its "
        "name or code."
    )


def heading(code: str, seconds: float, language: str) -> str:
    """Above the text: the language that is spoken, and how long; "" where neither is known."""
    parts = [name_of(code, language)] if code else []
    if seconds:
        parts.append(clock(seconds))
    return f"🎙 {' · '.join(parts)}\n\n" if parts else ""


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, ``1:05``."""
    whole = max(1, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def failed(
    error: VoiceError, language: str, *, seconds: float, megabytes: float, command: str
) -> str:
    """Why there is no text, and what helps. ``command`` fetches the model."""
    _ = translator(language, LOCALES, DOMAIN)
    if isinstance(error, NoSpeech):
        return _("I hear nobody speak in this recording.")
    if isinstance(error, NotAudio):
        return _("I can't play this file: it has no sound, is damaged, or is no recording.")
    if isinstance(error, TooLong):
        text = _("That is too long: I take recordings of at most {limit} minutes.")
        return text.format(limit=clock(seconds))
    if isinstance(error, TooLarge):
        text = _("That is too large: {size} MB, and I take at most {limit} MB.")
        return text.format(size=f"{error.size / MEGABYTE:.1f}", limit=f"{megabytes:g}")
    if isinstance(error, WeightsMissing):
        text = _("My speech model is not installed. Whoever runs this bot can fetch it: {command}")
        return text.format(command=command)
    if isinstance(error, NotInstalled):
        text = _("A part of my speech engine is missing. Whoever runs this bot can add it: {fix}")
        return text.format(fix='pip install "clawdbot-voice[whisper]"')
    if isinstance(error, EngineBusy):
        return _("I'm listening to many recordings right now. Please send it again in a minute.")
    if isinstance(error, EngineSlow):
        return _("I could not write this down in time. Please try again, or send a shorter one.")
    if isinstance(error, EngineCrashed):
        return _("My speech engine broke down over this recording. Please try again.")
    return _("My speech engine isn't working right now. Please try again later.")


def broken_off(reason: str, language: str) -> str:
    """Below a text that ends too early."""
    _ = translator(language, LOCALES, DOMAIN)
    return "…\n\n[" + _("The text breaks off here.") + f" {reason}]"


def leaves(server: str, language: str) -> str:
    """What may go to another machine: recordings, to the provider called ``server``."""
    _ = translator(language, LOCALES, DOMAIN)
    return _("Recordings that I write down go to the model server {server}.").format(server=server)
