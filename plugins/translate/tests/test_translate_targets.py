from __future__ import annotations

import pytest

from clawdbot_translate.targets import choose


@pytest.mark.parametrize(
    ("reader", "text", "first", "then"),
    [
        ("en", "Je ne sais pas", "en", "zh"),
        ("en", "明天见", "en", "zh"),
        ("en", "See you at the station", "zh", "en"),
        ("en", "Hello!", "zh", "en"),
        ("en-GB", "The weather is nice", "zh", "en"),
        ("zh-hans", "See you tomorrow", "zh", "en"),
        ("zh-hans", "明天见", "en", "zh"),
        ("zh-TW", "See you tomorrow", "zh-Hant", "en"),
        ("zh-TW", "明天見", "en", "zh-Hant"),
        ("de", "See you tomorrow at the station", "de", "en"),
        ("de", "Wir sehen uns morgen", "en", "de"),
        ("de", "Bahnhof", "de", "en"),  # unknown: an echo will show it
        ("ru", "Привет", "en", "ru"),
        ("ja", "明天见", "ja", "en"),
        ("ja", "また明日", "en", "ja"),
        ("", "Je ne sais pas", "en", "zh"),
        ("xx-unknown", "The bus is late", "zh", "en"),
    ],
)
def test_ones_own_language_and_english_for_what_is_in_it(
    reader: str, text: str, first: str, then: str
) -> None:
    assert [language.code for language in choose(text, reader)] == [first, then]
