from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clawdbot_translate import Translate
from clawdbot_translate.options import (
    GoogleOptions,
    LibreTranslateOptions,
    TranslateOptions,
)
from clawdcore.testing import Harness


def test_without_options_the_primary_model_translates() -> None:
    assert TranslateOptions.model_validate({}).model == ""


@pytest.mark.parametrize(
    "options",
    [
        {"model": "no-slash"},
        {"model": "a/ b"},
        {"maxCharacters": 0},
        {"maxCharacters": "100"},
        {"max_characters": 100},
        {"engine": "google"},
        {"engines": ["bing"]},
        {"engines": []},
        {"engines": ["model", "model"]},
        {"libretranslate": {}},
        {"libretranslate": {"url": "localhost:5000"}},
        {"libretranslate": {"url": "http://ada:secret@localhost"}},
        {"libretranslate": {"url": "http://localhost", "timeout": 0}},
        {"google": {"endpoint": "localhost"}},
    ],
)
def test_wrong_options_are_refused_without_quoting_them(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        TranslateOptions.model_validate(options)
    assert "input_value" not in str(caught.value)


def test_a_misspelt_option_disables_the_plugin_and_says_so() -> None:
    config = {"plugins": [{"name": "translate", "options": {"maxCharacter": 5}}]}
    with Harness([Translate], config=config) as bot:
        assert "did you mean 'maxCharacters'" in str(bot.report.disabled["translate"])


def test_engines_that_are_not_configured_disable_the_plugin_and_say_what_to_add() -> None:
    config = {"plugins": [{"name": "translate", "options": {"engines": ["google"]}}]}
    with Harness([Translate], config=config) as bot:
        assert 'Add "model" to it' in str(bot.report.disabled["translate"])


def test_network_engines_are_off_until_they_have_a_section() -> None:
    options = TranslateOptions.model_validate({})
    assert options.libretranslate is None and options.google is None


def test_a_key_is_never_shown() -> None:
    options = TranslateOptions.model_validate({"google": {"apiKey": "s3cret"}})
    assert "s3cret" not in repr(options)


def test_every_option_is_documented() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    sections = {"libretranslate": LibreTranslateOptions, "google": GoogleOptions}
    for name, field in TranslateOptions.model_fields.items():
        assert field.description and f"| `{field.alias}` |" in readme, name
        for inner in sections[name].model_fields.values() if name in sections else ():
            assert inner.description and f"| `{name}.{inner.alias}` |" in readme, inner.alias
