"""OpenClaw's names load as ours, with a note; a name and its other name don't."""

from __future__ import annotations

from pathlib import Path

import pytest

from clawdcore.config import Config, ConfigProblems, parse
from clawdcore.config.aliases import ALIASES, Alias
from clawdcore.config.keys import describe
from clawdcore.config.node import path_text


def telegram(text: str) -> Config:
    return parse(f"{{channels: {{telegram: {{{text}}}}}}}", env={})


def only_problem(text: str) -> str:
    with pytest.raises(ConfigProblems) as caught:
        parse(text, env={}, file=Path("clawdbot.json"))
    [problem] = caught.value.problems
    return str(problem)


def test_a_file_written_for_openclaw_loads(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("1:a\n")
    (tmp_path / "token").chmod(0o600)
    config = parse(
        """{
        agents: { defaults: { model: "vllm/qwen", timeoutSeconds: 45, maxConcurrent: 4 } },
        models: { mode: "merge", providers: { vllm: {
          baseUrl: "http://vllm:8000/v1", apiKey: "k", api: "openai-completions",
          models: [{ id: "qwen", name: "Qwen", contextWindow: 8192, maxTokens: 1024 }] } } },
        gateway: { port: 18789, bind: "lan", auth: { password: "hush" } },
        channels: { telegram: {
          tokenFile: "token", dmPolicy: "allowlist", allowFrom: ["tg:12", "telegram:13", "14", 15],
          groups: { "*": { requireMention: true } }, streaming: { mode: "progress" },
          textChunkLimit: 4000, mediaMaxMb: 5,
          webhookUrl: "https://bot.example.org/hook", webhookSecret: "s3", webhookPath: "/hook",
          webhookHost: "0.0.0.0", webhookPort: 8443 } },
        messages: { queue: { mode: "steer", cap: 20 }, inbound: { debounceMs: 2000 } },
        }""",
        env={},
        file=tmp_path / "clawdbot.json",
    )
    model = config.models.providers["vllm"].models[0]
    assert (model.context_length, model.max_output_tokens) == (8192, 1024)
    assert config.agents.defaults.timeout.total == 45_000
    assert config.gateway.host == "0.0.0.0"
    assert config.gateway.auth.token is not None
    assert config.gateway.auth.token.get_secret_value() == "hush"
    channel = config.channels.telegram
    assert channel.bot_token is not None
    assert channel.bot_token.get_secret_value() == "1:a"
    assert channel.allow_from == (12, 13, 14, 15)
    assert (channel.streaming, channel.text_chunk_limit, channel.media_max_mb) == (
        "partial",
        4000,
        5,
    )
    webhook = channel.webhook
    assert webhook.secret is not None
    assert (webhook.url, webhook.secret.get_secret_value()) == (
        "https://bot.example.org/hook",
        "s3",
    )
    assert (webhook.path, webhook.host, webhook.port) == ("/hook", "0.0.0.0", 8443)
    assert config.messages.queue == {"mode": "steer", "cap": 20}
    assert list(config.notes) == [
        "models.providers.vllm.models[0].contextWindow is OpenClaw's name; here it is "
        "contextLength.",
        "models.providers.vllm.models[0].maxTokens is OpenClaw's name; here it is maxOutputTokens.",
        "agents.defaults.timeoutSeconds is OpenClaw's name; here it is "
        "agents.defaults.timeout.total, in milliseconds.",
        "gateway.auth.password is OpenClaw's name; here it is token.",
        "channels.telegram.tokenFile is OpenClaw's name; here it is botToken, as "
        '{ file: "path" }.',
        *(
            f"channels.telegram.webhook{name} is OpenClaw's name; here it is "
            f"channels.telegram.webhook.{name.lower()}."
            for name in ("Url", "Secret", "Path", "Host", "Port")
        ),
        'gateway.bind is OpenClaw\'s name; here it is host: "0.0.0.0".',
        'channels.telegram.streaming.mode is OpenClaw\'s; here it is streaming: "partial" or '
        '"off".',
        'channels.telegram.streaming "progress" is OpenClaw\'s; here it is "partial".',
        "messages.queue is OpenClaw's; here agents.defaults.maxConcurrent and "
        "gateway.requestQueueSize bound what waits.",
        "messages.inbound is OpenClaw's; here agents.defaults.maxConcurrent and "
        "gateway.requestQueueSize bound what waits.",
    ]


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: path_text(alias.old))
def test_every_alias_leads_to_a_key_that_exists_from_one_that_does_not(alias: Alias) -> None:
    assert describe(alias.new) is not None
    assert describe(alias.old) is None


@pytest.mark.parametrize(
    ("bind", "host"),
    [
        ("auto", "127.0.0.1"),
        ("loopback", "127.0.0.1"),
        ("lan", "0.0.0.0"),
        ("0.0.0.0", "0.0.0.0"),
        ("::1", "::1"),
        ("localhost", "localhost"),
    ],
)
def test_bind_is_read_as_a_host(bind: str, host: str) -> None:
    config = parse(f'{{gateway: {{bind: "{bind}"}}}}', env={})
    assert config.gateway.host == host
    assert config.notes == (f'gateway.bind is OpenClaw\'s name; here it is host: "{host}".',)


def test_a_custom_bind_takes_its_address_from_beside_it() -> None:
    config = parse('{gateway: {bind: "custom", customBindHost: "10.0.0.7"}}', env={})
    assert config.gateway.host == "10.0.0.7"


@pytest.mark.parametrize("bind", ['"tailnet"', '"custom"', "5", '"lan "'])
def test_a_bind_without_counterpart_is_refused_with_what_to_write(bind: str) -> None:
    line = only_problem(f"{{gateway: {{bind: {bind}}}}}")
    assert line == (
        'clawdbot.json:1:18: gateway.bind must be one of "auto", "loopback", "lan", or "custom" '
        'with customBindHost. Write the address instead, as host: "127.0.0.1".'
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '{gateway: {\n bind: "lan",\n host: "::" }}',
            "2:2: gateway.bind and gateway.host (line 3) are two names for one thing. "
            "Remove gateway.bind.",
        ),
        (
            '{gateway: {auth: {token: "a", password: "b"}}}',
            "1:31: gateway.auth.password and gateway.auth.token (line 1) are two names for one "
            "thing. Remove gateway.auth.password.",
        ),
        (
            "{agents: {defaults: {timeout: {total: 5000},\n timeoutSeconds: 5}}}",
            "2:2: agents.defaults.timeoutSeconds and agents.defaults.timeout.total (line 1) are "
            "two names for one thing. Remove agents.defaults.timeoutSeconds.",
        ),
    ],
)
def test_a_key_and_its_other_name_in_one_file_are_refused(text: str, line: str) -> None:
    assert only_problem(text) == f"clawdbot.json:{line}"


def test_a_wrong_value_under_an_alias_is_told_by_both_names() -> None:
    assert only_problem("{agents: {defaults: {timeoutSeconds: 'long'}}}") == (
        "clawdbot.json:1:38: agents.defaults.timeoutSeconds must be a whole number from 100 to "
        "3600000, but it is text. Write agents.defaults.timeout.total instead, as total: 60000."
    )


def test_what_stands_in_an_aliass_way_is_reported_and_nothing_else() -> None:
    line = only_problem("{agents: {defaults: {timeout: 5, timeoutSeconds: 5}}}")
    assert "agents.defaults.timeout must be an object" in line


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", "partial"),
        ("false", "off"),
        ('"off"', "off"),
        ('"partial"', "partial"),
        ('"block"', "partial"),
        ('"progress"', "partial"),
        ('{ mode: "off" }', "off"),
        ("{ mode: true }", "partial"),
    ],
)
def test_streaming_takes_openclaws_values(written: str, value: str) -> None:
    config = telegram(f"streaming: {written}")
    assert config.channels.telegram.streaming == value
    plain = written in ('"off"', '"partial"')
    assert bool(config.notes) is not plain


def test_what_streaming_cannot_do_here_is_told() -> None:
    line = only_problem(
        '{channels: {telegram: {streaming: {mode: "partial", preview: {toolProgress: true}}}}}'
    )
    assert "channels.telegram.streaming.preview is OpenClaw's" in line
    assert 'Write streaming: "partial" or "off".' in line


def test_an_alias_in_an_unset_variable_keeps_its_name() -> None:
    config = telegram('webhookUrl: "${URL}"')
    assert config.channels.telegram.webhook.url is None
    assert "channels.telegram.webhookUrl needs the environment variable URL" in config.notes[1]


def test_seconds_come_from_variables_too() -> None:
    text = '{agents: {defaults: {timeoutSeconds: "${S}"}}}'
    assert parse(text, env={"S": "20"}).agents.defaults.timeout.total == 20_000
