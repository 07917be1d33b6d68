from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.arguments import split


def read(words: str, *, quoting: bool = False) -> tuple[str, str]:
    language, text = split(words, quoting=quoting)
    return (language.code if language else "", text)


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ("french Good morning", "fr", "Good morning"),
        ("French good morning", "fr", "good morning"),
        ("fr Good morning", "fr", "Good morning"),
        ("zh-TW Good morning", "zh-Hant", "Good morning"),
        ("simplified chinese Good morning", "zh", "Good morning"),
        ("Chinese simplified Good morning", "zh", "Good morning"),
        ("brazilian portuguese  Good\nmorning", "pt-BR", "Good\nmorning"),
        ("português do Brasil Good morning", "pt-BR", "Good morning"),
        ("法语 早上好", "fr", "早上好"),
        ("法语：早上好", "fr", "早上好"),
        ("法语:早上好", "fr", "早上好"),
        ("繁體中文 早上好", "zh-Hant", "早上好"),
        ("deutsch: Good morning", "de", "Good morning"),
        ("simplified chinese: Good morning", "zh", "Good morning"),
        ("to german Good morning", "de", "Good morning"),
        ("into simplified chinese Good morning", "zh", "Good morning"),
        ("日本語\u3000おはよう", "ja", "おはよう"),
        ("fr", "fr", ""),
        ("german", "de", ""),
    ],
)
def test_a_language_first_is_the_target(words: str, code: str, text: str) -> None:
    assert read(words) == (code, text)


@pytest.mark.parametrize(
    "words",
    [
        "Good morning",
        "bonjour",
        "I speak french",
        "to be or not to be",
        "to the station, please",
        "http://example.org",
        "x: y",
        "早上好",
        "",
        "12:30",
        "PS: I love you",
        '"de rien"',
    ],
)
def test_anything_else_is_text(words: str) -> None:
    assert read(words) == ("", words)


@pytest.mark.parametrize(
    "words",
    [
        "it is late",
        "It was a long day",
        "it isn’t far",
        "is it far?",
        "is John home?",
        "no problem!",
        "no, thanks",
        "No worries",
        "or maybe tomorrow",
        "as soon as possible",
        "am I late?",
        "so what",
        "he is here",
        "my name is Ada",
        "hi Anna, how are you?",
        "hi",
        "be careful",
        "to Berlin",
        "de rien",
        "De nada",
        "de rien du tout, c'est normal",
        "es ist spät",
        "es muy tarde",
        "es regnet",
        "en la casa de mi madre",
        "en effet",
        "el perro está en la casa",
        "ja, ich komme",
        "ja natürlich",
        "no lo sé",
        "no es verdad",
        "et toi ?",
        "ca va",
        "la vida es bella",
        "si, claro",
        "mi casa",
        "por favor",
        "est-ce que tu viens",
        "id card please",
        "vi är här",
        "IT IS LATE",
    ],
)
def test_a_code_that_is_a_word_of_the_text_stays_in_the_text(words: str) -> None:
    assert read(words) == ("", words)


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ("it the train is late", "it", "the train is late"),
        ("it Where is the station?", "it", "Where is the station?"),
        ("it 你好", "it", "你好"),
        ("is 你好", "is", "你好"),
        ("IT is late", "it", "is late"),
        ("IS where is it", "is", "where is it"),
        ("it: is late", "it", "is late"),
        ("is: it is late", "is", "it is late"),
        ("it-IT is late", "it", "is late"),
        ("hi-IN how are you", "hi", "how are you"),
        ("fr-ca see you", "fr", "see you"),
        ("de Where is the station?", "de", "Where is the station?"),
        ("de thanks", "de", "thanks"),
        ("De thanks", "de", "thanks"),
        ("de Ich bin müde", "de", "Ich bin müde"),
        ("es Where is the station?", "es", "Where is the station?"),
        ("en Je ne sais pas", "", "en Je ne sais pas"),  # reads as French throughout
        ("en: Je ne sais pas", "en", "Je ne sais pas"),
        ("en 我不知道", "en", "我不知道"),
        ("no where is the station", "no", "where is the station"),
        ("ja see you tomorrow", "ja", "see you tomorrow"),
        ("el where is the station", "el", "where is the station"),
        ("et good morning", "et", "good morning"),
    ],
)
def test_what_follows_an_ambiguous_code_decides(words: str, code: str, text: str) -> None:
    assert read(words) == (code, text)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("de", "de"),
        ("it", "it"),
        ("is", "is"),
        ("german", "de"),
        ("Simplified Chinese", "zh"),
        ("zh-tw", "zh-Hant"),
        ("to german", "de"),
        ("fr:", "fr"),
    ],
)
def test_alone_in_a_reply_it_is_a_language_whatever_else_it_means(words: str, code: str) -> None:
    assert read(words, quoting=True) == (code, "")


def test_text_typed_in_a_reply_is_still_text() -> None:
    assert read("de Good morning", quoting=True) == ("de", "Good morning")
    assert read("it is late", quoting=True) == ("", "it is late")


@given(st.text(), st.booleans())
def test_nothing_of_the_text_is_lost_or_changed(words: str, quoting: bool) -> None:
    language, text = split(words, quoting=quoting)
    assert words.strip().endswith(text)
    if language is None:
        assert text == words.strip()


@given(st.sampled_from(["french", "zh-TW", "deutsch", "法语", "pt-br", "简体中文"]), st.text())
def test_an_unmistakable_language_leaves_exactly_the_rest(name: str, text: str) -> None:
    language, rest = split(f"{name} \n{text}", quoting=False)
    assert language is not None
    if not text.lstrip().startswith((":", "：", "(")):
        assert rest == text.strip()
