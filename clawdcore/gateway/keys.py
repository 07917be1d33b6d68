"""Who calls: bearer tokens, each with a class of work and a fairness key of its own."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

import msgspec

from ..backend import Priority

DEFAULT: Final = "default"
"""The name of the caller who has the configuration's own token, or needs none."""


class Key(msgspec.Struct, frozen=True):
    """A caller. ``digest`` is the SHA-256 of its token, empty for who needs none."""

    name: str
    priority: Priority = Priority.DIRECT
    digest: bytes = b""

    @classmethod
    def of(cls, name: str, token: str, priority: Priority = Priority.DIRECT) -> Key:
        """The key for a token, which itself is not kept."""
        return cls(name, priority, hashlib.sha256(token.encode()).digest())

    @property
    def fairness(self) -> str:
        """The fairness key of its work: one token shares one portion."""
        return f"api:{self.name}"

    def __repr__(self) -> str:
        return f"Key(name={self.name!r}, priority={self.priority.name})"


class Keys:
    """The callers that are known. With none at all everybody may call, as :data:`DEFAULT`."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = tuple(keys)
        self._anybody = Key(DEFAULT)

    @property
    def required(self) -> bool:
        """Whether a token is needed."""
        return bool(self._keys)

    def find(self, authorization: bytes | None) -> Key | None:
        """The caller behind an ``Authorization`` header, or None.

        Takes as long for a wrong token as for any right one: digests are compared,
        each in constant time, and all of them.
        """
        if not self._keys:
            return self._anybody
        scheme, _, token = (authorization or b"").partition(b" ")
        given = hashlib.sha256(token.strip()).digest()
        found: Key | None = None
        for key in self._keys:
            if hmac.compare_digest(given, key.digest):
                found = key
        return found if scheme.lower() == b"bearer" else None
