"""Counts the water that people drink, and reminds them: an example of a whole plugin.

It shows options, settings of each user, buttons, a planned call, a tool for the model,
translations, and how to forget.
"""

from __future__ import annotations

from .plugin import Water

__version__ = "0.1.0"
__all__ = ["Water"]
