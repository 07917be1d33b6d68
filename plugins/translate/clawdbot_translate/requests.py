"""``/translate`` and ``/detect``: what was asked for, and the text that it is about."""

from __future__ import annotations

from collections.abc import AsyncIterator

from clawdcore import Message, UsageError

from . import texts
from .arguments import split
from .chinese import variety
from .desk import Desk
from .identification import identify, is_in
from .languages import Language, find
from .names import name_in
from .targets import choose
from .translator import Translator


async def translation(
    desk: Desk,
    message: Message,
    language: Language | None,
    text: str,
    *,
    translator: Translator | None = None,
) -> AsyncIterator[str]:
    """The answer to ``/translate``, in pieces.

    Raises:
        UsageError: there is no text.
        clawdcore.BackendError: the model is the only engine, and could not.
    """
    if message.command:
        # As typed, a language may have several words, and a word may be no language.
        language, text = split(message.args, quoting=message.reply_to is not None)
    reader, limit = message.sender.language, desk.options.max_characters
    text = text.strip() or await _elsewhere(message)
    if len(text) > limit:
        yield texts.too_long(len(text), limit, reader)
        return
    if language is not None and is_in(text, language):
        yield texts.already(language, reader)
        return
    if language is not None:
        target = otherwise = language
    else:
        settings = await desk.settings.read(message.chat.id)
        target, otherwise = choose(text, reader, settings.languages)
    job = desk.job(text, target, otherwise, reader)
    async for piece in desk.answer(job, message, translator=translator):
        yield piece


async def detected(desk: Desk, message: Message, text: str) -> str:
    """The answer to ``/detect``.

    Raises:
        UsageError: there is no text.
    """
    reader = message.sender.language
    text = text.strip() or await _elsewhere(message)
    found = identify(text)
    written = variety(text) if found.code == "zh" else found.code
    language = find(written or found.code)
    if language is None:
        return texts.not_detected(reader)
    return texts.detected(name_in(language, reader, spoken=not written), found.sure, reader)


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
