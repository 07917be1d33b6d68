"""Translation: on request, by itself in groups, and of what is read in pictures and voice."""

from __future__ import annotations

from .plugin import Translate

__version__ = "0.1.0"
__all__ = ["Translate"]
