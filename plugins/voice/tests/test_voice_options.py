from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clawdbot_voice import Voice
from clawdbot_voice.options import VoiceOptions
from clawdcore.testing import Harness

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize(
    "options",
    [
        {"engines": []},
        {"engines": ["whisper"]},
        {"engines": ["faster-whisper", "faster-whisper"]},
        {"engines": ["server"]},
        {"engines": ["faster-whisper", "openai-whisper"], "modelPath": "/models/base"},
        {"model": "huge"},
        {"serverModel": "no-slash"},
        {"language": "English"},
        {"language": "xx"},
        {"language": "xx", "engines": ["server", "faster-whisper"], "serverModel": "a/b"},
        {"maxSeconds": 0},
        {"line": -1},
        {"max_seconds": 5},
    ],
)
def test_wrong_options_are_refused_without_quoting_them(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        VoiceOptions.model_validate(options)
    assert "input_value" not in str(caught.value)


def test_a_server_may_know_languages_that_whisper_does_not() -> None:
    asked = {"language": "nv", "engines": ["server"], "serverModel": "a/b"}
    assert VoiceOptions.model_validate(asked).language == "nv"
    assert VoiceOptions.model_validate({"language": "jw"}).language == "jw"


def test_a_misspelt_option_disables_the_plugin_and_says_so() -> None:
    config = {"plugins": [{"name": "voice", "options": {"maxSecond": 5}}]}
    with Harness([Voice()], config=config) as bot:
        assert "did you mean 'maxSeconds'" in str(bot.report.disabled["voice"])


def test_every_option_is_described_and_in_the_readme() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", README.read_text("utf-8"), re.MULTILINE))
    fields = VoiceOptions.model_fields
    assert {field.alias for field in fields.values()} <= documented
    assert all(field.description for field in fields.values())
