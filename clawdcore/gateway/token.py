"""The token that is made where others could reach the gateway and nobody set one."""

from __future__ import annotations

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Final

from ..errors import StorageError

FILE: Final = "gateway-token"
"""In the bot's state folder; mode 0600."""


def is_local(host: str) -> bool:
    """Whether only programs on this machine reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def kept_or_made(folder: Path) -> tuple[str, bool]:
    """The token kept in ``folder``, and whether it was made just now.

    Raises:
        StorageError: it can't be kept.
    """
    path = folder / FILE
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        token = ""
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} can't be read ({type(error).__name__}).") from None
    if token:
        return token, False
    token = secrets.token_urlsafe(32)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token)
    except OSError as error:
        raise StorageError(
            f"{path} can't be written ({error.strerror}).", fix="Set gateway.auth.token."
        ) from None
    return token, True
