"""Weather, exchange rates and Wikipedia, and the commands that look after the bot."""

from __future__ import annotations

from .plugin import Commands

__version__ = "0.1.0"
__all__ = ["Commands"]
