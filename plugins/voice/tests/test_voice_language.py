from __future__ import annotations

from typing import Any

import pytest

from clawdbot_voice.languages import HEARD, name_of, spoken
from clawdbot_voice.speech import Heard
from clawdcore.testing import Group, User

GROUP = Group()
HOLA = Heard("Hola.", "es", 1, 1)
LI = User(7, "Li", language="zh-hans")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("es-MX", "es"),
        ("pt_BR", "pt"),
        ("Spanish", "es"),
        ("haitian  creole", "ht"),
        ("jw", "jv"),
        ("iw", "he"),
        ("cantonese", "yue"),
    ],
)
def test_codes_and_english_names(words: str, code: str) -> None:
    assert spoken(words, "fr") == code


@pytest.mark.parametrize(
    ("words", "reader"), [("西班牙语", "zh-hans"), ("espagnol", "fr"), ("Español", "es")]
)
def test_names_in_the_readers_own_language(words: str, reader: str) -> None:
    assert spoken(words, reader) == "es"


@pytest.mark.parametrize("words", ["foo", "xx", "please", "es fr", "-", "klingon"])
def test_what_is_none_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="no language"):
        spoken(words, "en")


def test_every_language_is_found_under_the_name_that_we_show() -> None:
    for reader in ("en", "zh-hans"):
        wrong = {code for code in HEARD if spoken(name_of(code, reader), reader) != code}
        assert wrong == set()


def test_whisper_models_know_the_languages_and_no_others() -> None:
    tokenizer = pytest.importorskip("faster_whisper.tokenizer")
    assert {"jv" if code == "jw" else code for code in tokenizer._LANGUAGE_CODES} == HEARD


def test_the_language_after_the_command_goes_to_the_engine(make_bot: Any, fake_engine: Any) -> None:
    engine = fake_engine(HOLA)
    bot = make_bot(engine, language="de")
    bot.say(voice=b"OggS", chat=GROUP)
    assert bot.say("/transcribe Spanish", chat=GROUP, reply_to=bot.said[0]).endswith("Hola.")
    bot.say("/transcribe", chat=GROUP, reply_to=bot.said[0])
    bot.say("/transcribe 法语", audio=b"ID3", chat=GROUP, sender=LI)
    assert [each.language for each in engine.recordings] == ["es", "de", "fr"]


def test_what_is_no_language_is_answered_with_usage_and_example(
    make_bot: Any, fake_engine: Any
) -> None:
    engine = fake_engine(HOLA)
    bot = make_bot(engine)
    bot.say(voice=b"OggS", chat=GROUP)
    answer = bot.say("/transcribe foo", chat=GROUP, reply_to=bot.said[0])
    what, usage, example = answer.splitlines()
    assert "no language of that name" in what
    assert usage == "Usage: /transcribe [language…]"
    assert example == "Example: /transcribe es"
    assert engine.recordings == []
    chinese = bot.say("/transcribe foo", chat=GROUP, reply_to=bot.said[0], sender=LI)
    assert not chinese.splitlines()[0].isascii()
