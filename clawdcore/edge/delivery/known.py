"""Message ids that are known, and what they say about a send of unknown outcome; pure.

Ids rise by one with each message: in a supergroup among its own messages, and
over all private chats and basic groups of a bot together (they share the bot's
mailbox). In the mailbox the bot sees every message; in a supergroup only if its
privacy mode is off or it administers the group.

What an earlier run of the bot sent is not known, and would be taken for what this
one sends. So there is a floor only once an id is known that is surely higher.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

PROBES: Final = 8
"""Ids that are asked about before the outcome stays unknown."""
SEQUENCES: Final = 10_000
"""Supergroups of which ids are remembered."""
MAILBOX: Final = 4_096
"""Ids of the common sequence that are remembered, the newest."""
OWN: Final = 64
"""The same for one supergroup."""
SUPERGROUPS_BELOW: Final = -1_000_000_000_000


class _Sequence:
    """The newest ids of one sequence."""

    __slots__ = ("anchored", "highest", "ids", "keep")

    def __init__(self, keep: int) -> None:
        self.anchored = False
        self.highest = 0
        self.ids: OrderedDict[int, None] = OrderedDict()
        self.keep = keep

    def note(self, message_id: int) -> None:
        self.highest = max(self.highest, message_id)
        self.ids[message_id] = None
        if len(self.ids) > self.keep:
            self.ids.popitem(last=False)


class Known:
    """The ids seen so far. ``reads_all``: every message of a supergroup reaches the bot."""

    def __init__(self, *, reads_all: bool = False) -> None:
        self.reads_all = reads_all
        self._doubtful: OrderedDict[int, None] = OrderedDict()
        self._mailbox = _Sequence(MAILBOX)
        self._supergroups: OrderedDict[int, _Sequence] = OrderedDict()

    def note(self, chat_id: int, message_id: int, *, latest: bool = True) -> None:
        """A message with this id exists, and is not one whose outcome is unknown.

        ``latest``: it is surely later than all that an earlier run of the bot sent.
        """
        if message_id > 0:
            sequence = self._of(chat_id)
            sequence.note(message_id)
            sequence.anchored = sequence.anchored or latest

    def note_own(self, chat_id: int, message_id: int) -> None:
        """A message of ours has arrived: later ones in its chat have higher ids."""
        self.note(chat_id, message_id)
        self._doubtful.pop(chat_id, None)

    def doubt(self, chat_id: int) -> None:
        """A send in this chat stayed unknown: a message of ours above the floor may be that one."""
        self._doubtful[chat_id] = None
        if len(self._doubtful) > SEQUENCES:
            self._doubtful.popitem(last=False)

    def floor(self, chat_id: int) -> int:
        """The highest id known where the chat's messages are counted; 0 for none.

        0 too while what an earlier run sent may be above it.
        """
        sequence = self._of(chat_id)
        return sequence.highest if sequence.anchored else 0

    def candidates(self, chat_id: int, floor: int) -> list[int]:
        """The ids above ``floor`` that a message of unknown outcome may have, at most PROBES.

        [] where nothing can be said: no floor is known, or an earlier send to the
        chat stayed unknown and could be mistaken for this one.
        """
        if floor <= 0 or chat_id in self._doubtful:
            return []
        ids = self._of(chat_id).ids
        found: list[int] = []
        candidate = floor
        while len(found) < PROBES:
            candidate += 1
            if candidate not in ids:
                found.append(candidate)
        return found

    def surely_none(self, chat_id: int, floor: int, probed: list[int]) -> bool:
        """Whether nothing arrived above ``floor``, when none of ``probed`` is ours.

        Sure where the ids asked about reach beyond all that is known to exist; and
        where the bot does not see all messages, only if one that it has seen since
        came later than the send would have.
        """
        if not probed:
            return False
        highest = self._of(chat_id).highest
        if highest > probed[-1]:
            return False
        return self.reads_all or chat_id > SUPERGROUPS_BELOW or highest > floor

    def _of(self, chat_id: int) -> _Sequence:
        if chat_id > SUPERGROUPS_BELOW:
            return self._mailbox
        sequence = self._supergroups.get(chat_id)
        if sequence is None:
            sequence = self._supergroups[chat_id] = _Sequence(OWN)
            if len(self._supergroups) > SEQUENCES:
                self._supergroups.popitem(last=False)
        self._supergroups.move_to_end(chat_id)
        return sequence
