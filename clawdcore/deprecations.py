"""Public names that are on their way out, all of them, and what to write instead.

A name stays here, and works, for two minor releases at least; see docs/api.md.
"""

from __future__ import annotations

import warnings
from typing import Final

import msgspec


class ClawdBotDeprecationWarning(FutureWarning):
    """A plugin uses a name that will go; says when, and what to write instead."""


class Deprecation(msgspec.Struct, frozen=True):
    """One name: ``instead`` is the public name that has taken its place."""

    instead: str
    since: str
    gone: str


NAMES: Final[dict[str, Deprecation]] = {}
"""By the old name. Empty: nothing is deprecated."""


def replaced(name: str) -> str:
    """The name that ``name`` stands for now, with a warning; "" where it is not deprecated."""
    found = NAMES.get(name)
    if found is None:
        return ""
    warnings.warn(
        f"clawdcore.{name} is deprecated since {found.since} and goes with {found.gone}: "
        f"use clawdcore.{found.instead}.",
        ClawdBotDeprecationWarning,
        stacklevel=3,
    )
    return found.instead
