"""What one key says of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from clawdcore.config import ConfigProblems, parse


def problem(text: str) -> str:
    with pytest.raises(ConfigProblems) as caught:
        parse(text, env={}, file=Path("clawdbot.json"))
    [only] = caught.value.problems
    return str(only)


def notes(text: str) -> tuple[str, ...]:
    return parse(text, env={}).notes


def telegram(text: str) -> str:
    return f"{{channels: {{telegram: {{{text}}}}}}}"


def test_a_plugin_listed_twice_is_told_with_both_lines() -> None:
    assert problem('{ plugins: [\n "chat",\n "ocr",\n { name: "chat", enabled: false },\n] }') == (
        'clawdbot.json:4:10: plugins[2] lists "chat" again; the first is in line 2. '
        "Remove one of them."
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '{ agents: { defaults: { model: "vlm/a" } }, '
            'models: { providers: { vllm: { baseUrl: "http://a" } } } }',
            'clawdbot.json:1:32: agents.defaults.model names the provider "vlm", which is not '
            'configured; did you mean "vllm"? '
            "Add it to models.providers, or use one of: vllm, llamacpp.",
        ),
        (
            '{ agents: { defaults: { model: { fallbacks: ["llamacpp/a", "openai/b"] } } } }',
            'clawdbot.json:1:60: agents.defaults.model.fallbacks[1] names the provider "openai", '
            "which is not configured. Add it to models.providers, or use one of: llamacpp.",
        ),
        (
            '{ models: { mode: "replace", providers: { vllm: { baseUrl: "http://a" } } }, '
            'agents: { defaults: { model: "llamacpp/a" } } }',
            'clawdbot.json:1:107: agents.defaults.model names the provider "llamacpp", which is '
            'not configured. Put it under models.providers; models.mode is "replace".',
        ),
        (
            '{ models: { mode: "replace" } }',
            'clawdbot.json:1:19: models.mode is "replace", and the default model '
            "llamacpp/qwen2.5-1.5b-instruct is of no provider of yours. "
            "Set agents.defaults.model.primary to a model of one of your providers.",
        ),
    ],
)
def test_a_model_needs_a_provider_that_exists(text: str, line: str) -> None:
    assert problem(text) == line


def test_a_configured_or_built_in_provider_will_do() -> None:
    assert not notes(
        '{ agents: { defaults: { model: { primary: "mine/a/b:c", fallbacks: ["llamacpp/q"] } } }, '
        "models: { providers: { mine: {} } } }"
    )


def test_a_model_that_its_provider_does_not_list_is_noted() -> None:
    text = (
        '{ agents: { defaults: { model: "vllm/Qwen-7b" } }, models: { providers: { vllm: %s } } }'
    )
    assert notes(text % '{ models: [{ id: "Qwen-7B" }] }') == (
        "agents.defaults.model is \"vllm/Qwen-7b\", which its provider's models don't list; "
        'did you mean "Qwen-7B"?',
    )
    assert not notes(text % '{ models: [{ id: "Qwen-7b" }] }')
    assert not notes(text % "{}"), "without a list the server is asked"


def test_an_empty_list_of_people_in_a_group_is_refused() -> None:
    line = problem(telegram('groups: { "*": { allowFrom: [] } }'))
    assert 'channels.telegram.groups["*"].allowFrom lists nobody. Name somebody' in line


def test_naming_people_closes_private_chats_to_others() -> None:
    config = parse(telegram('allowFrom: [5, "@Ada"]'), env={})
    assert config.channels.telegram.dm_policy == "allowlist"
    assert config.channels.telegram.allow_from == (5, "@ada")
    assert config.notes == (
        'channels.telegram.dmPolicy is "allowlist", because allowFrom is given.',
    )
    assert parse(telegram('allowFrom: ["*"]'), env={}).channels.telegram.dm_policy == "open"
    assert parse(telegram("allowFrom: []"), env={}).channels.telegram.dm_policy == "allowlist"


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ('dmPolicy: "open", allowFrom: [5]', True),
        ('dmPolicy: "disabled", allowFrom: [5]', True),
        ('dmPolicy: "open", allowFrom: ["*"]', False),
        ('dmPolicy: "allowlist", allowFrom: [5]', False),
    ],
)
def test_people_without_effect_are_noted(text: str, noted: bool) -> None:
    assert any("allowFrom has no effect" in note for note in notes(telegram(text))) is noted


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            'webhook: { url: "http://a", secret: "s" }',
            "channels.telegram.webhook.url must begin with https://",
        ),
        ('webhookUrl: "http://a", webhookSecret: "s"', "webhookUrl must begin with https://"),
    ],
)
def test_a_webhook_needs_https(text: str, what: str) -> None:
    assert what in problem(telegram(text))


def test_a_bot_api_server_of_ones_own_takes_http() -> None:
    config = parse(
        telegram('apiRoot: "http://localhost:8081", webhook: { url: "http://a" }'),
        env={},
    )
    assert config.channels.telegram.webhook.url == "http://a"


def test_a_webhook_without_address_is_noted() -> None:
    assert "the bot polls" in notes(telegram("webhook: { port: 80 }"))[0]
