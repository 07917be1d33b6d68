"""What a link in markup becomes: a text link, a mention of a user, or nothing."""

from __future__ import annotations

import re

from .errors import JSON

_USER = re.compile(r"tg:(?://)?user\?id=(\d{1,18})$")
_URL = re.compile(r"(?:(?:https?|tg|ton)://|mailto:|tel:)\S+$", re.IGNORECASE)
_HOST = re.compile(r"^(https?://[^/?#]+)(?=$|[?#])", re.IGNORECASE)
_BARE = re.compile(r"[\w-]+(?:\.[\w-]+)+(?:[:/?#]\S*)?$")


def link_entity(url: str) -> JSON | None:
    """The entity without its place, or None for a link that Telegram ignores.

    `tg://user?id=N` becomes a text_mention whose user has an id alone; a bare
    host gets `http://` (core.telegram.org/bots/api#formatting-options).
    """
    if user := _USER.match(url):
        return {"type": "text_mention", "user": {"id": int(user[1])}}
    if _BARE.match(url):
        url = f"http://{url}"
    if not _URL.match(url):
        return None
    return {"type": "text_link", "url": _HOST.sub(r"\1/", url, count=1)}
