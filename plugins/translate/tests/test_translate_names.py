from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.languages import Language, languages
from clawdbot_translate.names import listed, name_in


@pytest.mark.parametrize(
    ("code", "reader", "name"),
    [
        ("de", "fr", "allemand"),
        ("de", "zh-hans", "德语"),
        ("zh", "en", "Simplified Chinese"),
        ("zh-Hant", "en-GB", "Traditional Chinese"),
        ("pt-BR", "pt-br", "português (Brasil)"),
        ("fil", "de", "Filipino"),
        ("de", "", "German"),
        ("de", "xx-unknown", "German"),
        ("de", "ü", "German"),
    ],
)
def test_a_language_has_the_name_that_its_reader_gives_it(
    code: str, reader: str, name: str
) -> None:
    assert name_in(Language.parse(code), reader) == name


def test_the_language_however_it_is_written_has_one_name() -> None:
    assert name_in(Language.parse("zh-Hant"), "en", spoken=True) == "Chinese"


def test_every_language_has_a_name_for_everybody() -> None:
    for reader in ("en", "zh", "ru", "ar", "ja"):
        assert all(name_in(language, reader) for language in languages())


def test_the_list_is_in_the_order_of_the_names() -> None:
    some = [Language.parse(code) for code in ("fr", "de", "ja")]
    assert listed(some, "en") == "French (fr), German (de), Japanese (ja)"
    assert listed(some, "de") == "Deutsch (de), Französisch (fr), Japanisch (ja)"


@given(st.text(max_size=30))
def test_any_tag_that_a_client_reports_gives_a_name(reader: str) -> None:
    assert name_in(Language.parse("de"), reader)
