"""The text of a message that a bot sends: markup read, trimmed, measured."""

from __future__ import annotations

from typing import Any

from . import entities as ent
from .errors import JSON, bad_request
from .html import MarkupError, parse_html
from .markdown import parse_markdown, parse_markdown_v2

MAX_TEXT = 4096
MAX_CAPTION = 1024
_PARSERS = {
    "html": parse_html,
    "markdownv2": parse_markdown_v2,
    "markdown": parse_markdown,
}


def formatted(
    text: str, *, parse_mode: str, raw_entities: list[Any] | None
) -> tuple[str, list[JSON]]:
    """Plain text and all its entities, detected ones included.

    ``parse_mode`` is "", HTML, MarkdownV2 or Markdown in any case; it wins over
    ``raw_entities`` (core.telegram.org/bots/api#formatting-options).

    Raises:
        ApiError: 400, an unknown mode, markup that can't be parsed, bad entities.
    """
    if parse_mode:
        parser = _PARSERS.get(parse_mode.lower())
        if parser is None:
            raise bad_request("unsupported parse_mode")
        try:
            plain, found = parser(text)
        except MarkupError as error:
            raise bad_request(f"can't parse entities: {error}") from None
    else:
        plain, found = text, ent.check(text, raw_entities or [])
    plain, found = _cleaned(plain, found)
    plain, found = ent.trim(plain, ent.around_code(found))
    return plain, ent.merge_detected(plain, found)


def _cleaned(text: str, entities: list[JSON]) -> tuple[str, list[JSON]]:
    """Without carriage returns, entities moved to match; other controls are spaces."""
    if "\r" in text and entities:
        offsets = ent.boundaries(text)
        removed = [offsets[i] for i, c in enumerate(text) if c == "\r"]

        def moved(offset: int) -> int:
            return offset - sum(1 for r in removed if r < offset)

        spans = [(moved(e["offset"]), moved(e["offset"] + e["length"])) for e in entities]
        entities = [
            {**e, "offset": start, "length": end - start}
            for e, (start, end) in zip(entities, spans, strict=True)
            if end > start
        ]
    return ent.clean(text), entities


def message_text(
    text: str, *, parse_mode: str, raw_entities: list[Any] | None, empty: str
) -> tuple[str, list[JSON]]:
    """As :func:`formatted`, 1 to 4096 UTF-16 units. ``empty`` is the error for less."""
    if not text:
        raise bad_request(empty)
    plain, entities = formatted(text, parse_mode=parse_mode, raw_entities=raw_entities)
    if not plain:
        raise bad_request("text must be non-empty")
    if ent.utf16_length(plain) > MAX_TEXT:
        raise bad_request("message is too long")
    return plain, entities


def caption_text(
    text: str, *, parse_mode: str, raw_entities: list[Any] | None
) -> tuple[str, list[JSON]]:
    """As :func:`formatted`, 0 to 1024 UTF-16 units."""
    plain, entities = formatted(text, parse_mode=parse_mode, raw_entities=raw_entities)
    if ent.utf16_length(plain) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return plain, entities
