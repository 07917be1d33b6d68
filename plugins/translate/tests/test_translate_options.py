from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

import clawdbot_translate
from clawdbot_translate.options import TranslateOptions
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
    ],
)
def test_wrong_options_are_refused_without_quoting_them(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        TranslateOptions.model_validate(options)
    assert "input_value" not in str(caught.value)


def test_a_misspelt_option_disables_the_plugin_and_says_so() -> None:
    config = {"plugins": [{"name": "translate", "options": {"maxCharacter": 5}}]}
    with Harness([clawdbot_translate], config=config) as bot:
        assert "did you mean 'maxCharacters'" in str(bot.report.disabled["translate"])
