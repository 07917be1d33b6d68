"""From a message to its words: finding the recording, the bounds, and the stream of text.

The text is asked for with ``await message.text()``, like everybody does: the core then
lets others work while we wait, bounds how many readers work, and remembers the text for
the next who asks. The pieces come past it, to whom they are shown as they grow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from clawdcore import PASS, Attachment, ClawdBotError, Kind, Message

from . import texts
from .engines import Engines
from .failures import NoSpeech, TooLarge, TooLong, Unhearable, VoiceError
from .options import VoiceOptions
from .plausible import joined, space
from .speech import Heard, Recording
from .texts import MEGABYTE

SPOKEN: Final[tuple[Kind, ...]] = ("voice", "audio", "video_note")
"""What is taken for speech without being asked."""
MIMES: Final[dict[Kind, str]] = {
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
    "video_note": "video/mp4",
    "video": "video/mp4",
}
"""What Telegram's kinds are where the client doesn't say."""
PIECES: Final = 64
"""Pieces that wait to be shown; the engine waits when there are more."""


@dataclass(eq=False)
class _Listener:
    """Who wants the pieces of one attachment as they come, in ``language`` ("": found out).

    :data:`PIECES` wait at most, and the end, which always has room: whoever is cancelled
    must be able to tell it without waiting.
    """

    file_id: str = field(repr=False)
    language: str = ""
    error: ClawdBotError | None = None
    _pieces: asyncio.Queue[Heard | None] = field(
        default_factory=lambda: asyncio.Queue(PIECES + 1), repr=False
    )
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PIECES), repr=False)

    async def tell(self, heard: Heard) -> None:
        """One piece more; waits while there are too many."""
        await self._room.acquire()
        self._pieces.put_nowait(heard)

    def end(self) -> None:
        """There are no more, whatever the reason. To be called once."""
        self._pieces.put_nowait(None)

    async def next(self) -> Heard | None:
        """The next piece, None at the end."""
        heard = await self._pieces.get()
        self._room.release()
        return heard


def recording_of(message: Message) -> Attachment | None:
    """The message's attachment that may hold speech, when somebody asks for it."""
    for attachment in message.attachments:
        if attachment.kind in (*SPOKEN, "video") or _sounding(attachment):
            return attachment
    return None


def _spoken(attachment: Attachment) -> bool:
    """Whether everybody's readers take it; videos are many and long, so only when asked for."""
    return attachment.kind in SPOKEN or attachment.mime.startswith("audio/")


def _sounding(attachment: Attachment) -> bool:
    return attachment.kind == "document" and attachment.mime.startswith(("audio/", "video/"))


class Listening:
    """Writes recordings down. ``fetching`` is what fetches the model, for people."""

    def __init__(self, engines: Engines, options: VoiceOptions, fetching: str) -> None:
        self._engines = engines
        self._options = options
        self._fetching = fetching
        self._listener: ContextVar[_Listener | None] = ContextVar("listener", default=None)

    async def read(self, attachment: Attachment) -> object:
        """The reader: the words of an attachment, or PASS.

        What is wrong with a recording is told to whoever asked for it by a command; for
        others it has no text.

        Raises:
            EngineFailed: no engine could write it down.
        """
        listener = self._listener.get()
        if listener is not None and listener.file_id != attachment.file_id:
            listener = None
        if listener is None and not _spoken(attachment):
            return PASS
        said: list[str] = []
        language = ""
        try:
            wanted = listener.language if listener is not None else ""
            async with aclosing(self._heard(attachment, wanted)) as pieces:
                async for heard in pieces:
                    language = heard.language
                    said.append(heard.text)
                    if listener is not None:
                        await listener.tell(heard)
        except ClawdBotError as error:
            if listener is None and not isinstance(error, Unhearable):
                raise
            if listener is not None:
                listener.error = error
            if not any(said):
                return PASS
        return joined(said, language) or PASS

    async def _heard(self, attachment: Attachment, language: str) -> AsyncGenerator[Heard, None]:
        options = self._options
        if attachment.duration > options.max_seconds:
            raise TooLong("The recording is too long.", seconds=attachment.duration)
        self._check_size(attachment.size)
        data = await attachment.read()
        self._check_size(len(data))
        mime = attachment.mime or MIMES.get(attachment.kind, "")
        recording = Recording(data, mime, language or options.language)
        async with aclosing(self._engines.listen(recording)) as pieces:
            async for heard in pieces:
                yield heard

    def _check_size(self, size: int) -> None:
        if size > self._options.max_megabytes * MEGABYTE:
            raise TooLarge("The file is too large.", size=size)

    async def stream(
        self, message: Message, attachment: Attachment, reader: str, language: str = ""
    ) -> AsyncGenerator[str, None]:
        """What ``reader`` (a language tag) is shown for a message's attachment, as it grows.

        ``language`` is the code of the one that is spoken, where somebody says so.

        Raises:
            clawdcore.FileUnavailable: Telegram does not give the file.
        """
        listener = _Listener(attachment.file_id, language)
        token = self._listener.set(listener)
        task = asyncio.create_task(self._text(message, listener))
        self._listener.reset(token)
        shown = False
        try:
            while (heard := await listener.next()) is not None:
                if not heard.text:
                    continue
                if shown:
                    yield space(heard.language) + heard.text
                else:
                    yield texts.heading(heard.language, heard.total, reader) + heard.text
                shown = True
            whole = await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if listener.error is not None:
            reason = self._told(listener.error, reader)
            yield texts.broken_off(reason, reader) if shown else reason
        elif not shown:
            # It was written down before, or by another plugin's reader.
            text = whole.removeprefix(message.body).strip()
            yield text or self._told(NoSpeech("The recording has no words."), reader)

    async def _text(self, message: Message, listener: _Listener) -> str:
        try:
            return await message.text()
        finally:
            listener.end()

    def _told(self, error: ClawdBotError, reader: str) -> str:
        if not isinstance(error, VoiceError):
            raise error
        return texts.failed(
            error,
            reader,
            seconds=self._options.max_seconds,
            megabytes=self._options.max_megabytes,
            command=self._fetching,
        )
