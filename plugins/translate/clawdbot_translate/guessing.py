"""Which language a text seems to be in: by script, and by small everyday words.

It need not be right about a single word; it must not be wrong about a
sentence. Where languages share a script and nothing speaks for one, the answer
is "": unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from .languages import Language
from .scripts import FIXED, main_script

SINGLE: Final[Mapping[str, str]] = {
    "Armn": "hy",
    "Ethi": "am",
    "Geor": "ka",
    "Grek": "el",
    "Gujr": "gu",
    "Guru": "pa",
    "Hans": "zh",
    "Jpan": "ja",
    "Khmr": "km",
    "Knda": "kn",
    "Kore": "ko",
    "Laoo": "lo",
    "Mlym": "ml",
    "Mymr": "my",
    "Orya": "or",
    "Sinh": "si",
    "Taml": "ta",
    "Telu": "te",
    "Thai": "th",
    "Tibt": "bo",
}
"""Scripts that one of our languages stands for, more or less alone."""

EVERYDAY: Final[Mapping[str, frozenset[str]]] = {
    code: frozenset(words.split())
    for code, words in {
        "ar": "في من على إلى هذا هذه أن لا ما هل أنا هو هي كان مع عن التي الذي يا كيف أين",
        "bg": "и в на се да не е за от са ще това че как къде аз съм си ми ти",
        "cs": "je se na že to v si jsem ale jak kde tak už bude jsou není mám dnes pro prosím",
        "da": "jeg og det er ikke en et på til af med som har kan hvad hvor du vi min der den",
        "de": "ich und das ist nicht ein eine der die den dem zu mit für auf es wir sie du wie wo "
        "was bitte kann haben habe heute morgen im am von hallo danke gibt",
        "en": "the and is are was were i you he she it we they this that to of in on at for with "
        "not do does have has can will would my your what where when how please be if but from "
        "there here i'm it's don't hello thanks today tomorrow",
        "es": "el la los las un una de que y en no es por con para se lo me te mi tu su está hay "
        "como cómo dónde qué pero más muy hola gracias estoy tengo puedo hoy mañana del al",
        "fa": "از به که در است را با این آن من تو ما هم برای چه کجا نیست می",
        "fi": "ja on ei se että en olen minä sinä mitä missä kun niin hän mutta tämä kiitos ole",
        "fr": "le la les un une des de du et est je tu il elle nous vous ne pas que qui dans pour "
        "sur avec au aux ce cette mon ton son où comment bonjour merci suis ai c'est j'ai",
        "hi": "है हैं के में का की को से और यह नहीं मैं क्या कहाँ हूँ पर मेरा आप",
        "hu": "a az és nem hogy egy van ez mi én te hol mit köszönöm ma kell vagyok de is",
        "id": "yang dan di ini itu saya tidak untuk dengan dari ke ada akan bisa apa kamu anda "
        "sudah di mana besok hari",
        "it": "il lo la gli i le un una su di che e è non per con sono mi ti si ho ha come dove "
        "cosa ma del della nel al ciao grazie sto oggi domani questo questa",
        "mr": "आहे आहेत आणि मी तू हे ते नाही काय कुठे माझे तुम्ही",
        "nl": "de het een en is van ik niet dat je op met voor zijn er te hij wij we waar hoe wat "
        "maar ook heb hebben naar bij graag bedankt morgen vandaag",
        "no": "jeg og det er ikke en et på til av med som har kan hva hvor du vi min der den",
        "pl": "i w o na nie mi się to jest z do że jak gdzie mam jestem czy ale dla po "
        "dziękuję proszę",
        "pt": "o a os as um uma de que e em não é por com para se eu você ele ela está do da no na "
        "meu minha como onde mas muito obrigado obrigada olá estou tenho hoje amanhã",
        "ro": "și este nu în la cu pe un o de că ce mai sunt am unde cum pentru din se eu mă",
        "ru": "и в не на я что это с он она мы вы ты как где но по у меня мне все есть был для",
        "sv": "jag och det är inte en ett på till av med som har kan vad var du vi min där den",
        "tr": "ve bir bu ne için değil ben sen çok var yok da de mi nasıl nerede ama ile bugün",
        "uk": "і й в не на я що це з він вона ми ви ти як де але у мене мені є був для та до",
        "ur": "ہے ہیں کے میں کا کی کو سے اور یہ نہیں کیا کہاں ہوں پر آپ",
        "vi": "là và không tôi có của cho được này một bạn ở với đã sẽ người đi anh em gì đâu",
    }.items()
}
"""Small words that a sentence of the language can hardly do without."""

_WORD: Final = re.compile(r"[^\W\d_](?:[\w'’\u0300-\u036f\u0900-\u097f-]*\w)?|[\u0900-\u097f]+")


SCRIPT: Final = 99
"""What a script that stands for one language weighs, in everyday words."""


def guess(text: str) -> str:
    """The base code of the language that ``text`` seems to be in, or ""."""
    return weighed(text)[0]


def weighed(text: str) -> tuple[str, int]:
    """What :func:`guess` gives, and how many everyday words speak for it."""
    script = main_script(text)
    if script in SINGLE:
        return SINGLE[script], SCRIPT
    words = [word.replace("’", "'") for word in _WORD.findall(_folded(FIXED.sub(" ", text)))]
    hits = {code: sum(word in everyday for word in words) for code, everyday in EVERYDAY.items()}
    most = max(hits.values())
    best = [code for code, count in hits.items() if count == most]
    return (best[0], most) if most and len(best) == 1 else ("", 0)


def seems_in(text: str, language: Language) -> bool:
    """Whether ``text`` seems to be in ``language`` already.

    In the Latin script, which most languages share, words must speak for it;
    in any other, it is enough that none speak for another language.
    """
    guessed = guess(text)
    if guessed:
        return guessed == language.base or (guessed == "zh" and language.base == "yue")
    script = main_script(text)
    return script != "Latn" and script in language.scripts


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
