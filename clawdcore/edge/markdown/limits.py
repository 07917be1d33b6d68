"""How many entities a message may have."""

from __future__ import annotations

from typing import Final

from ..markup import Entity

ENTITY_LIMIT: Final = 100
"""Entities of one message; Telegram ignores those beyond (core.telegram.org/bots/api, limits)."""
_RANK: Final = {"pre": 0, "code": 1, "blockquote": 2, "text_link": 3}


def foremost(entities: tuple[Entity, ...], limit: int = ENTITY_LIMIT) -> tuple[Entity, ...]:
    """At most ``limit`` of ``entities``, in their order: code first, then quotes and links.

    Of the styles the longer ones stay, which are those that others are within.
    """
    if len(entities) <= limit:
        return entities
    places = range(len(entities))

    def rank(place: int) -> tuple[int, int, int]:
        entity = entities[place]
        return _RANK.get(entity.type, len(_RANK)), -entity.length, place

    kept = sorted(sorted(places, key=rank)[:limit])
    return tuple([entities[place] for place in kept])
