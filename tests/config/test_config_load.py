"""Finding the file, reading it, and what comes out: defaults, notes, sources."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawdcore.config import (
    Config,
    ModelConfig,
    PluginConfig,
    ProviderConfig,
    load,
    parse,
    show,
)
from clawdcore.config.aliases import ALIASES
from clawdcore.config.keys import all_keys
from clawdcore.config.node import Loc
from clawdcore.errors import ConfigError, ConfigSyntaxError

# The example of the design, as it stands in deployed files.
EXAMPLE = """\
{
  agents: { defaults: {
    model: { primary: "vllm/Qwen2.5-7B-Instruct", fallbacks: ["llamacpp/qwen2.5-1.5b-instruct"] },
    workspace: "/app/workspace",
    compaction: { mode: "safeguard" },          // or "default"
    maxConcurrent: 8,                            // messages in a plugin's hands at once
    subagents: { maxConcurrent: 16 },            // work that messages start: OCR, voice, tools
    timeout: { request: 30000, total: 60000 },   // ms; media has its own, longer deadline
  } },
  models: { mode: "merge", providers: { vllm: {
    baseUrl: "http://vllm:8000/v1",              // or baseUrls: [...] for replicas
    apiKey: "sk-local",
    api: "openai-responses",                     // or "openai-completions"
    models: [ { id: "Qwen2.5-7B-Instruct", name: "Qwen2.5-7B-Instruct",
                contextLength: 8192, maxOutputTokens: 2048 } ],
  } } },
  gateway: { port: 18780, host: "0.0.0.0", maxConcurrentRequests: 32, requestQueueSize: 128,
             auth: { token: "${CLAWDBOT_TOKEN}" } },
  channels: { telegram: { botToken: "${TELEGRAM_BOT_TOKEN}", apiRoot: "…", owner: 12345,
                          dmPolicy: "open", groups: { "*": { requireMention: true } } } },
  plugins: ["translate", "ocr", "voice", "commands", "burn",
            { name: "chat", options: { systemPrompt: "…" }, budget: { seconds: 30 } }],
}
"""


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home" / "state"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def test_no_file_at_all_is_a_valid_configuration(nowhere: Path) -> None:
    config = load(env={})
    assert config == Config()
    assert config.file is None
    assert config.notes == ()
    assert config.agents.defaults.model.primary == "llamacpp/qwen2.5-1.5b-instruct"
    assert [plugin.name for plugin in config.plugins] == ["chat", "translate"]
    assert list(config.models.providers) == ["llamacpp"]
    assert config.channels.telegram.bot_token is None
    assert config.channels.telegram.api_root == "https://api.telegram.org"
    assert config.workspace_path == platformdirs.user_state_path("clawdbot")
    assert list(nowhere.rglob("*")) == [nowhere / "work"], "loading must not make folders"


def test_the_file_in_the_working_directory_wins_over_the_users(nowhere: Path) -> None:
    users = platformdirs.user_config_path("clawdbot") / "clawdbot.json"
    users.parent.mkdir(parents=True)
    users.write_text("{ agents: { defaults: { maxConcurrent: 2 } } }")
    assert load(env={}).agents.defaults.max_concurrent == 2
    assert load(env={}).file == users

    Path("clawdbot.json").write_text("{ agents: { defaults: { maxConcurrent: 3 } } }")
    assert load(env={}).agents.defaults.max_concurrent == 3
    assert load(env={}).file == nowhere / "work" / "clawdbot.json"


def test_errors_name_the_file_as_it_is_seen_from_the_working_directory(nowhere: Path) -> None:
    Path("clawdbot.json").write_text("{\n  a: 1\n  b: 2 }")
    with pytest.raises(ConfigSyntaxError) as caught:
        load(env={})
    assert caught.value.where == "clawdbot.json:2:7"
    elsewhere = nowhere / "other.json"
    elsewhere.write_text("{ plugins: 5 }")
    with pytest.raises(ConfigError) as caught_value:
        load(elsewhere, env={})
    assert caught_value.value.where == f"{elsewhere}:1:12"


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("missing.json", "there is no such file", "clawdbot init"),
        (".", "this is a folder", "clawdbot.json"),
        ("x\0y", "can't be read", "Correct the path"),
        ("x" * 5000, "can't be read", "Correct the path"),
    ],
)
def test_a_named_file_that_cannot_be_read_is_an_error(
    nowhere: Path, name: str, what: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(nowhere / name, env={})
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_the_example_of_the_design_loads_as_written(nowhere: Path) -> None:
    Path("clawdbot.json").write_text(EXAMPLE, encoding="utf-8")
    config = load(env={"TELEGRAM_BOT_TOKEN": "1:token", "CLAWDBOT_TOKEN": "gate"})

    defaults = config.agents.defaults
    assert defaults.model.primary == "vllm/Qwen2.5-7B-Instruct"
    assert defaults.model.fallbacks == ["llamacpp/qwen2.5-1.5b-instruct"]
    assert config.workspace_path == Path("/app/workspace")
    assert defaults.compaction.mode == "safeguard"
    assert (defaults.max_concurrent, defaults.subagents.max_concurrent) == (8, 16)
    assert (defaults.timeout.request, defaults.timeout.total) == (30_000, 60_000)

    provider = config.models.providers["vllm"]
    assert (provider.name, provider.base_urls) == ("vllm", ["http://vllm:8000/v1"])
    assert provider.api_key is not None
    assert provider.api_key.get_secret_value() == "sk-local"
    assert provider.api == "openai-responses"
    assert provider.models == [
        ModelConfig(
            id="Qwen2.5-7B-Instruct",
            name="Qwen2.5-7B-Instruct",
            context_length=8192,
            max_output_tokens=2048,
        )
    ]
    assert list(config.models.providers) == ["vllm", "llamacpp"]

    gateway = config.gateway
    assert (gateway.port, gateway.host) == (18780, "0.0.0.0")
    assert (gateway.max_concurrent_requests, gateway.request_queue_size) == (32, 128)
    assert gateway.auth.token is not None
    assert gateway.auth.token.get_secret_value() == "gate"

    telegram = config.channels.telegram
    assert telegram.bot_token is not None
    assert telegram.bot_token.get_secret_value() == "1:token"
    assert (telegram.owner, telegram.dm_policy) == (12345, "open")
    assert telegram.groups["*"].require_mention
    assert telegram.api_root == "https://api.telegram.org"

    names = [plugin.name for plugin in config.plugins]
    assert names == ["translate", "ocr", "voice", "commands", "burn", "chat"]
    assert config.plugins[-1].options == {"systemPrompt": "…"}
    assert config.plugins[-1].budget.seconds == 30
    assert config.notes == (
        'channels.telegram.apiRoot is not filled in; the default "https://api.telegram.org" '
        "is used.",
    )


def test_the_example_loads_without_any_variable_too(nowhere: Path) -> None:
    config = parse(EXAMPLE, env={})
    assert config.gateway.auth.token is None
    assert config.channels.telegram.bot_token is None
    assert any("CLAWDBOT_TOKEN" in note for note in config.notes)


def test_the_token_of_the_environment_fills_a_gap_only() -> None:
    env = {"TELEGRAM_BOT_TOKEN": " 1:env\n"}

    def token(text: str, env: dict[str, str] = env) -> str | None:
        found = parse(text, env=env).channels.telegram.bot_token
        return None if found is None else found.get_secret_value()

    assert token("{}") == "1:env"
    assert token("{channels: {telegram: {botToken: null}}}") == "1:env"
    assert token('{channels: {telegram: {botToken: "1:file"}}}') == "1:file"
    assert token('{channels: {telegram: {botToken: "${OTHER}"}}}') == "1:env"
    assert token('{channels: {telegram: {botToken: "…"}}}') == "1:env"
    assert token('{channels: {telegram: {botToken: "${OTHER}"}}}', env | {"OTHER": "o"}) == "o"
    assert token("{}", {}) is None


def test_a_wrong_token_of_the_environment_is_named_after_its_variable() -> None:
    with pytest.raises(ConfigError, match="TELEGRAM_BOT_TOKEN holds a space") as caught:
        parse("{}", env={"TELEGRAM_BOT_TOKEN": "1:se cret"})
    assert "se cret" not in str(caught.value)


def test_a_relative_workspace_starts_from_the_folder_of_the_file(nowhere: Path) -> None:
    (nowhere / "etc").mkdir()
    file = nowhere / "etc" / "clawdbot.json"
    file.write_text('{ agents: { defaults: { workspace: "state" } } }')
    assert load(file, env={}).workspace_path == nowhere / "etc" / "state"
    file.write_text('{ agents: { defaults: { workspace: "~/state" } } }')
    assert load(file, env={}).workspace_path == nowhere / "home" / "state"


def test_short_forms_are_written_out() -> None:
    config = parse(
        """{ agents: { defaults: { model: "vllm/a" } }, "$schema": "./schema.json",
        models: { providers: { vllm: { baseUrl: "http://a/v1/", baseUrls: ["http://b"] } } },
        plugins: ["chat", { name: "ocr", enabled: false }] }""",
        env={},
    )
    assert config.agents.defaults.model.primary == "vllm/a"
    assert config.models.providers["vllm"].base_urls == ["http://a/v1", "http://b"]
    assert config.plugins == [PluginConfig(name="chat"), PluginConfig(name="ocr", enabled=False)]


@pytest.mark.parametrize(
    ("given_", "request_ms", "total_ms"),
    [
        ("{}", 30_000, 60_000),
        ("{total: 10000}", 10_000, 10_000),
        ("{request: 90000}", 90_000, 90_000),
        ("{request: 5000}", 5000, 60_000),
        ("{request: 5000, total: 6000}", 5000, 6000),
    ],
)
def test_one_timeout_makes_room_for_the_other(given_: str, request_ms: int, total_ms: int) -> None:
    timeout = parse(
        f"{{agents: {{defaults: {{timeout: {given_}}}}}}}", env={}
    ).agents.defaults.timeout
    assert (timeout.request, timeout.total) == (request_ms, total_ms)


def test_replace_leaves_the_built_in_provider_out() -> None:
    config = parse(
        """{ models: { mode: "replace", providers: { vllm: { baseUrl: "http://a" } } },
        agents: { defaults: { model: "vllm/a" } } }""",
        env={},
    )
    assert list(config.models.providers) == ["vllm"]


def test_a_configured_built_in_provider_stays_as_configured() -> None:
    config = parse("{ models: { providers: { llamacpp: { options: { threads: 4 } } } } }", env={})
    assert config.models.providers == {
        "llamacpp": ProviderConfig(name="llamacpp", options={"threads": 4})
    }


def test_each_value_knows_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k")
    (tmp_path / "key").chmod(0o600)
    config = parse(
        """{ agents: { defaults: { model: "vllm/a" } },
        models: { providers: { vllm: { baseUrl: "${URL}", apiKey: { file: "key" } } } },
        plugins: ["chat"] }""",
        env={"URL": "http://a", "TELEGRAM_BOT_TOKEN": "1:a"},
        file=tmp_path / "clawdbot.json",
    )
    assert config.provenance.sources == {
        ("agents", "defaults", "model", "primary"): "file",
        ("models", "providers", "vllm", "apiKey"): "secret file",
        ("models", "providers", "vllm", "baseUrls"): "file",
        ("models", "providers", "vllm", "baseUrls", 0): "env",
        ("channels", "telegram", "botToken"): "env",
        ("plugins", 0, "name"): "file",
    }


def test_a_configuration_is_frozen_and_travels_between_processes() -> None:
    config = parse(EXAMPLE, env={"TELEGRAM_BOT_TOKEN": "1:a"})
    with pytest.raises(ValueError, match="frozen"):
        config.gateway.port = 1
    again = pickle.loads(pickle.dumps(config))
    assert again == config
    assert again.notes == config.notes


def test_a_normal_file_loads_in_no_time() -> None:
    parse(EXAMPLE, env={})
    start = time.process_time()
    for _ in range(10):
        parse(EXAMPLE, env={})
    assert (time.process_time() - start) / 10 < 0.05


WORDS = st.sampled_from(
    sorted(
        {key.name for key in all_keys()}
        | {str(alias.old[-1]) for alias in ALIASES}
        | {"baseUrl", "bind", "customBindHost", "file", "vllm", "*"}
    )
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["${A}", "${B}", "$${", "${", "…", "a/b", "vllm/x", "*", "custom", "http://["]
    )
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)


def outcome(text: str) -> str:
    """Why ``text`` can't be used, or "" after showing what it gives."""
    try:
        show(parse(text, env={"A": "1", "TELEGRAM_BOT_TOKEN": "t"}))
    except ConfigError as error:
        return str(error)
    return ""


def nested(steps: Loc, value: object) -> object:
    """``value`` at the place that ``steps`` describes, in an otherwise empty file."""
    names = {"<name>": "vllm", "<chat id>": "*"}
    for step in reversed(steps):
        value = [value] if step == "[]" else {names.get(str(step), str(step)): value}
    return value


PLACES = st.sampled_from([key.steps for key in all_keys()])


@settings(max_examples=200, deadline=None)
@given(PLACES, VALUES)
def test_any_values_load_or_are_refused_line_by_line(steps: Loc, value: object) -> None:
    for line in outcome(json.dumps(nested(steps, value))).splitlines():
        assert line.isprintable()
