"""The plugin's options as clawdbot.json gives them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from clawdbot_chat import Chat, ChatOptions
from clawdcore.testing import Harness


def test_all_options_load_under_their_names_in_the_file() -> None:
    options = ChatOptions.model_validate(
        {
            "systemPrompt": "Be kind.",
            "maxTokens": 100,
            "temperature": None,
            "sessions": 5,
            "idleMinutes": 1.5,
            "historyTokens": 2000,
            "summarySeconds": 0,
            "tools": False,
        }
    )
    assert options == ChatOptions(
        systemPrompt="Be kind.",
        maxTokens=100,
        temperature=None,
        sessions=5,
        idleMinutes=1.5,
        historyTokens=2000,
        summarySeconds=0,
        tools=False,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"maxTokens": 0},
        {"maxTokens": "512"},
        {"temperature": 3},
        {"sessions": 0},
        {"idleMinutes": 0},
        {"historyTokens": 1},
        {"summarySeconds": -1},
        {"max_tokens": 10},
    ],
)
def test_a_wrong_option_disables_the_plugin_and_is_named(wrong: dict[str, Any]) -> None:
    config = {"plugins": [{"name": "chat", "options": wrong}]}
    with Harness([Chat()], config=config) as bot:
        assert f"options.{next(iter(wrong))}" in str(bot.report.disabled["chat"])
        assert "maxTokens" in str(bot.report.disabled["chat"])


def test_an_error_does_not_quote_the_value() -> None:
    with pytest.raises(ValidationError) as raised:
        ChatOptions.model_validate({"maxTokens": "a secret"})
    assert "secret" not in str(raised.value)
