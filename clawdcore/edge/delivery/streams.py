"""Answers that are shown in a group while they are written, and answers that may be edited; pure.

Bounded: the oldest are forgotten, and their final answers come as new messages.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import msgspec

DRAFT_PAUSE: Final = 0.5
"""Seconds between two drafts in a private chat."""
EDIT_PAUSE: Final = 3.0
"""Seconds between two edits of one answer in a group."""
FIRST_UNITS: Final = 80
"""Characters of an answer before a group sees its beginning."""
STREAMS: Final = 1_000
"""Answers that are being written in groups."""
ANSWERS: Final = 10_000
"""Messages of ours by the question they answer."""


class Stream(msgspec.Struct):
    """The message in which a group sees an answer grow; ``lost``: it can't be used."""

    message_id: int
    text: str
    at: float
    lost: bool = False


class Streams:
    """The streams of groups by update."""

    def __init__(self) -> None:
        self._streams: OrderedDict[int, Stream] = OrderedDict()

    def __contains__(self, update: object) -> bool:
        return update in self._streams

    def get(self, update: int) -> Stream | None:
        """The stream of this update."""
        return self._streams.get(update)

    def add(self, update: int, stream: Stream) -> None:
        """The answer to this update is now shown."""
        self._streams[update] = stream
        if len(self._streams) > STREAMS:
            self._streams.popitem(last=False)

    def take(self, update: int) -> int:
        """The message to edit into the final answer, 0 for none; the stream is over."""
        stream = self._streams.pop(update, None)
        return 0 if stream is None or stream.lost else stream.message_id


class Answers:
    """Our message by the chat and the message that it answers alone."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[int, int], int] = OrderedDict()

    def add(self, chat_id: int, asked: int, message_id: int) -> None:
        """``message_id`` is the whole answer to ``asked``; 0 is no message."""
        if not asked:
            return
        self._answers[chat_id, asked] = message_id
        self._answers.move_to_end((chat_id, asked))
        if len(self._answers) > ANSWERS:
            self._answers.popitem(last=False)

    def get(self, chat_id: int, asked: int) -> int:
        """The message that answers ``asked``, 0 for none known."""
        return self._answers.get((chat_id, asked), 0)

    def forget(self, chat_id: int, asked: int) -> None:
        """The answer is no longer one message that could be edited."""
        self._answers.pop((chat_id, asked), None)
