"""Several short replies of one chat as one message; pure.

Only finished replies of one topic are merged that nobody saw being written, that
will not be deleted, and that replace no earlier answer. Those of one asker keep their
order: nobody's reply goes before an earlier one to the same person that has to wait.
One with buttons goes only with those that say the very same, under the same words:
what a press of the first one's does suits them all.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Final

import msgspec

from ...broker import Send
from ...messages import Reply
from ..markdown import ENTITY_LIMIT
from ..markup import Entity, units
from ..splitting import Piece
from .composing import compose, without_lone_surrogates

SEPARATOR: Final = "\n\n· · ·\n"
"""Between two replies in one message."""
ALSO: Final = "↑ "
AND: Final = ", "
"""Before the first, and before each other, whom the words above answer too."""
NAME_LIMIT: Final = 64
"""Characters of an asker's name that a merged message shows."""


class Part(msgspec.Struct, frozen=True):
    """A reply that fits one message, and what it says."""

    send: Send
    piece: Piece


def may_merge(send: Send) -> bool:
    """Whether a reply may share a message with others.

    ``send.streamed`` says that there were drafts of it. A group is shown none while
    it is busy, so that what counts is whether a message of it is there.
    """
    reply = send.reply
    own_buttons = reply.buttons and not send.shared
    return not (send.target.private or send.edited or reply.delete_after > 0 or own_buttons)


def gather(
    waiting: Iterable[Send], limit: int, shown: Container[int] = (), *, alike: bool = False
) -> list[Part]:
    """The first of ``waiting`` and the replies that go with it, in order.

    ``shown`` are updates of which a message is already there, to be edited. With
    ``alike`` only replies that say the same as the first go with it. [] where
    the first may not merge or is no single message; it then goes by itself. Nothing
    is gathered beyond the first reply that would not fit.
    """
    others = iter(waiting)
    head = next(others)
    first = part_of(head, limit) if may_merge(head) and head.id not in shown else None
    if first is None:
        return []
    parts = [first]
    alike = alike or bool(head.reply.buttons)
    length, entities = units(first.piece[0]), len(first.piece[1])
    named_already = False
    passed: set[int] = set()
    for send in others:
        if send.asker in passed:
            continue
        twin = same(send, first.send)
        if not may_merge(send) or send.id in shown or not _goes_with(send, first.send):
            passed.add(send.asker)
            continue
        if not twin and (alike or send.reply.buttons):
            passed.add(send.asker)
            continue
        part = part_of(send, limit)
        if part is None:
            passed.add(send.asker)
            continue
        if twin:
            length += units(_also(send, begun=named_already))
            entities += 1
            named_already = True
        else:
            length += units(heading(send)) + units(part.piece[0])
            entities += bool(send.asker) + len(part.piece[1])
        if length > limit or entities > ENTITY_LIMIT:
            break
        parts.append(part)
    return parts


def merged(parts: Sequence[Part]) -> Piece:
    """One text of several parts; all but the first begin with who is answered.

    Whoever is told the same as the first is named below it.
    """
    first = parts[0].send
    text, entities = parts[0].piece
    texts = [text]
    found = list(entities)
    length = units(text)
    twins = [part.send for part in parts[1:] if same(part.send, first)]
    for number, send in enumerate(twins):
        also = _also(send, begun=number > 0)
        name = units(named(send))
        length += units(also)
        found.append(Entity("text_mention", length - name, name, user=send.asker))
        texts.append(also)
    for part in parts[1:]:
        if same(part.send, first):
            continue
        head = heading(part.send)
        if part.send.asker:
            mention = units(named(part.send))
            found.append(
                Entity("text_mention", length + units(SEPARATOR), mention, user=part.send.asker)
            )
        length += units(head)
        text, entities = part.piece
        found.extend(shifted(entities, length))
        length += units(text)
        texts += (head, text)
    return "".join(texts), tuple(found)


def heading(send: Send) -> str:
    """What stands before a part: a line between, and the asker's name."""
    return f"{SEPARATOR}{named(send)}:\n" if send.asker else SEPARATOR


def same(one: Send, other: Send) -> bool:
    """Whether two people are told the very same, and one generation made it."""
    both = one.shared and other.shared and one.asker and other.asker
    return bool(both) and _wording(one.reply) == _wording(other.reply)


def _wording(reply: Reply) -> tuple[Reply, list[list[tuple[str, str, str]]]]:
    """What people see of it: whom its buttons are about does not show."""
    rows = [[(button.text, button.plugin, button.name) for button in row] for row in reply.buttons]
    return msgspec.structs.replace(reply, buttons=()), rows


def _also(send: Send, *, begun: bool) -> str:
    """What names one more to whom the words above are the answer."""
    return f"{AND if begun else SEPARATOR + ALSO}{named(send)}"


def named(send: Send) -> str:
    """The asker's name on one line; their id where it shows nothing."""
    name = " ".join(without_lone_surrogates(send.name).split())[:NAME_LIMIT]
    return name.strip() or str(send.asker)


def shifted(entities: Iterable[Entity], by: int) -> list[Entity]:
    """The entities ``by`` units further on."""
    return [msgspec.structs.replace(e, offset=e.offset + by) for e in entities]


def _goes_with(send: Send, first: Send) -> bool:
    return send.target.topic == first.target.topic and send.reply.preview == first.reply.preview


def part_of(send: Send, limit: int) -> Part | None:
    """The reply as a part, None where it is no single message or can't be read."""
    if len(send.reply.text) > 3 * limit:
        return None
    pieces = compose(send.reply, limit)
    return Part(send, pieces[0]) if len(pieces) == 1 else None
