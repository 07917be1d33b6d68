from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.echo import (
    is_echo,
    is_translation,
    may_stay,
    translatable,
    undecided,
    written_in,
)
from clawdbot_translate.examples import SENTENCES
from clawdbot_translate.languages import Language, languages

SENTENCE = "The last bus leaves at eleven."


@pytest.mark.parametrize(
    ("answer", "source", "target"),
    [
        ("The last bus leaves at eleven.", SENTENCE, "ja"),
        ("the last bus leaves at eleven", SENTENCE, "fr"),
        ("“The last bus … leaves at eleven!”", SENTENCE, "fr"),
        ("The last bus leaves at 11 pm.", SENTENCE, "ja"),  # other words, still no Japanese
        ("I'm sorry, I can't do that.", SENTENCE, "zh"),
        ("The bus that is the last one leaves at eleven.", SENTENCE, "fr"),
        ("最后一班公交车十一点出发，请不要迟到。", SENTENCE, "ja"),  # Chinese, not Japanese
        ("最終バスは十一時に出ます。", SENTENCE, "zh"),
        ("", SENTENCE, "fr"),
        ("…", SENTENCE, "fr"),
        ("明天见", "明天见", "en"),
        ("明天见面吧", "明天见", "en"),
    ],
)
def test_what_is_no_translation(answer: str, source: str, target: str) -> None:
    assert not is_translation(answer, source, Language.parse(target))


@pytest.mark.parametrize(
    ("answer", "source", "target"),
    [
        ("最終バスは11時に出ます。", SENTENCE, "ja"),
        ("東京大学", "Tokyo University", "ja"),
        ("末班车十一点开。", SENTENCE, "zh"),
        ("Le dernier bus part à onze heures.", SENTENCE, "fr"),
        ("Последний автобус уходит в 11.", SENTENCE, "ru"),
        ("Poslednji autobus polazi u jedanaest.", SENTENCE, "sr"),
        ("OK", "好的", "en"),
        ("iPhone 15 发布了", "The iPhone 15 is out", "zh"),
        ("Do you go there with me?", "Gehst du mit mir dort hin?", "en"),
    ],
)
def test_what_may_be_a_translation(answer: str, source: str, target: str) -> None:
    assert is_translation(answer, source, Language.parse(target))


def test_true_translations_are_never_taken_for_echoes() -> None:
    for source_code, sources in SENTENCES.items():
        for code, answers in SENTENCES.items():
            if code.partition("-")[0] == source_code.partition("-")[0]:
                continue
            for source, answer in zip(sources, answers, strict=True):
                assert is_translation(answer, source, Language.parse(code)), (source_code, code)


@given(st.text(), st.sampled_from(languages()))
def test_a_text_is_never_its_own_translation(text: str, target: Language) -> None:
    assert is_echo(text, text)
    assert not is_translation(text, text, target)


@given(st.text(min_size=1), st.sampled_from(languages()), st.data())
def test_the_beginning_of_an_echo_is_never_shown(
    text: str, target: Language, data: st.DataObject
) -> None:
    beginning = text[: data.draw(st.integers(0, len(text)))]
    assert undecided(beginning, text, target)


def test_a_beginning_is_decided_when_it_can_be_no_echo_any_more() -> None:
    french, japanese = Language.parse("fr"), Language.parse("ja")
    assert undecided("Le dernier", SENTENCE, french)
    assert not undecided("Le dernier bus part à onze", SENTENCE, french)
    assert undecided("The last bus that is leaving", SENTENCE, french)
    assert undecided("Sure, I can", SENTENCE, japanese)
    assert not undecided("最終バスは", SENTENCE, japanese)


@pytest.mark.parametrize(
    "text",
    ["", "12:30", "👍👍", "…!?", "https://example.org/a-b", "@ada", "#news 5", "a@b.org", "€ 5"],
)
def test_nothing_to_translate(text: str) -> None:
    assert not translatable(text)


@pytest.mark.parametrize("text", ["OK", "Hello", "12 Uhr", "你好", "see https://example.org"])
def test_something_to_translate(text: str) -> None:
    assert translatable(text)


@pytest.mark.parametrize(
    "text",
    [
        "OK",
        "taxi",
        "NASA",
        "Ada Lovelace",
        "iPhone 15",
        "New York City",
        "東京",
        "北京大学",
        "Berlin 👍",
    ],
)
def test_names_may_stay_as_they_are(text: str) -> None:
    assert may_stay(text)


@pytest.mark.parametrize(
    "text",
    ["good morning", "Good morning to you all", "See You At The Station", "明天早上九点开会吧"],
)
def test_sentences_may_not(text: str) -> None:
    assert not may_stay(text)


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("12:30", "ja", True),
        ("新しい", "ja", True),
        ("新幹線", "ja", True),
        ("我们明天早上九点开会", "ja", False),
        ("新しい", "zh", False),
        ("abc", "zh", False),
        ("abc", "sr", True),
        ("абв", "sr", True),
        ("abc", "ru", False),
        ("กขค", "th", True),
    ],
)
def test_the_script_of_a_language(text: str, code: str, expected: bool) -> None:
    assert written_in(text, Language.parse(code)) is expected
