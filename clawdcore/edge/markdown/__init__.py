"""A language model's Markdown to text and entities; pure.

Whatever the model wrote, Telegram can take what comes out: no markup is sent,
and the entities nest as Telegram wants them. What is no markup stays as it is.
"""

from __future__ import annotations

from ..markup import Entity
from .limits import ENTITY_LIMIT, foremost
from .rendering import Rendering
from .syntax import tokens

__all__ = ["ENTITY_LIMIT", "foremost", "parse_markdown"]


def parse_markdown(source: str) -> tuple[str, tuple[Entity, ...]]:
    r"""The plain text of ``source`` and its entities, outer ones first. Never raises.

    Line ends become ``\n``. HTML, math and links to anything but http, https,
    tg and mailto are shown as they were written. A text that is nothing but
    markup is shown as it is too, since Telegram takes no empty message.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    rendering = Rendering(source)
    rendering.blocks(tokens(source))
    text, entities = rendering.result()
    return (text, entities) if text.strip() else (source, ())
