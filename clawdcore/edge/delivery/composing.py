"""What a reply says, as texts with entities; pure."""

from __future__ import annotations

import logging

from ...messages import Reply
from ..markdown import foremost, parse_markdown
from ..markup import BadMarkup, Entity, parse_html
from ..splitting import Piece, split

log = logging.getLogger(__name__)


def compose(reply: Reply, limit: int) -> list[Piece]:
    """The messages of at most ``limit`` UTF-16 units that say ``reply``; [] for white space."""
    text = without_lone_surrogates(reply.text)
    entities: tuple[Entity, ...] = ()
    if reply.format == "html":
        try:
            text, entities = parse_html(text)
        except BadMarkup as error:
            log.warning("markup is sent as plain text: %s", error)
    elif reply.format == "markdown":
        text, entities = parse_markdown(text)
    return [(piece, foremost(found)) for piece, found in split(text, entities, limit)]


def without_lone_surrogates(text: str) -> str:
    """``text`` as something that UTF-8 can carry; a half of a pair becomes U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
