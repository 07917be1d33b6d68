from __future__ import annotations

from clawdbot_translate import texts
from clawdbot_translate.languages import Language


def test_every_sentence_is_there_in_chinese() -> None:
    french = Language.parse("fr")
    for english, chinese in [
        (texts.nothing_given("en"), texts.nothing_given("zh-hans")),
        (texts.nothing_quoted("en"), texts.nothing_quoted("zh-hans")),
        (texts.too_long(5, 3, "en"), texts.too_long(5, 3, "zh-hans")),
        (texts.echoed(french, "en"), texts.echoed(french, "zh-hans")),
        (texts.cut_off("en"), texts.cut_off("zh-hans")),
    ]:
        assert english.isascii() and not chinese.isascii()


def test_sentences_name_the_bound_and_the_language() -> None:
    assert "2500" in texts.too_long(2500, 2000, "en") and "2000" in texts.too_long(2500, 2000, "zh")
    assert "French" in texts.echoed(Language.parse("fr"), "de")
    assert "法语" in texts.echoed(Language.parse("fr"), "zh")
