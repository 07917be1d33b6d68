"""How the services spell the codes of our languages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ..languages import languages

SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "fil": ("fil", "tl"),
    "he": ("he", "iw"),
    "jv": ("jv", "jw"),
    "no": ("no", "nb"),
    "pt": ("pt", "pt-PT"),
    "pt-BR": ("pt-BR", "pb", "pt"),
    "zh": ("zh-Hans", "zh-CN", "zh"),
    "zh-Hant": ("zh-Hant", "zh-TW", "zt"),
}
"""Where it is not our own code alone: what to look for, the best first.

LibreTranslate has ``nb``, ``tl``, ``pb``, ``zh`` and ``zt`` (in later versions
``zh-Hans``, ``zh-Hant`` and ``pt-BR``), Google ``iw``, ``jw``, ``zh-CN`` and ``zh-TW``.
"""


def spelled(code: str, known: Iterable[str]) -> str:
    """The service's own spelling of our ``code``, or "" when it is not among ``known``."""
    by_key = {each.casefold(): each for each in known}
    for spelling in SPELLINGS.get(code, (code,)):
        found = by_key.get(spelling.casefold())
        if found is not None:
            return found
    return ""


def ours(known: Iterable[str]) -> frozenset[str]:
    """Our codes of the languages that a service spells as in ``known``."""
    listed = tuple(known)
    return frozenset(each.code for each in languages() if spelled(each.code, listed))
