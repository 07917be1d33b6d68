"""The first clawdbot.json: commented, and exactly the defaults plus what was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from clawdcore.config import Config, ProviderConfig, load, parse, template

ENV = {"TELEGRAM_BOT_TOKEN": "1:a", "VLLM_API_KEY": "k"}


def test_without_choices_it_is_the_defaults() -> None:
    text = template()
    assert parse(text, env={}).model_dump() == Config().model_dump()
    assert "//" in text
    assert parse(text, env=ENV).channels.telegram.bot_token == SecretStr("1:a")


def test_what_is_chosen_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("1:b")
    (tmp_path / "token").chmod(0o600)
    text = template(
        model="vllm/Qwen/Qwen2.5-7B",
        base_url="http://vllm:8000/v1",
        api_key_variable="VLLM_API_KEY",
        token_file="token",
        owner=12345,
        plugins=["commands", "chat"],
    )
    (tmp_path / "clawdbot.json").write_text(text, encoding="utf-8")
    config = load(tmp_path / "clawdbot.json", env=ENV)
    assert config.agents.defaults.model.primary == "vllm/Qwen/Qwen2.5-7B"
    assert config.models.providers["vllm"] == ProviderConfig(
        name="vllm", base_urls=["http://vllm:8000/v1"], api_key=SecretStr("k")
    )
    assert config.channels.telegram.bot_token == SecretStr("1:b")
    assert config.channels.telegram.owner == 12345
    assert [plugin.name for plugin in config.plugins] == ["commands", "chat"]
    assert config.notes == ()


@pytest.mark.parametrize(
    "choice",
    [
        {"token_file": 'C:\\new "folder"\\${token}'},
        {"model": "my-server/a", "base_url": "http://a"},
        {"plugins": []},
        {"owner": 1},
    ],
)
def test_unusual_choices_are_written_safely(choice: dict[str, Any], tmp_path: Path) -> None:
    if "token_file" in choice:
        (tmp_path / choice["token_file"]).write_text("1:c")
    config = parse(template(**choice), env={}, file=tmp_path / "clawdbot.json")
    if "token_file" in choice:
        assert config.channels.telegram.bot_token == SecretStr("1:c")


def test_the_commented_keys_load_too() -> None:
    """What stands behind "//" must be right when somebody takes the slashes away."""
    lines = []
    for line in template(model="vllm/q", base_url="http://a").splitlines():
        bare = line.lstrip()
        is_key = bare.startswith("// ") and bare[3:].split(":")[0].isidentifier()
        lines.append(bare[3:] if is_key else line)
    text = (
        "\n".join(lines)
        .replace("provider/model", "llamacpp/q")
        .replace('{ file: "api-key" }', '"k"')
    )
    config = parse(text, env={"TELEGRAM_BOT_TOKEN": "1:a"})
    assert config.channels.telegram.owner == 12345
    assert config.agents.defaults.model.fallbacks == ["llamacpp/q"]
    assert config.models.providers["vllm"].api_key == SecretStr("k")
