"""The data behind a button: how it finds its function again; pure.

Telegram keeps 64 bytes with a button (core.telegram.org/bots/api#inlinekeyboardbutton)
and hands them back with a press. The first :data:`KEY` of ours name the plugin and
the function by a digest, so that they are as long for every name; the rest is the
plugin's. Nothing is kept: a button works as long as its plugin is there, and who
changes its data can reach no more than another button's function.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import Any, Final

import msgspec

from ..errors import PluginError
from ..messages import Button, Keyboard

LIMIT: Final = 64
"""Bytes of callback data."""
KEY: Final = 8
"""Characters of the key, ASCII: six bytes of a digest."""
DATA_LIMIT: Final = LIMIT - KEY
"""Bytes of a plugin's own data, in UTF-8."""
BUTTONS_LIMIT: Final = 100
"""Buttons under one message; Telegram refuses more."""
SCHEMES: Final = ("http://", "https://", "tg://")


def key(plugin: str, name: str) -> str:
    """The key of what ``plugin`` registered as ``name``."""
    digest = blake2b(f"{plugin}\0{name}".encode(), digest_size=KEY * 6 // 8)
    return urlsafe_b64encode(digest.digest()).decode()


def encode(button: Button) -> str:
    """The callback data of a button that was :func:`checked`; at most :data:`LIMIT` bytes."""
    return key(button.plugin, button.name) + button.data


def decode(callback_data: str) -> tuple[str, str]:
    """The key and the plugin's data; of what was not ours, a key that nobody has."""
    return callback_data[:KEY], callback_data[KEY:]


def checked(plugin: str, buttons: Any) -> Keyboard:
    """The buttons that ``plugin`` returned, marked as its own where they are nobody's yet.

    Raises:
        PluginError: they can't be sent.
    """
    try:
        rows = tuple(tuple(row) for row in buttons)
    except TypeError:
        fix = "Give rows: buttons=((a, b), (c,))."
        raise _wrong(plugin, "buttons that are no rows", fix) from None
    if sum(map(len, rows)) > BUTTONS_LIMIT:
        raise _wrong(plugin, "too many buttons", f"Give {BUTTONS_LIMIT} at most.")
    return tuple(tuple(_checked(plugin, button) for button in row) for row in rows if row)


def _checked(plugin: str, button: Any) -> Button:
    if not isinstance(button, Button):
        kind = type(button).__name__
        raise _wrong(plugin, f"a {kind} as a button", "Give clawdcore.Button.")
    fields: tuple[Any, ...] = msgspec.structs.astuple(button)  # not checked when it was made
    if not all(isinstance(value, str) and _encodable(value) for value in fields):
        raise _wrong(plugin, "a button whose fields are no text", "Give it str only.")
    if not button.text.strip():
        raise _wrong(plugin, "a button without a text", "Say on it what it does.")
    if bool(button.name) == bool(button.url):
        raise _wrong(
            plugin, "a button without one purpose", "Give it either a name or a url, not both."
        )
    if button.url and not button.url.lower().startswith(SCHEMES):
        raise _wrong(plugin, "a button with an odd url", f"Begin it with {', '.join(SCHEMES)}.")
    size = len(button.data.encode())
    if size > DATA_LIMIT:
        raise _wrong(
            plugin,
            f"a button with {size} bytes of data",
            f"Give {DATA_LIMIT} at most; keep the rest in context.memory under a short key.",
        )
    return button if button.plugin else msgspec.structs.replace(button, plugin=plugin)


def _encodable(text: str) -> bool:
    """Whether UTF-8 can carry it: no half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _wrong(plugin: str, what: str, fix: str) -> PluginError:
    return PluginError(f"plugin {plugin!r} returned {what}.", plugin=plugin, fix=fix)
