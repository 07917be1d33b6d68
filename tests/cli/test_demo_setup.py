"""The demo's configuration: from a real one, with a Telegram of its own and no secret in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clawdcore import config as configuration
from clawdcore.cli.demo_setup import Settings, load
from clawdcore.errors import ConfigValueError

REAL = """{
  agents: { defaults: { model: "vllm/big", workspace: "/srv/bot", timeout: { total: 90000 } } },
  models: { providers: { vllm: {
    baseUrl: "http://ada:hunter22@gpu:8000/v1", apiKey: "${KEY}",
    options: { note: "costs $${5}", proxyToken: "opt-secret" },
  } } },
  gateway: { auth: { token: "gate-secret" } },
  channels: { telegram: { botToken: "123:real-secret", owner: 5, dmPolicy: "disabled" } },
  plugins: ["chat", { name: "x", options: { prompt: "Be kind.", apiKey: "plug-secret" } }],
}"""
SECRETS = ("hunter22", "key-secret", "opt-secret", "gate-secret", "real-secret", "plug-secret")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KEY", "key-secret")
    file = tmp_path / "real.json"
    file.write_text(REAL)
    return load(file, None)


def parsed(settings: Settings) -> configuration.Config:
    text = settings.written("http://127.0.0.1:9", Path("/demo/workspace"))
    return configuration.parse(text, env=settings.environment({}))


def test_models_and_plugins_are_those_of_the_file(settings: Settings) -> None:
    config = parsed(settings)
    vllm = config.models.providers["vllm"]
    assert config.agents.defaults.model.primary == settings.model == "vllm/big"
    assert vllm.base_urls == ["http://ada:hunter22@gpu:8000/v1"]
    assert vllm.api_key is not None
    assert vllm.api_key.get_secret_value() == "key-secret"
    assert vllm.options == {"note": "costs ${5}", "proxyToken": "opt-secret"}
    assert [plugin.name for plugin in config.plugins] == ["chat", "x"]
    assert config.plugins[1].options == {"prompt": "Be kind.", "apiKey": "plug-secret"}
    assert config.inert_keys_set() == []
    assert settings.timeout == 105.0


def test_telegram_and_the_workspace_are_the_demos_own(settings: Settings) -> None:
    config = parsed(settings)
    telegram = config.channels.telegram
    assert telegram.api_root == "http://127.0.0.1:9"
    assert telegram.bot_token is not None
    assert telegram.bot_token.get_secret_value() == "1:DEMO"
    assert telegram.dm_policy == "open"
    assert telegram.groups["*"].require_mention
    assert config.workspace_path == Path("/demo/workspace")


def test_no_secret_is_in_the_file(settings: Settings) -> None:
    text = settings.written("http://127.0.0.1:9", Path("/demo"))
    assert [secret for secret in SECRETS if secret in text] == []


def test_the_bot_reaches_the_local_server_directly_and_has_no_real_token(
    settings: Settings,
) -> None:
    env: dict[str, Any] = settings.environment(
        {"TELEGRAM_BOT_TOKEN": "123:real", "HTTPS_PROXY": "http://proxy", "NO_PROXY": "corp"}
    )
    assert "TELEGRAM_BOT_TOKEN" not in env
    assert env["HTTPS_PROXY"] == "http://proxy"
    assert env["no_proxy"] == env["NO_PROXY"] == "corp,127.0.0.1,localhost"


def test_without_a_file_the_defaults_act() -> None:
    settings = load(None, None)
    assert parsed(settings).plugins == configuration.Config().plugins
    assert settings.model == configuration.DEFAULT_MODEL
    # But an embedded model without a GPU gets more time than a chat should take.
    assert settings.timeout > configuration.Config().agents.defaults.timeout.total / 1000 + 60


def test_a_model_inside_the_bot_is_loaded_by_its_name() -> None:
    config = parsed(load(None, "llamacpp/small"))
    assert config.agents.defaults.model.primary == "llamacpp/small"
    assert [model.id for model in config.models.providers["llamacpp"].models] == ["small"]


@pytest.mark.parametrize("model", ["small", "other/small"])
def test_a_model_that_can_not_be_is_refused_by_name(model: str) -> None:
    with pytest.raises(ConfigValueError, match=r"^--model: "):
        load(None, model)
