"""From a message to the text in its pictures: finding them, and the stream of what they say.

The text is asked for with ``await message.text()``, like everybody does: the core then
lets others work while we wait, bounds how many readers work, and remembers the text for
the next who asks. What became of each picture comes past it, to whom it is shown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from clawdcore import PASS, Attachment, ClawdBotError, FileUnavailable, Message

from . import texts
from .failures import EngineFailed, NoText, OcrError, TooLarge, Unreadable
from .options import OcrOptions
from .reading import Picture, Reader, Reading

log = logging.getLogger(__name__)

ENDINGS: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
"""Media types by the ends of files' names, where a client doesn't say the type."""
OUTCOMES: Final = 16
"""Pictures whose outcome waits to be shown; an album has ten."""

KEPT: Final = 100
"""Pictures whose error is kept."""

Outcome = Reading | ClawdBotError


@dataclass(eq=False)
class _Asker:
    """Who wants to know what became of each picture of a message; None ends it."""

    files: frozenset[str] = field(repr=False)
    outcomes: asyncio.Queue[tuple[str, Outcome] | None] = field(
        default_factory=lambda: asyncio.Queue(OUTCOMES), repr=False
    )


def pictures_of(message: Message) -> tuple[Attachment, ...]:
    """The message's attachments that are pictures, in order."""
    return tuple(each for each in message.attachments if _type(each))


def _type(attachment: Attachment) -> str:
    """Its media type, "" where it is no picture."""
    if attachment.kind == "photo":
        return attachment.mime or "image/jpeg"
    if attachment.kind != "document":
        return ""
    if attachment.mime.startswith("image/"):
        return attachment.mime
    return ENDINGS.get(PurePath(attachment.name).suffix.lower(), "")


class _Failed:
    """Why pictures had no text for a plugin that read them first, should they be asked about."""

    def __init__(self) -> None:
        self._errors: dict[str, ClawdBotError] = {}

    def put(self, file: str, error: ClawdBotError) -> None:
        """Keep an error without the frames that it came through, which hold the picture."""
        kept = type(error).__new__(type(error), *error.args)
        kept.__dict__.update(error.__dict__)
        self._errors.pop(file, None)
        self._errors[file] = kept
        if len(self._errors) > KEPT:
            del self._errors[next(iter(self._errors))]

    def forget(self, file: str) -> None:
        """It has a text now: what was before counts no more."""
        self._errors.pop(file, None)

    def get(self, file: str) -> ClawdBotError | None:
        """The error, None where there was none."""
        return self._errors.get(file)


class Recognition:
    """Reads the pictures of messages."""

    def __init__(self, reader: Reader, options: OcrOptions) -> None:
        self._reader = reader
        self._options = options
        self._asker: ContextVar[_Asker | None] = ContextVar("asker", default=None)
        self._failed = _Failed()

    async def read(self, attachment: Attachment) -> object:
        """The reader: the text of an attachment, or PASS.

        What is wrong with a picture is told to whoever asked for its text; for others it
        has none.

        Raises:
            EngineFailed: it could not be read, and nobody has asked for it.
        """
        asker = self._asker.get()
        if asker is not None and attachment.file_id not in asker.files:
            asker = None
        mime = _type(attachment)
        if not mime:
            return PASS
        outcome: Outcome
        try:
            outcome = await self._seen(attachment, mime)
            self._failed.forget(attachment.file_id)
        except ClawdBotError as error:
            if isinstance(error, EngineFailed):
                log.warning("text recognition: %s (%s)", error, type(error).__name__)
            if asker is None:
                self._failed.put(attachment.file_id, error)
                if not isinstance(error, Unreadable):
                    raise
            outcome = error
        if asker is not None:
            await asker.outcomes.put((attachment.file_id, outcome))
        if isinstance(outcome, Reading):
            return "\n\n".join(page for page in outcome.pages if page) or PASS
        return PASS

    async def _seen(self, attachment: Attachment, mime: str) -> Reading:
        self._check_size(attachment.size)
        data = await attachment.read()
        self._check_size(len(data))
        return await self._reader.read(Picture(data, mime))

    def _check_size(self, size: int) -> None:
        if size > self._options.max_megabytes * texts.MEGABYTE:
            raise TooLarge("The file is too large.", size=size)

    async def outcomes(
        self, message: Message, pictures: Sequence[Attachment]
    ) -> AsyncGenerator[tuple[int, Outcome], None]:
        """What became of each picture of a message, by number (1 is the first), as they are read.

        The number 0 is for the text of all together, where others have read them before.

        Raises:
            clawdcore.BackendError: as ``await message.text()`` does, for one because
                there is no room for more.
        """
        asker = _Asker(frozenset(each.file_id for each in pictures))
        token = self._asker.set(asker)
        task = asyncio.create_task(self._text(message, asker))
        self._asker.reset(token)
        told: dict[str, Outcome] = {}
        left = list(pictures)
        try:
            while (each := await asker.outcomes.get()) is not None:
                told[each[0]] = each[1]
                while left and left[0].file_id in told:
                    yield len(pictures) - len(left) + 1, told[left.pop(0).file_id]
            text = await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not told:
            # They were read before, or by another plugin's reader: of all there is one text.
            found = text.removeprefix(message.body).strip()
            if found:
                yield 0, Reading((found,))
            for number, picture in enumerate(pictures, 1):
                failed = self._failed.get(picture.file_id)
                if failed is not None or not found:
                    yield number, failed or NoText("There is no text.")
            return
        for number, picture in enumerate(pictures, 1):
            if picture in left and picture.file_id in told:
                yield number, told[picture.file_id]  # another's reader had one before it

    async def _text(self, message: Message, asker: _Asker) -> str:
        try:
            return await message.text()
        finally:
            await asker.outcomes.put(None)

    async def stream(
        self, message: Message, pictures: Sequence[Attachment], language: str
    ) -> AsyncGenerator[str, None]:
        """What somebody who reads ``language`` (a tag) is shown for a message's pictures."""
        gap = ""
        async for number, outcome in self.outcomes(message, pictures):
            text = self.shown(outcome, language)
            if number and len(pictures) > 1:
                text = f"{texts.heading(number, len(pictures))}\n{text}"
            yield gap + text
            gap = "\n\n"

    def shown(self, outcome: Outcome, language: str) -> str:
        """The text of a picture, or why there is none."""
        if isinstance(outcome, Reading):
            return texts.pages(outcome.pages, outcome.more, language)
        if isinstance(outcome, OcrError):
            options = self._options
            return texts.failed(
                outcome,
                language,
                megapixels=options.max_megapixels,
                megabytes=options.max_megabytes,
            )
        if isinstance(outcome, FileUnavailable):
            return texts.unavailable(language)
        raise outcome
