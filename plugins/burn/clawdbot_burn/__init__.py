"""Burn after reading: the bot's replies, and what they answer, vanish on time."""

from __future__ import annotations

from .plugin import Burn

__all__ = ["Burn"]
