"""Whom something is about that is to be erased."""

from __future__ import annotations

from typing import Literal

import msgspec


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Whom ``forget`` is about: a user everywhere, or a chat with all in it."""

    kind: Literal["chat", "user"]
    id: int
