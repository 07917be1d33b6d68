"""The JSON Schema agrees with what loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from clawdcore.config import parse, schema, show, template
from clawdcore.config.aliases import ALIASES
from clawdcore.config.keys import leaf_keys
from clawdcore.config.source import read
from clawdcore.errors import ConfigError

SCHEMA = schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def accepts(text: str) -> bool:
    return VALIDATOR.is_valid(read(text, "f").plain())


GOOD = [
    "{}",
    '{ "$schema": "./a.schema.json", plugins: ["chat", { name: "ocr", options: { a: 1 } }] }',
    '{ agents: { defaults: { model: "vllm/q", maxConcurrent: "${SEATS}" } }, '
    'models: { providers: { vllm: { baseUrl: "http://a", api: "openai-responses" } } } }',
    '{ channels: { telegram: { botToken: { file: "token" }, allowFrom: [5, "@ada", "*"], '
    'groups: { "*": { requireMention: false } } } } }',
    '{ channels: { telegram: { webhookUrl: "https://a", webhookSecret: "s", webhookPort: 88, '
    "streaming: true } } }",
    '{ channels: { telegram: { streaming: { mode: "progress" }, webhookPath: "/a" } } }',
    '{ gateway: { bind: "lan", auth: { password: "p" } } }',
    "{ agents: { defaults: { timeoutSeconds: 2.5 } } }",
    '{ models: { providers: { v: { models: [{ id: "a", contextWindow: 999, maxTokens: 9 }] } } } }',
    '{ messages: { queue: { mode: "steer" }, inbound: {} } }',
]
BAD = [
    "{ agent: {} }",
    '{ agents: { defaults: { maxConcurrent: "8" } } }',
    "{ agents: { defaults: { maxConcurrent: 0 } } }",
    '{ channels: { telegram: { dmPolicy: "pairing" } } }',
    '{ channels: { telegram: { owner: "me" } } }',
    "{ channels: { telegram: { botToken: 5 } } }",
    "{ channels: { telegram: { botToken: { path: 'x' } } } }",
    '{ models: { providers: { v: { name: "v" } } } }',
    "{ models: { providers: { v: { models: [{}] } } } }",
    "{ plugins: [{ options: {} }] }",
    "{ gateway: { port: 70000 } }",
]


def test_it_is_a_schema_and_always_the_same() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.dumps(schema()) == json.dumps(schema())


@pytest.mark.parametrize("text", GOOD)
def test_what_loads_is_accepted(text: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("1:a")
    parse(text, env={"SEATS": "4"}, file=tmp_path / "clawdbot.json")
    assert accepts(text)


@pytest.mark.parametrize("text", BAD)
def test_what_does_not_load_is_not_accepted(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text, env={})
    assert not accepts(text)


def test_the_template_and_the_shown_configuration_are_accepted() -> None:
    assert accepts(template(owner=5, base_url="http://a", model="vllm/q"))
    assert accepts(show(parse("{}", env={}), redact=False))


def _places(node: Any, seen: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """All that the schema allows at a property, references followed."""
    if "$ref" in node:
        return _places(SCHEMA["$defs"][node["$ref"].rsplit("/", 1)[1]], seen)
    return [node, *(place for branch in node.get("anyOf", ()) for place in _places(branch, seen))]


def _property(steps: tuple[str | int, ...]) -> dict[str, Any] | None:
    places = [SCHEMA]
    found: dict[str, Any] | None = None
    for step in steps:
        found = None
        for place in places:
            if step == "[]" and "items" in place:
                found = place["items"]
            elif str(step).startswith("<") and "additionalProperties" in place:
                found = place["additionalProperties"]
            elif step in place.get("properties", {}):
                found = place["properties"][str(step)]
            if found is not None:
                break
        if found is None:
            return None
        places = _places(found)
    return found


@pytest.mark.parametrize("key", leaf_keys(), ids=lambda key: key.path)
def test_every_key_is_described(key: Any) -> None:
    found = _property(key.steps)
    assert found is not None
    assert found["description"] == key.field.description


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: str(alias.old[-1]))
def test_every_alias_is_known_and_deprecated(alias: Any) -> None:
    found = _property(alias.old)
    assert found is not None
    assert found["deprecated"] is True
