"""Translation: ``/translate [language] text``, or as a reply to what is to be translated."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from clawdcore import Context, Message, UsageError, hookimpl

from . import texts
from .arguments import split
from .languages import Language
from .options import TranslateOptions
from .targets import choose
from .translation import Job, translated

__version__ = "0.1.0"
__all__ = ["TranslateOptions", "options_model", "register_commands"]

F = TypeVar("F", bound=Callable[..., Any])


class Register(Protocol):
    """What ``register`` is, as far as this plugin uses it."""

    def __call__(self, name: str, *aliases: str, example: str = "") -> Callable[[F], F]: ...


@hookimpl
def options_model() -> type[BaseModel]:
    """As :func:`clawdcore.hooks.hookspecs.options_model`."""
    return TranslateOptions


@hookimpl
def register_commands(register: Register, context: Context) -> None:
    """Adds ``/translate`` and ``/tr``."""
    options: TranslateOptions = context.options

    @register("translate", "tr", example="/translate french Good morning!")
    async def translate(
        message: Message, language: Language | None = None, text: str = ""
    ) -> AsyncIterator[str]:
        """Translate a text, or the message you reply to"""
        if message.command:
            # As typed, a language may have several words, and a word may be no language.
            language, text = split(message.args, quoting=message.reply_to is not None)
        reader = message.sender.language
        text = text.strip() or await _elsewhere(message)
        if len(text) > options.max_characters:
            yield texts.too_long(len(text), options.max_characters, reader)
            return
        target, otherwise = (language, language) if language else choose(text, reader)
        job = Job(
            text=text,
            target=target,
            otherwise=otherwise,
            reader=reader,
            model=options.model,
        )
        async for piece in translated(context.models, job):
            yield piece


async def _elsewhere(message: Message) -> str:
    """The text of the message's own files, or of the message that it replies to.

    Raises:
        UsageError: there is none.
    """
    reader = message.sender.language
    if message.attachments:
        own = (await message.text()).removeprefix(message.body).strip()
        if own:
            return own
    if message.reply_to is None:
        raise UsageError(texts.nothing_given(reader))
    quoted = (await message.reply_to.text()).strip()
    if not quoted:
        raise UsageError(texts.nothing_quoted(reader))
    return quoted
