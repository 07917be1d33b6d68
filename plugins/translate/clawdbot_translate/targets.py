"""Which language to translate into when none was asked for."""

from __future__ import annotations

from .guessing import seems_in
from .languages import Language, find


def choose(text: str, reader: str) -> tuple[Language, Language]:
    """The language to try, and the one to try when ``text`` turns out to be in it.

    ``reader`` is the IETF tag of who asks. Texts are translated into their
    language; a text that is in it already goes into English, and for those who
    read English (or whose language we don't know) into Chinese.
    """
    english, chinese = Language.parse("en"), Language.parse("zh")
    own = find(reader) or english
    other = chinese if own.base == english.base else english
    return (other, own) if seems_in(text, own) else (own, other)
