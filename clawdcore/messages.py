"""The one vocabulary: what plugins and core call a message, a reply and a receipt.

Nothing here knows Telegram, and nothing here imports another module of this
project, so that every layer may import it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, Literal

import msgspec

ChatKind = Literal["private", "group", "channel"]
Kind = Literal["text", "photo", "voice", "audio", "video", "video_note", "document", "sticker"]
Format = Literal["plain", "html", "markdown"]
KINDS: Final[tuple[Kind, ...]] = (
    "text",
    "photo",
    "voice",
    "audio",
    "video",
    "video_note",
    "document",
    "sticker",
)


class _Pass:
    """The type of :data:`PASS`; there is one value of it."""

    def __repr__(self) -> str:
        return "PASS"


PASS: Final = _Pass()
"""What a handler returns to say: not mine, ask the next handler."""


class Content:
    """Mixed into all records that hold what people wrote, sent or are called.

    Their ``repr`` gives numbers as they are and of texts, bytes and lists only
    the length, so that no log, traceback or error message can quote them. The
    fields in ``SHOWN`` are known to hold words of our own.
    """

    __slots__ = ()
    __struct_fields__: ClassVar[tuple[str, ...]]
    SHOWN: ClassVar[frozenset[str]] = frozenset()

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [
            (name, _Shown(_shown(getattr(self, name), whole=name in self.SHOWN)))
            for name in self.__struct_fields__
        ]

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({inside})"


class _Shown(str):
    """Text that is its own ``repr``."""

    __slots__ = ()
    __repr__ = str.__str__


def _shown(value: object, *, whole: bool) -> str:
    if whole or value is None or isinstance(value, int | float | Content):
        return repr(value)
    if isinstance(value, str):
        return f"<{len(value)} characters>"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return f"<{len(value)} items>" if isinstance(value, tuple) else f"<{type(value).__name__}>"


class Sender(Content, msgspec.Struct, frozen=True):
    """Who wrote. ``id`` is the channel's own; ``name`` is never empty.

    ``language`` is an IETF tag as the client reports it (``"zh-hans"``), or "".
    """

    id: int
    name: str
    username: str = ""
    language: str = ""
    is_bot: bool = False


class Chat(Content, msgspec.Struct, frozen=True):
    """Where it was written. ``topic`` is the forum topic's id, or None."""

    id: int
    kind: ChatKind
    title: str = ""
    topic: int | None = None

    SHOWN: ClassVar[frozenset[str]] = frozenset({"kind"})


class Attachment(Content, msgspec.Struct):
    """A file that came with a message; its bytes are fetched when asked for.

    ``size`` is in bytes and ``duration`` in seconds, 0 where unknown; ``mime``
    is "" where unknown. ``file_id`` is the channel's handle, worth nothing to
    plugins.
    """

    kind: Kind
    file_id: str
    mime: str = ""
    name: str = ""
    size: int = 0
    duration: float = 0.0
    width: int = 0
    height: int = 0
    fetch: Callable[[Attachment], Awaitable[bytes]] | None = None

    SHOWN: ClassVar[frozenset[str]] = frozenset({"kind"})

    async def read(self) -> bytes:
        """The file's bytes, in memory only.

        Raises:
            clawdcore.errors.FileUnavailable: the channel refused or lost it.
        """
        if self.fetch is None:
            raise RuntimeError("this attachment was built without a way to fetch it")
        return await self.fetch(self)


Part = str | Attachment
"""What a message is made of: text that was typed, or a file."""

Reader = Callable[["Message"], Awaitable[str]]


class Message(Content, msgspec.Struct, kw_only=True):
    """One message from a person, as every plugin sees it.

    ``body`` is what was typed (text or caption), without the bot's mention at
    its start. ``command`` is the command's name without slash and ``@bot``,
    or ""; ``args`` is what follows it. ``time`` is seconds since the epoch.
    ``addressed`` says whether the bot was spoken to: always in a private
    chat; in a group by mention, by a reply to the bot, or by a command. ``edited``: it is a new
    version of a message that came before. Files that were sent together are one message,
    the one with the caption: it has all the ``attachments``, and the ids of the ``others``;
    ``album`` is then not "".
    """

    id: int
    update_id: int
    chat: Chat
    sender: Sender
    body: str = ""
    command: str = ""
    args: str = ""
    attachments: tuple[Attachment, ...] = ()
    reply_to: Message | None = None
    addressed: bool = True
    time: float = 0.0
    album: str = ""
    others: tuple[int, ...] = ()
    edited: bool = False
    read: Reader | None = None
    _text: str | None = None

    @property
    def kind(self) -> Kind:
        """What the message mainly is: its first attachment's kind, or text."""
        return self.attachments[0].kind if self.attachments else "text"

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything in it, the typed text first."""
        return (self.body, *self.attachments) if self.body else self.attachments

    @property
    def session(self) -> str:
        """The key of the conversation: the chat, and its topic where it has one."""
        topic = self.chat.topic
        return str(self.chat.id) if topic is None else f"{self.chat.id}/{topic}"

    @property
    def asker(self) -> str:
        """The key of one person in one chat; replies keep their order within it."""
        return f"{self.chat.id}:{self.sender.id}"

    async def text(self) -> str:
        """All of it as text: what was typed, and what readers make of the files.

        Readers (OCR, voice) run when this is awaited for the first time, not
        before and not again. A file that no reader understands adds nothing.
        """
        if self.read is None:
            return self.body
        if self._text is None:
            self._text = await self.read(self)
        return self._text


class Button(Content, msgspec.Struct, frozen=True):
    """A button under a reply: a press calls a function of the plugin, or opens ``url``.

    ``name`` is the one under which the plugin registered the function, which finds
    ``data`` in its :class:`Press`: a string of the plugin's own, at most 56 bytes in
    UTF-8. It goes through the clients of everybody in the chat, and comes back from
    them as they please: put no content into it, and nothing that must stay secret.
    ``plugin`` is filled in by the bot.
    """

    text: str
    name: str = ""
    data: str = ""
    url: str = ""
    plugin: str = ""

    SHOWN: ClassVar[frozenset[str]] = frozenset({"name", "plugin"})


Keyboard = tuple[tuple[Button, ...], ...]
"""The buttons under a message, row by row."""


class Reply(Content, msgspec.Struct, kw_only=True):
    """What goes back. A plain ``str`` returned by a plugin becomes ``Reply(text=…)``.

    ``text`` may be longer than one message holds: it is split where words,
    lines and entities allow. ``format="html"`` takes Telegram's HTML subset;
    markup that can't be read is sent as plain text; ``format="markdown"`` is for
    what a model wrote. ``quote`` shows the asker's message above the answer.
    ``delete_after`` is in seconds from its delivery, 0 to keep it. ``buttons`` are
    rows, 100 in all at most; they stand under the last message of a long text.
    """

    text: str
    format: Format = "plain"
    quote: bool = True
    preview: bool = False
    delete_after: float = 0.0
    buttons: Keyboard = ()

    SHOWN: ClassVar[frozenset[str]] = frozenset({"format"})


class Press(Content, msgspec.Struct, kw_only=True):
    """Somebody pressed a button under a message of the bot.

    Anybody in the chat can, not only whom the message answered: ``sender`` is who
    did. ``message`` is the one with the button; its ``body`` is "" and its ``time`` 0
    where Telegram no longer holds it. When the button was pressed is not told.
    ``query`` and ``key`` are the channel's handles, worth nothing to plugins.
    """

    update_id: int
    query: str
    key: str
    data: str
    sender: Sender
    message: Message

    @property
    def chat(self) -> Chat:
        """Where the message with the button is."""
        return self.message.chat

    @property
    def language(self) -> str:
        """The presser's language, as :attr:`Sender.language`."""
        return self.sender.language

    @property
    def session(self) -> str:
        """The key of the conversation, as :attr:`Message.session`."""
        return self.message.session

    @property
    def asker(self) -> str:
        """The key of the presser in this chat, as :attr:`Message.asker`."""
        return f"{self.chat.id}:{self.sender.id}"


class Toast(Content, msgspec.Struct, frozen=True):
    """A few words (200 characters) that only the presser sees; ``alert``: to be closed by hand."""

    text: str
    alert: bool = False


class Edit(Content, msgspec.Struct, frozen=True):
    """Change the message with the pressed button.

    ``text`` None leaves the text; what doesn't fit one message is cut. ``buttons``
    are those that it has from then on, () for none.
    """

    text: str | None = None
    buttons: Keyboard = ()
    format: Format = "plain"

    SHOWN: ClassVar[frozenset[str]] = frozenset({"format"})


class Delete(msgspec.Struct, frozen=True):
    """Delete the message with the pressed button, where Telegram allows it (for 48 hours)."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a reply: the ids it was sent under, or why it was not.

    ``error`` is "" when it was delivered; ``at`` is seconds since the epoch.
    """

    update_id: int
    chat_id: int
    message_ids: tuple[int, ...] = ()
    error: str = ""
    at: float = 0.0
