"""Message entities: offsets in UTF-16 units, checks, trimming, detection.

Source: core.telegram.org/bots/api#messageentity and the public source of
Telegram's own server, whose error texts these are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from .errors import JSON, bad_request

MAX_ENTITIES = 100
TYPES = frozenset(
    {
        "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold",
        "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote",
        "code", "pre", "text_link", "text_mention", "custom_emoji", "date_time",
    }
)  # fmt: skip

_TOP = r"com|org|net|io|dev|info|me|ai|app|co|eu|uk|de|fr|ru|cn|jp|in|tv|news"
_DETECT = re.compile(
    r"(?P<email>\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<url>\bhttps?://[^\s<>\"]*[^\s<>\".,;:!?)\]'»”\u3002\uff0c]"
    rf"|\b(?:[a-z0-9-]+\.)+(?:{_TOP})\b(?:/[^\s<>\"]*[^\s<>\".,;:!?)\]'])?)"
    r"|(?P<bot_command>(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/<>]))"
    r"|(?P<mention>(?<!\w)@[A-Za-z][A-Za-z0-9_]{2,31}\b)"
    r"|(?P<hashtag>(?<![\w#])#(?!\d+\b)\w{1,256})"
    r"|(?P<cashtag>(?<![\w$])\$[A-Z]{1,8}\b)",
    re.IGNORECASE,
)
_CONTROL = {c: " " for c in range(32) if c != 10} | {13: None}


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, the unit of every offset and limit."""
    return len(text) + sum(1 for c in text if c > "\uffff")


def clean(text: str) -> str:
    """Control characters become spaces, carriage returns go (as the server does)."""
    return text.translate(_CONTROL)


def boundaries(text: str) -> list[int]:
    """UTF-16 offset at which each character begins, and the end."""
    offsets = [0]
    for c in text:
        offsets.append(offsets[-1] + (2 if c > "\uffff" else 1))
    return offsets


def detect(text: str) -> list[JSON]:
    """Entities that clients and the server find in plain text.

    Bot commands, mentions, hashtags, cashtags, links and e-mail addresses.
    """
    offsets = boundaries(text)
    found: list[JSON] = []
    for match in _DETECT.finditer(text):
        kind = match.lastgroup or ""
        start, end = offsets[match.start()], offsets[match.end()]
        found.append({"type": kind, "offset": start, "length": end - start})
    return found


def around_code(entities: list[JSON]) -> list[JSON]:
    """Nothing overlaps `code` and `pre`: styles are cut around them, the rest goes."""
    kept: list[JSON] = []
    blocks = [e for e in entities if e["type"] == "pre"]
    blocks += [e for e in entities if e["type"] == "code" and not _overlapping(e, blocks)]
    for entity in entities:
        if entity["type"] in ("pre", "code"):
            if entity in blocks:
                kept.append(entity)
        elif entity["type"] in _STYLES:
            kept.extend(_pieces(entity, blocks))
        elif not _overlapping(entity, blocks) or entity["type"].endswith("blockquote"):
            kept.append(entity)
    return sorted(kept, key=lambda e: (e["offset"], -e["length"]))


def _overlapping(entity: JSON, blocks: list[JSON]) -> bool:
    start, end = entity["offset"], entity["offset"] + entity["length"]
    return any(b["offset"] < end and start < b["offset"] + b["length"] for b in blocks)


def _pieces(entity: JSON, blocks: list[JSON]) -> Iterator[JSON]:
    start, end = entity["offset"], entity["offset"] + entity["length"]
    for block in sorted(blocks, key=lambda b: b["offset"]):
        stop = min(block["offset"], end)
        if stop > start:
            yield {**entity, "offset": start, "length": stop - start}
        start = max(start, block["offset"] + block["length"])
    if end > start:
        yield {**entity, "offset": start, "length": end - start}


_STYLES = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})


def merge_detected(text: str, given: list[JSON]) -> list[JSON]:
    """Given entities, and those detected where no link or code is, in order."""
    opaque = [e for e in given if e["type"] in _OPAQUE]
    spans = [(e["offset"], e["offset"] + e["length"]) for e in opaque]
    extra = [
        e
        for e in detect(text)
        if not any(e["offset"] < end and start < e["offset"] + e["length"] for start, end in spans)
    ]
    return sorted([*given, *extra], key=lambda e: (e["offset"], -e["length"]))


_OPAQUE = frozenset(
    {
        "code", "pre", "text_link", "text_mention", "url", "mention", "bot_command", "hashtag",
        "cashtag", "email", "phone_number",
    }
)  # fmt: skip


def check(text: str, raw: Iterable[Any]) -> list[JSON]:
    """Entities as a bot passed them, with offsets verified against ``text``.

    Raises:
        ApiError: 400, not entities, an unknown type, or out of the text.
    """
    starts = set(boundaries(text))
    end_of_text = utf16_length(text)
    return [_checked(entity, starts, end_of_text) for entity in list(raw)[:MAX_ENTITIES]]


def _checked(entity: Any, starts: set[int], end_of_text: int) -> JSON:
    if not isinstance(entity, dict):
        raise bad_request("can't parse entities: expected an Object")
    kind, offset, length = entity.get("type"), entity.get("offset"), entity.get("length")
    if not isinstance(kind, str) or kind not in TYPES:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    if type(offset) is not int or type(length) is not int:
        raise bad_request('can\'t parse entities: field "offset" and "length" must be Numbers')
    if offset < 0 or length <= 0 or offset + length > end_of_text:
        raise bad_request(
            f"entity beginning at UTF-16 offset {offset} ends after the end of the text "
            f"at UTF-16 offset {offset + length}"
        )
    if offset not in starts or offset + length not in starts:
        raise bad_request(
            f"entity beginning at UTF-16 offset {offset} begins or ends in a middle of "
            "a UTF-16 symbol"
        )
    checked: JSON = {"type": kind, "offset": offset, "length": length}
    checked.update(_extras(kind, entity))
    return checked


def _extras(kind: str, entity: JSON) -> Iterator[tuple[str, Any]]:
    if kind == "text_link":
        if not isinstance(entity.get("url"), str):
            raise bad_request('can\'t parse entities: field "url" must be of type String')
        yield "url", entity["url"]
    if kind == "text_mention":
        user = entity.get("user")
        if not isinstance(user, dict) or type(user.get("id")) is not int:
            raise bad_request("can't parse entities: can't find field \"user\"")
        yield "user", user
    if kind == "pre" and isinstance(entity.get("language"), str):
        yield "language", entity["language"]
    if kind == "custom_emoji":
        yield "custom_emoji_id", str(entity.get("custom_emoji_id", ""))


def trim(text: str, entities: list[JSON]) -> tuple[str, list[JSON]]:
    """Without white space at its end, and at its start up to the first entity."""
    end = len(text.rstrip())
    first = min((e["offset"] for e in entities), default=utf16_length(text))
    offsets = boundaries(text)
    start = 0
    while start < end and text[start].isspace() and offsets[start] < first:
        start += 1
    cut, limit = offsets[start], offsets[end]
    kept: list[JSON] = []
    for entity in entities:
        stop = min(entity["offset"] + entity["length"], limit)
        if stop > entity["offset"]:
            begin = entity["offset"]
            kept.append({**entity, "offset": begin - cut, "length": stop - begin})
    return text[start:end], kept
