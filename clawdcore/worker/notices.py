"""What the bot says when it can't do what was asked: one honest sentence each."""

from __future__ import annotations

import html
import math

from ..admission.ladder import Rung
from ..errors import (
    BackendError,
    ChatUnavailable,
    ClawdBotError,
    ContextOverflow,
    FileUnavailable,
    Overloaded,
    UsageError,
)
from ..hooks.command import Command
from ..messages import Format
from ..texts import translator
from . import fences


def usage(command: Command, error: UsageError, language: str) -> str:
    """A command's words were not understood."""
    _ = translator(language)
    template = command.said(error.template, language)
    lines = [
        template.format(**error.values) if error.values else template,
        _("Usage: {usage}").format(usage=command.usage),
    ]
    if command.example:
        lines.append(_("Example: {example}").format(example=command.example))
    return "\n".join(lines)


def unknown_command(word: str, nearest: str, language: str) -> str:
    """A private message called a command that nobody registered."""
    _ = translator(language)
    if nearest:
        return _("I don't know /{word}. Did you mean /{nearest}? /help lists all.").format(
            word=word, nearest=nearest
        )
    return _("I don't know /{word}. /help lists what I know.").format(word=word)


def elsewhere(word: str, *, private: bool, language: str) -> str:
    """A command was called in a chat of a kind that its plugin does not serve."""
    _ = translator(language)
    if private:
        return _("/{word} works in groups only.").format(word=word)
    return _("/{word} works in private only: write to me there.").format(word=word)


def backend(error: BackendError, language: str) -> str:
    """No model could answer."""
    _ = translator(language)
    if isinstance(error, Overloaded):
        return refused(1, error.retry_after, language)
    if isinstance(error, ContextOverflow):
        return _("That is too long for my model. Please send it in smaller parts.")
    return _("My language model isn't answering right now. Please try again later.")


def refused(count: int, seconds: float, language: str) -> str:
    """One notice for ``count`` messages of a chat that are not answered, for too much work."""
    _ = translator(language)
    wait = max(1, math.ceil(seconds))
    if count == 1:
        return _("I'm busy right now. Please send it again in about {seconds} s.").format(
            seconds=wait
        )
    return _(
        "I'm busy right now: {count} messages here got no answer. "
        "Please send them again in about {seconds} s."
    ).format(count=count, seconds=wait)


def in_line(number: int, seconds: float, language: str) -> str:
    """Somebody's place among those who wait for a model, and about how long it still takes."""
    return translator(language)("You are number {number} in line, about {seconds} s.").format(
        number=number, seconds=max(1, math.ceil(seconds))
    )


def too_late(language: str) -> str:
    """The message's time was over before an answer was ready."""
    return translator(language)("This took too long, so I stopped. Please try again.")


def failed(language: str) -> str:
    """A plugin raised an error."""
    return translator(language)("Something went wrong on my side. Please try again.")


def nothing(language: str) -> str:
    """The plugin or the model answered with white space only."""
    return translator(language)("I have nothing to say to that.")


def unavailable(error: ClawdBotError, language: str) -> str:
    """Something that the plugin needed could not be had: a file, or the settings."""
    _ = translator(language)
    if isinstance(error, FileUnavailable):
        return _("I couldn't get that file. Please send it again, or a smaller one.")
    if isinstance(error, ChatUnavailable):
        return _("Telegram doesn't answer me about this chat. Please try again later.")
    return _("I can't read or keep my settings right now. Please try again later.")


def shortened(language: str) -> str:
    """Below an answer that was cut at the limit of its length."""
    return translator(language)("The answer was too long; this is its beginning.")


def kept_short(language: str) -> str:
    """Below an answer that is shorter than it would be on a quieter day."""
    return translator(language)("I keep answers short while many people ask.")


def cut(text: str, reason: str, format: Format = "plain") -> str:
    """An answer that broke off, with the reason below it, in the answer's format."""
    text = text.rstrip()
    if format == "html":
        reason = html.escape(reason, quote=False)
    elif format == "markdown" and (fence := fences.closing(text)):
        text = f"{text}\n{fence}"
    return f"{text}\n\n[{reason}]"


def resting(seconds: float, language: str) -> str:
    """A plugin is in quarantine."""
    return translator(language)(
        "This feature had errors and is resting. Please try again in about {seconds} s."
    ).format(seconds=max(1, math.ceil(seconds)))


def paused(language: str) -> str:
    """The owner has sent the bot to rest."""
    return translator(language)("I'm taking a break. Please try again later.")


def settings_held(count: int, language: str) -> str:
    """How many settings were erased that plugins kept."""
    return translator(language)("settings ({count})").format(count=count)


def not_erased(language: str) -> str:
    """A plugin failed to forget."""
    return translator(language)("an error: ask again, or ask my owner.")


def stranger(user: int, language: str) -> str:
    """A private message from somebody who is not on the list."""
    return translator(language)(
        "This bot answers only people whom its owner has allowed. Your id is {user}."
    ).format(user=user)


def nobody(language: str) -> str:
    """Addressed, but no plugin takes this kind of message."""
    return translator(language)("I can't do anything with this. /help lists what I can do.")


def given_up(rung: Rung, language: str) -> str:
    """What a rung of the ladder means to people, on top of those before it."""
    _ = translator(language)
    return {
        Rung.NONE: "",
        Rung.WHOLE_ANSWERS: _("answers are shown when they are whole, not while they grow."),
        Rung.SHORT_ANSWERS: _("answers are short."),
        Rung.NO_MEDIA: _("pictures and voice messages in groups are turned away."),
        Rung.CHEAPER: _("plugins take their cheaper way where they have one."),
        Rung.DIRECT_ONLY: _("only private chats, mentions and commands are answered."),
    }[rung]


def to_owner(kind: str, subject: str, language: str) -> str:
    """What the owner is told; ``subject`` is a model's or a plugin's name."""
    _ = translator(language)
    if kind == "started":
        if subject:
            return _("I'm up, but these plugins are disabled: {plugins}. See my log.").format(
                plugins=subject
            )
        return _("I'm up.")
    if kind == "busy":
        return _("Very busy: {what}").format(what=given_up(Rung[subject], language))
    texts = {
        "queue": _("Many requests wait for a model."),
        "queue over": _("Few requests wait for a model again."),
        "cpu": _("This machine's processors are very busy."),
        "cpu over": _("This machine's processors have time again."),
        "replica": _("A model server is down: {subject}."),
        "replica over": _("A model server is back: {subject}."),
        "calm": _("No longer busy: everything works as usual."),
        "degraded": _("Degraded: the model {subject} isn't answering."),
        "recovered": _("Recovered: the model {subject} answers again."),
        "resting": _("The plugin {subject} keeps failing and rests for a while."),
        "replaced": _("My worker process ended unexpectedly and was replaced. Nothing was lost."),
        "memory": _(
            "My worker process took {subject} MB of memory, more than it may, and was replaced. "
            "Nothing was lost. If it comes again, one of the plugins keeps what it should let go."
        ),
        "not reloaded": _(
            "My configuration was changed, but can't be used, so I go on as before. See my log."
        ),
        "suspended": _(
            "My ledger can't be written. Until it can, a crash may lose messages unnoticed."
        ),
        "restored": _("My ledger can be written again."),
        "conflict": _("Another process polls Telegram with my token, so I may miss messages."),
    }
    return texts[kind].format(subject=subject)
