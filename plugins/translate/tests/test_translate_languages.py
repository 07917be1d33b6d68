from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.languages import Language, find, is_code, languages, longest_name
from clawdbot_translate.scripts import ALPHABETS

EVERY = st.sampled_from(languages())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("french", "fr"),
        ("French", "fr"),
        ("FRANÇAIS", "fr"),
        ("francais", "fr"),
        ("simplified chinese", "zh"),
        ("Simplified   Chinese", "zh"),
        ("chinese", "zh"),
        ("mandarin", "zh"),
        ("traditional chinese", "zh-Hant"),
        ("Chinese (Traditional)", "zh-Hant"),
        ("法语", "fr"),
        ("法文", "fr"),
        ("简体中文", "zh"),
        ("繁體中文", "zh-Hant"),
        ("繁体中文", "zh-Hant"),
        ("日语", "ja"),
        ("日本語", "ja"),
        ("deutsch", "de"),
        ("한국어", "ko"),
        ("русский", "ru"),
        ("العربية", "ar"),
        ("हिन्दी", "hi"),
        ("tiếng việt", "vi"),
        ("tieng viet", "vi"),
        ("fr", "fr"),
        ("FRA", "fr"),
        ("zho", "zh"),
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("zh_hans", "zh"),
        ("zh-hans-tw", "zh"),
        ("zh-TW", "zh-Hant"),
        ("zh-hk", "zh-Hant"),
        ("zh-Hant-MO", "zh-Hant"),
        ("pt", "pt"),
        ("pt-BR", "pt-BR"),
        ("pt_br", "pt-BR"),
        ("pt-PT", "pt"),
        ("brazilian portuguese", "pt-BR"),
        ("en-US", "en"),
        ("es-419", "es"),
        ("sr-Latn-RS", "sr"),
        ("yue", "yue"),
        ("廣東話", "yue"),
    ],
)
def test_codes_and_names_are_found_in_any_case(words: str, code: str) -> None:
    found = find(words)
    assert found is not None and found.code == code


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        "fren",
        "klingon",
        "good morning",
        "fr fr",
        "fr-",
        "no-one",
        "e-mail",
        "日",
        "-",
        "fr-food",
    ],
)
def test_other_words_are_no_language(words: str) -> None:
    assert find(words) is None
    with pytest.raises(ValueError, match="not a language"):
        Language.parse(words)


@given(EVERY)
def test_every_code_and_name_leads_back_to_its_language(language: Language) -> None:
    for words in (language.code, language.name, language.chinese, language.code.upper()):
        assert find(words) == language


@given(st.text())
def test_any_text_can_be_looked_up(text: str) -> None:
    found = find(text)
    assert found is None or found in languages()


def test_there_are_more_than_a_hundred_and_each_has_letters_we_know() -> None:
    assert len(languages()) > 100
    assert len({language.code for language in languages()}) == len(languages())
    for language in languages():
        assert language.scripts and all(script in ALPHABETS for script in language.scripts)


def test_codes_are_told_from_names() -> None:
    assert is_code("de") and is_code("DEU") and is_code("zh-Hant")
    assert not is_code("german") and not is_code("德语")
    assert not is_code("de-AT")  # a region can be nothing but a language's


def test_the_longest_name_bounds_how_many_words_are_looked_at() -> None:
    assert longest_name() == max(
        len(name.split()) for name in ("português do brasil", "te reo maori")
    )


def test_a_language_is_named_in_the_readers_language() -> None:
    french = Language.parse("fr")
    assert french.name_for("zh-hans") == "法语"
    assert french.name_for("en") == french.name_for("") == "French"


def test_names_and_scripts_agree_with_cldr() -> None:
    babel = pytest.importorskip(
        "babel", reason="CLDR's names come with Babel, which only developers have (group dev)"
    )
    from babel.core import get_global

    english = babel.Locale("en").languages
    chinese = babel.Locale("zh").languages
    likely = get_global("likely_subtags")
    differing = {"bn": "Bangla", "mi": "Māori", "zh": "Chinese"}
    for language in languages():
        key = language.code.replace("-", "_")
        assert differing.get(key, language.name) == english[key]
        assert find(english[key]) == language
        assert find(chinese[key]) == language
        if key in likely:
            assert likely[key].split("_")[1] == language.scripts[0]
