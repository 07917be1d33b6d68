"""Which script a language is written in, by tesseract's names of both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

LATIN: Final = "Latin"
OTHERS: Final = {
    "Han": "chi_sim chi_tra chi_sim_vert chi_tra_vert",
    "Japanese": "jpn jpn_vert",
    "Korean": "kor kor_vert",
    "Greek": "ell grc",
    "Cyrillic": "bel bul kaz kir mkd mon rus srp tgk tat ukr uzb_cyrl aze_cyrl",
    "Arabic": "ara fas kur_ara pus snd uig urd",
    "Hebrew": "heb yid",
    "Armenian": "hye",
    "Georgian": "kat kat_old",
    "Thai": "tha",
    "Lao": "lao",
    "Khmer": "khm",
    "Myanmar": "mya",
    "Tibetan": "bod dzo",
    "Ethiopic": "amh tir",
    "Syriac": "syr",
    "Thaana": "div",
    "Devanagari": "hin mar nep san",
    "Bengali": "asm ben",
    "Gujarati": "guj",
    "Gurmukhi": "pan",
    "Kannada": "kan",
    "Malayalam": "mal",
    "Oriya": "ori",
    "Sinhala": "sin",
    "Tamil": "tam",
    "Telugu": "tel",
}
RAPID: Final = frozenset({LATIN, "Han", "Japanese"})
"""What rapidocr reads as well or better; its 62 Greek letters lack those with accents."""
_SCRIPTS: Final = {
    language: script for script, languages in OTHERS.items() for language in languages.split()
}


def script_of(language: str) -> str:
    """The script of a language; Latin, where the language is none of the others'."""
    return _SCRIPTS.get(language, LATIN)


def of_script(languages: Iterable[str], script: str) -> tuple[str, ...]:
    """Those of the languages that are written in it, in their order."""
    return tuple(language for language in languages if script_of(language) == script)


def in_order(languages: Iterable[str]) -> tuple[str, ...]:
    """Chinese and Japanese first: with Latin first, tesseract puts spaces into Chinese."""
    return tuple(
        sorted(languages, key=lambda language: script_of(language) not in {"Han", "Japanese"})
    )
