"""Codes that are also words: whether ``it``, ``de`` or ``no`` names a language here.

A name (``german``) or any other code (``fr``, ``zh``) at the beginning is
always the language. The codes below are told apart by what follows; a colon
(``it: …``), capitals (``IT …``) or a region (``it-IT``) settle it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .guessing import guess
from .scripts import main_script

_MOSTLY_WORDS: Final = (
    "am an as be ben dan est fin ga ha hat he heb her hi is kan la lat lit lo man mar mi mon my "
    "ne nor or pa pan por ps pus sa se si sin sna so som su sun ta tam te tel ur yo"
)
WORDS: Final = frozenset(_MOSTLY_WORDS.split())
"""Codes that are far more often a word: taken for text unless something settles it."""

FOLLOWERS: Final[Mapping[str, frozenset[str]]] = {
    code: frozenset(words.split())
    for code, words in {
        "ca": "va marche fait dépend y suffit",
        "da": "ist sind bin war kann komme bist steht liegt hast gibt",
        "de": "rien nada acuerdo nouveau plus quoi toute tous toutes moi toi quien quem onde donde "
        "facto fato novo nuevo verdad veras hecho pronto repente",
        "el": "mismo otro tiempo problema tren agua café",
        "en": "fait effet plus attendant général cours serio cambio general realidad fin",
        "es": "ist war geht gibt tut regnet wird reicht stimmt scheint un una el la muy que verdad "
        "decir mejor posible hora importante",
        "et": "toi vous puis alors si moi maintenant après voilà pourquoi",
        "id": "card cards number numbers like love rather say be",
        "it": "is was isn't wasn't will won't would has had can can't could should may might must "
        "does doesn't did didn't seems looks works feels takes took makes made sounds depends "
        "rains says hurts goes went came gets got",
        "ja": "ich das klar genau natürlich wir gerne bitte doch aber und er sie es man ja",
        "no": "problem problems worries way one thanks need idea more doubt longer matter i it "
        "not she he we you they me lo se hay es puedo sé problema pasa quiero tengo "
        "entiendo te le nos está rush",
        "uk": "is has weather government citizens time",
        "vi": "är ses kan ska har er skal måste vill",
    }.items()
}
"""Codes that are wanted as often as they are words, and what follows them as words."""

WORD_OF: Final[Mapping[str, frozenset[str]]] = {
    "ca": frozenset({"fr"}),
    "da": frozenset({"de", "it"}),
    "de": frozenset({"fr", "es", "pt", "nl"}),
    "el": frozenset({"es"}),
    "en": frozenset({"fr", "es", "nl"}),
    "es": frozenset({"de", "es"}),
    "et": frozenset({"fr"}),
    "ja": frozenset({"de"}),
    "no": frozenset({"es"}),
    "vi": frozenset({"sv", "da"}),
}
"""Languages in which such a code is a word: text in one of them keeps it.

English is missing on purpose: most texts are English, so ``it`` and ``no``
before English words are told apart by :data:`FOLLOWERS` alone.
"""


def names_language(name: str, rest: str) -> bool:
    """Whether ``name``, typed before ``rest``, is meant as the language that it can mean."""
    word, _, subtags = name.replace("_", "-").casefold().partition("-")
    if word not in WORDS and word not in FOLLOWERS:
        return True
    if subtags:
        return not name.islower()  # it-IT, but not est-ce or so-so
    if main_script(rest) not in {"Latn", ""}:
        return True
    if name.isupper() and not rest.isupper():
        return True
    if word in WORDS:
        return False
    if not rest:
        return True
    follower = rest.split(maxsplit=1)[0].strip(",.;:!?…").replace("’", "'").casefold()
    if follower in FOLLOWERS[word]:
        return False
    return guess(rest) not in WORD_OF.get(word, frozenset())
