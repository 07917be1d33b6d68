from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.examples import SENTENCES
from clawdbot_translate.guessing import EVERYDAY, SINGLE, guess, seems_in
from clawdbot_translate.languages import Language, find


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The bus is late", "en"),
        ("It's too hot, don't you think?", "en"),
        ("Der Bus ist heute wieder zu spät", "de"),
        ("Je ne sais pas où il est", "fr"),
        ("No sé dónde está la llave", "es"),
        ("Não sei onde está a chave", "pt"),
        ("Non so dove è la chiave", "it"),
        ("Ik weet niet waar het is", "nl"),
        ("Я не знаю, где он был", "ru"),
        ("Я не знаю, що це і де він", "uk"),
        ("من نمی دانم که این چه است", "fa"),
        ("यह क्या है", "hi"),
        ("هذا ليس في البيت", "ar"),
        ("今天天气不错", "zh"),
        ("今日は天気がいい", "ja"),
        ("오늘 날씨가 좋네요", "ko"),
        ("Πού είναι ο σταθμός;", "el"),
        ("Berlin Paris Madrid", ""),
        ("rien", ""),
        ("", ""),
        ("👍 12:30", ""),
    ],
)
def test_everyday_words_and_scripts_tell_the_language(text: str, code: str) -> None:
    assert guess(text) == code


def test_the_example_sentences_are_never_taken_for_another_language() -> None:
    for code, sentences in SENTENCES.items():
        for sentence in sentences:
            assert guess(sentence) in {"", code.partition("-")[0]}, (code, sentence)


@given(st.text())
def test_any_text_gives_a_language_we_know_or_none(text: str) -> None:
    guessed = guess(text)
    assert guessed == "" or find(guessed) is not None


def test_every_language_in_the_tables_exists() -> None:
    assert all(find(code) is not None for code in {*EVERYDAY, *SINGLE.values()})


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("Вокзал", "ru", True),
        ("Вокзал", "uk", True),  # nothing speaks against it
        ("Я не знаю, що це і де він", "ru", False),
        ("Dimanche", "fr", False),  # may be, but nothing says so
        ("Où est le chien et que fait il", "fr", True),
        ("The bus is late", "fr", False),
        ("你好", "zh-Hant", True),
        ("你好", "yue", True),
        ("你好", "ja", False),
        ("12", "en", False),
    ],
)
def test_whether_a_text_is_in_a_language_already(text: str, code: str, expected: bool) -> None:
    assert seems_in(text, Language.parse(code)) is expected
