"""Environment variables in text, and what happens where one is not set."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawdcore.config import Config, ConfigProblems, parse
from clawdcore.errors import ConfigError

ENV = {"A": "ah", "EMPTY": "", "N": "9", "YES": "true"}


def options(text: str, env: dict[str, str] | None = None) -> Any:
    config = parse(f"{{plugins: [{{name: 'p', options: {text}}}]}}", env=env or ENV)
    return config.plugins[0].options


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${A}", "ah"),
        ("x${A}y${N}", "xahy9"),
        ("$${A}", "${A}"),
        ("$${A}${A}", "${A}ah"),
        ("$A and $", "$A and $"),
        ("${UNSET:-fall back}", "fall back"),
        ("${EMPTY:-x}", "x"),
        ("${A:-x}", "ah"),
        ("${UNSET:-}", ""),
        ("plain", "plain"),
    ],
)
def test_references_are_replaced(written: str, value: str) -> None:
    assert options(f'{{ a: "{written}", b: ["{written}"] }}') == {"a": value, "b": [value]}


def test_a_variable_is_not_expanded_again() -> None:
    assert options('{ a: "${X}" }', {"X": "${A}", "A": "no"}) == {"a": "${A}"}


@pytest.mark.parametrize("written", ["${", "${}", "${1A}", "${A-x}", "${A", "${A B}", "${A:?x}"])
def test_what_is_no_reference_must_be_escaped(written: str) -> None:
    with pytest.raises(ConfigProblems, match="names no variable") as caught:
        parse(f'{{plugins: [{{name: "p", options: {{a: "{written}"}}}}]}}', env=ENV)
    assert "$${" in caught.value.fix


@settings(deadline=None)
@given(st.text("${}A:-…. x", max_size=20))
def test_doubling_the_dollar_escapes_any_text(text: str) -> None:
    assert options(json.dumps({"a": text.replace("${", "$${")})) == {"a": text}


def load(text: str, env: dict[str, str] | None = None) -> Config:
    return parse(text, env=ENV if env is None else env)


def test_numbers_and_booleans_are_read_from_variables() -> None:
    config = load(
        """{ agents: { defaults: { maxConcurrent: "${N}" } },
        channels: { telegram: { owner: " ${N}", groups: { "*": { requireMention: "${NO:-false}" } },
                                mediaMaxMb: "${N}.5" } },
        plugins: [{ name: "p", options: { port: "${N}" } }] }"""
    )
    assert config.agents.defaults.max_concurrent == 9
    assert config.channels.telegram.owner == 9
    assert config.channels.telegram.media_max_mb == 9.5
    assert config.channels.telegram.groups["*"].require_mention is False
    assert config.plugins[0].options == {"port": "9"}, "options belong to the plugin"


@pytest.mark.parametrize("value", ["", None])
def test_an_unset_variable_turns_an_optional_key_off_with_a_note(value: str | None) -> None:
    env = {} if value is None else {"X": value}
    config = load(
        """{ gateway: { host: "${X}", auth: { token: "${X}" } },
        channels: { telegram: { owner: "${X}" } },
        models: { providers: { vllm: { baseUrl: "http://a", apiKey: "k-${X}" } } },
        plugins: [{ name: "p", options: { a: "${X}", b: ["${X}", "c"] } }] }""",
        env,
    )
    assert config.gateway.host == "127.0.0.1"
    assert config.gateway.auth.token is None
    assert config.channels.telegram.owner is None
    assert config.models.providers["vllm"].api_key is None
    assert config.plugins[0].options == {"b": ["c"]}
    why = "needs the environment variable X, which is not set;"
    assert set(config.notes) == {
        f'gateway.host {why} the default "127.0.0.1" is used.',
        f"gateway.auth.token {why} it is off.",
        f"channels.telegram.owner {why} it is off.",
        f"models.providers.vllm.apiKey {why} it is off.",
        f"plugins[0].options.a {why} that entry is left out.",
        f"plugins[0].options.b[0] {why} that entry is left out.",
    }


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{channels: {telegram: {dmPolicy: '${X}'}}}", "channels.telegram.dmPolicy"),
        ("{channels: {telegram: {allowFrom: ['${X}']}}}", "channels.telegram.allowFrom[0]"),
        (
            "{channels: {telegram: {groups: {'*': {enabled: '${X}'}}}}}",
            'channels.telegram.groups["*"].enabled',
        ),
        (
            "{channels: {telegram: {groups: {'-5': {allowFrom: ['${X}']}}}}}",
            'channels.telegram.groups["-5"].allowFrom[0]',
        ),
        ("{models: {providers: {v: {baseUrl: '${X}'}}}}", "models.providers.v.baseUrl"),
        ("{models: {providers: {v: {models: [{id: '${X}'}]}}}}", "models.providers.v.models[0].id"),
        ("{plugins: ['${X}']}", "plugins[0].name"),
    ],
)
def test_a_needed_or_guarding_key_must_have_its_variable(text: str, path: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(text)
    [problem] = caught.value.problems
    assert problem.what.startswith(f"{path} needs the environment variable X, which is not set")
    assert problem.fix.startswith("Set X")


@pytest.mark.parametrize("dots", ["…", "..."])
def test_what_documentation_leaves_open_counts_as_not_filled_in(dots: str) -> None:
    config = load(
        f"""{{ agents: {{ defaults: {{ workspace: "{dots}" }} }},
        plugins: [{{ name: "p", options: {{ a: "{dots}" }} }}] }}"""
    )
    assert config.agents.defaults.workspace is None
    assert config.plugins[0].options == {"a": dots}
    assert config.notes == ("agents.defaults.workspace is not filled in; it is off.",)
    with pytest.raises(ConfigProblems, match="dmPolicy is not filled in"):
        load(f'{{channels: {{telegram: {{dmPolicy: "{dots}"}}}}}}')


@pytest.mark.parametrize("key", ["groups", "allowFrom", "webhook"])
def test_a_variable_cannot_stand_for_a_list_or_an_object(key: str) -> None:
    for env in ({}, {"X": "text"}):
        with pytest.raises(ConfigProblems, match=f"telegram.{key} must be (an object|a list)"):
            load(f"{{channels: {{telegram: {{{key}: '${{X}}'}}}}}}", env)


def test_a_variable_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="environment variable X is not text"):
        load('{agents: {defaults: {workspace: "${X}"}}}', {"X": "a\udcff"})
