from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.chinese import SIMPLIFIED, TRADITIONAL, variety
from clawdbot_translate.identification import Identified, identify, is_in, related
from clawdbot_translate.languages import Language, find
from clawdbot_translate.targets import foreign, wanted

GERMAN, ENGLISH, FRENCH = (Language.parse(code) for code in ("de", "en", "fr"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("wir sehen uns morgen am Bahnhof", "de"),
        ("je ne sais pas où est la gare", "fr"),
        ("明天车站见", "zh"),
        ("明日駅で会いましょう", "ja"),
        ("我的 iPhone 坏了", "zh"),
        ("kolik to stojí a kde to koupím", "cs"),
        ("तुम कहाँ हो? हम इंतज़ार कर रहे हैं", "hi"),
        ("see https://example.de/wo/ist/das here @uwe #heute it is great", "en"),
    ],
)
def test_what_is_long_enough_is_sure(text: str, code: str) -> None:
    assert identify(text) == Identified(code, sure=True)


@pytest.mark.parametrize("text", ["ok", "lol", "haha", "danke", "Berlin", "Ada Lovelace"])
def test_a_word_is_never_sure(text: str) -> None:
    assert not identify(text).sure


@pytest.mark.parametrize(
    "text", ["", "12:30", "👍👍", "https://example.org @ada", "\ud83d", "\x00"]
)
def test_what_holds_no_words_has_no_language(text: str) -> None:
    assert identify(text) == Identified("", sure=False)


@given(st.text())
def test_any_text_has_a_language_of_our_table_or_none(text: str) -> None:
    code = identify(text).code
    assert code == "" or find(code) is not None


def test_simplified_and_traditional_are_told_apart() -> None:
    assert variety("我们这周去看电影") == "zh" and variety("我們這週去看電影") == "zh-Hant"
    assert variety("你好") == ""
    assert not SIMPLIFIED - TRADITIONAL & TRADITIONAL


def test_a_text_is_in_a_language_only_when_that_is_sure() -> None:
    assert is_in("wir sehen uns morgen am Bahnhof", GERMAN)
    assert not is_in("Bahnhof", GERMAN) and not is_in("see you tomorrow at noon", GERMAN)
    assert is_in("我们明天去车站", Language.parse("zh"))
    assert not is_in("我们明天去车站", Language.parse("zh-Hant"))


def test_only_what_is_surely_foreign_is_translated_unasked() -> None:
    french = "je ne sais pas où est la gare"
    assert foreign(french, [GERMAN]) == "fr" and foreign(french, [GERMAN, FRENCH]) == ""
    assert foreign("danke", [ENGLISH]) == ""
    assert wanted(french, [ENGLISH, FRENCH, GERMAN]) == [ENGLISH, GERMAN]
    assert wanted(french, [ENGLISH], [ENGLISH, FRENCH]) == []
    assert wanted("lol", [GERMAN]) == []


def test_near_languages_are_related_and_others_are_not() -> None:
    assert related("id", "ms") and related("no", "da") and related("de", "de")
    assert not related("en", "fr") and not related("es", "de") and not related("zh", "en")
