"""Showing a configuration: all of it, and no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clawdcore.config import Config, parse, show
from clawdcore.config.keys import leaf_keys

SECRETS = (
    "tok-1",
    "key-2",
    "gate-3",
    "hook-4",
    "opt-5",
    "opt-6",
    "opt-7",
    "pw-8",
    "opt-9",
    "env-0",
)
FULL = """{
  agents: { defaults: { model: { primary: "vllm/q", fallbacks: ["llamacpp/a"] } } },
  models: { providers: { vllm: { baseUrl: "https://user:pw-8@vllm/v1", apiKey: "key-2",
    models: [{ id: "q", contextLength: 8192 }],
    options: { threads: 4, Authorization: "opt-9" } } } },
  gateway: { auth: { token: "gate-3" } },
  channels: { telegram: { botToken: "tok-1", owner: 5, allowFrom: ["@ada"],
    groups: { "-7": { allowFrom: [8] } },
    webhook: { url: "https://bot.example.org/x", secret: "hook-4" } } },
  plugins: ["ocr", { name: "chat", options: {
    systemPrompt: "Be brief.", maxTokens: 9, apiKey: "opt-5",
    google: { credentials: { a: "opt-6" } }, tokens: ["opt-7"], url: "${URL}" } }],
}"""


@pytest.fixture
def config() -> Config:
    return parse(FULL, env={"URL": "https://env-0"})


def shown(config: Config, **how: bool) -> Any:
    return json.loads(show(config, **how))


def test_no_secret_is_shown(config: Config) -> None:
    for text in (show(config), show(config, sources=True), repr(config), str(config)):
        for secret in SECRETS:
            assert secret not in text
    options = shown(config)["plugins"][1]["options"]
    assert options == {
        "systemPrompt": "Be brief.",
        "maxTokens": 9,
        "apiKey": "***",
        "google": {"credentials": {"a": "***"}},
        "tokens": ["***"],
        "url": "***",
    }
    provider = shown(config)["models"]["providers"]["vllm"]
    assert provider["apiKey"] == "***"
    assert provider["baseUrls"] == ["https://***@vllm/v1"]
    assert provider["options"] == {"threads": 4, "Authorization": "***"}


def test_what_is_not_set_is_shown_as_not_set() -> None:
    telegram = shown(parse("{}", env={}))["channels"]["telegram"]
    assert telegram["botToken"] is None
    assert telegram["webhook"]["secret"] is None


def test_every_default_is_shown() -> None:
    everything = shown(parse('{ plugins: [{ name: "p" }] }', env={}))
    for key in leaf_keys():
        value = everything
        if "<" in key.path or "models[]" in key.path or "clients[]" in key.path:
            continue
        for step in key.steps:
            value = value[0] if step == "[]" else value[step]
    assert everything["channels"]["telegram"]["textChunkLimit"] == 4096
    assert everything["models"]["providers"]["llamacpp"]["models"] == []
    assert everything["agents"]["defaults"]["workspace"] == str(Config().workspace_path)


def test_what_is_shown_unredacted_loads_as_the_same_configuration(config: Config) -> None:
    again = parse(show(config, redact=False), env={})
    workspace = {"agents": {"defaults": {"workspace"}}}
    assert again.model_dump(exclude=workspace) == config.model_dump(exclude=workspace)
    assert show(again, redact=False) == show(config, redact=False)


def test_sources_tell_what_is_no_default() -> None:
    config = parse(
        """{ channels: { telegram: { owner: 5 } },
             agents: { defaults: { model: "llamacpp/${M}" } } }""",
        env={"M": "q", "TELEGRAM_BOT_TOKEN": "1:a"},
    )
    both = shown(config, sources=True)
    assert both["config"]["channels"]["telegram"]["owner"] == 5
    assert both["sources"] == {
        "channels.telegram.owner": "file",
        "channels.telegram.botToken": "env",
        "agents.defaults.model.primary": "env",
    }
