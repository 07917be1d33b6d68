"""Which language to translate into when none was asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .guessing import seems_in
from .identification import identify, is_in
from .languages import Language, find


def choose(text: str, reader: str, set_here: Sequence[str] = ()) -> tuple[Language, Language]:
    """The language to try, and the one to try when ``text`` turns out to be in it.

    ``reader`` is the IETF tag of who asks, ``set_here`` the codes of the chat's
    languages (``/lang``), which come before it. Texts are translated into the first
    of these; a text that is in it already goes into the second, else into English,
    and for those who read English (or whose language we don't know) into Chinese.
    """
    english, chinese = Language.parse("en"), Language.parse("zh")
    wanted = [language for language in map(find, set_here) if language is not None]
    own = wanted[0] if wanted else find(reader) or english
    other = chinese if own.base == english.base else english
    other = next((each for each in wanted[1:] if each.base != own.base), other)
    return (other, own) if reads(text, own) else (own, other)


def reads(text: str, language: Language) -> bool:
    """Whether who reads ``language`` can read ``text`` as it is, as far as one can tell."""
    return seems_in(text, language) or is_in(text, language)


def foreign(text: str, known: Sequence[Language]) -> str:
    """The code of the text's language when it surely is none of ``known``, else ""."""
    found = identify(text)
    if not found.sure or any(reads(text, language) for language in known):
        return ""
    return "" if any(found.code == language.base for language in known) else found.code


def wanted(
    text: str, targets: Sequence[Language], known: Sequence[Language] = ()
) -> list[Language]:
    """Those of a chat's target languages that ``text`` is to be translated into.

    None when its language is not sure, since nobody asked for anything; and none when
    it is in a language of the chat (``known``) that is no target.
    """
    found = identify(text)
    if not found.sure:
        return []
    others = [each for each in known if each not in targets]
    if any(found.code == each.base or reads(text, each) for each in others):
        return []
    return [each for each in targets if found.code != each.base and not reads(text, each)]
