"""The plugin's own words, in the reader's language (gettext: English and zh-CN)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from clawdcore import translator

from .languages import Language

LOCALES: Final = Path(__file__).with_name("locale")
DOMAIN: Final = "clawdbot_translate"
ENGINES: Final = {"libretranslate": "LibreTranslate", "google": "Google"}


def _in(language: str) -> Callable[[str], str]:
    return translator(language, LOCALES, DOMAIN)


def nothing_given(language: str) -> str:
    """Neither a text nor a message replied to."""
    _ = _in(language)
    return _("Write the text after the command, or reply with it to a message.")


def nothing_quoted(language: str) -> str:
    """The message replied to has no text, nor anything that a reader makes text of."""
    _ = _in(language)
    return _("I find no text in the message that you reply to.")


def too_long(count: int, limit: int, language: str) -> str:
    """More characters than ``maxCharacters``."""
    _ = _in(language)
    return _(
        "That is too long: {count} characters, and I translate at most {limit} at once. "
        "Please send it in smaller parts."
    ).format(count=count, limit=limit)


def echoed(target: Language, language: str) -> str:
    """No engine gave a translation; the model was asked twice."""
    _ = _in(language)
    return _(
        "I tried twice and could not translate this into {language}. "
        "Please say it differently, or ask for another language."
    ).format(language=target.name_for(language))


def already(target: Language, language: str) -> str:
    """The text is in the language that was asked for."""
    _ = _in(language)
    return _("This is in {language} already.").format(language=target.name_for(language))


def no_engine(names: Sequence[str], seconds: float, language: str) -> str:
    """All engines failed or rest; the first may be asked again in ``seconds``."""
    _ = _in(language)
    called = ", ".join(ENGINES.get(name, _("the model")) for name in names)
    return _(
        "I can't translate right now: {engines} doesn't answer. "
        "Please try again in about {seconds} s."
    ).format(engines=called, seconds=max(1, round(seconds)))


def cut_off(language: str) -> str:
    """The model wrote more than a translation can have."""
    _ = _in(language)
    return _("The translation breaks off here.")


def not_translated(language: str) -> str:
    """A text that was read in a file is shown, but its translation failed."""
    _ = _in(language)
    return _("I could not translate this text right now.")


def detected(name: str, sure: bool, language: str) -> str:
    """Which language a text is in."""
    _ = _in(language)
    if sure:
        return _("This is {language}.").format(language=name)
    return _("This may be {language}; the text is too short to be sure.").format(language=name)


def not_detected(language: str) -> str:
    """No language at all."""
    _ = _in(language)
    return _("I can't tell which language this is.")


def all_languages(count: int, names: str, language: str) -> str:
    """Every language that can be asked for."""
    _ = _in(language)
    return _("I translate into {count} languages:\n{names}").format(count=count, names=names)


def unknown_language(word: str, language: str) -> str:
    """A word of /lang or /auto is no language that we know. It is told to who wrote it."""
    _ = _in(language)
    return _("I know no language “{word}”. /languages lists all of them.").format(word=word[:40])


def too_many(limit: int, language: str) -> str:
    """More languages than a chat may have."""
    _ = _in(language)
    return _("A chat can have at most {limit} languages.").format(limit=limit)


def chat_languages(names: str, language: str) -> str:
    """What is set."""
    _ = _in(language)
    return _("Languages of this chat: {names}").format(names=names)


def no_languages(language: str) -> str:
    """Nothing is set."""
    _ = _in(language)
    return _(
        "No languages are set for this chat: I translate into the language of whoever asks. "
        "Set them with /lang, for example: /lang en zh"
    )


def admins_only(language: str) -> str:
    """Somebody else wanted to change a group's settings."""
    _ = _in(language)
    return _("Only admins of this group can change that.")


def rights_unknown(language: str) -> str:
    """Telegram did not say who is an admin."""
    _ = _in(language)
    return _("Telegram doesn't tell me who is an admin here right now. Please try again later.")


def groups_only(language: str) -> str:
    """/auto in a private chat."""
    _ = _in(language)
    return _(
        "/auto is for groups. Here, send me /translate with a text, or reply with it to a message."
    )


def auto_on(names: str, language: str) -> str:
    """From now on everything is translated."""
    _ = _in(language)
    return _("I translate whatever is written here in another language into: {names}").format(
        names=names
    )


def auto_needs_languages(language: str) -> str:
    """Neither the command, nor the chat, nor the asker says into what."""
    _ = _in(language)
    return _("Into which language? Name one, for example: /auto on en")


def auto_off(language: str) -> str:
    """Nothing is translated unasked."""
    _ = _in(language)
    return _("Automatic translation is off. Switch it on with /auto on.")


def deaf(language: str) -> str:
    """Telegram gives the bot only what is addressed to it; what to do about that."""
    _ = _in(language)
    return _(
        "But Telegram doesn't show me the messages of this group yet. Make me an admin here, or "
        "send /setprivacy to @BotFather, choose me and “Disable”, and add me to the group again."
    )


def other_language(language: str) -> str:
    """On a button."""
    _ = _in(language)
    return _("Other language")


def show_original(language: str) -> str:
    """On a button."""
    _ = _in(language)
    return _("Show original")


def show_translation(language: str) -> str:
    """On a button."""
    _ = _in(language)
    return _("Show translation")


def back(language: str) -> str:
    """On a button."""
    _ = _in(language)
    return _("Back")


def not_held(language: str) -> str:
    """A button was pressed when the text had been given up."""
    _ = _in(language)
    return _("I keep texts for an hour only. Please use /translate again.")


def forgotten(count: int, language: str) -> str:
    """What /forget found here."""
    _ = _in(language)
    return _("{count} translated texts, kept for their buttons").format(count=count)


def leaves(places: Sequence[str], language: str) -> str:
    """Which services get texts."""
    _ = _in(language)
    return _("Texts to be translated may be sent to: {places}.").format(places=", ".join(places))
