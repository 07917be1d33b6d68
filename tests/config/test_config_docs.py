"""docs/configuration.md lists every key as the models have it, and every alias."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clawdcore.config import parse
from clawdcore.config.aliases import ALIASES, Alias
from clawdcore.config.hints import expected
from clawdcore.config.inert import INERT
from clawdcore.config.keys import Key, all_keys, describe
from clawdcore.config.node import path_text

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
KEYS = [key for key in all_keys() if key.kind != "section"]


def default_of(key: Key) -> str:
    assert key.field is not None
    if key.field.is_required():
        return "needed"
    value = key.field.get_default(call_default_factory=True)
    if value is None:
        return "unset"
    if key.path == "plugins":
        return json.dumps([plugin.name for plugin in value])
    return json.dumps(value)


def cells(line: str) -> list[str]:
    return [cell.strip().strip("`") for cell in line.strip("| ").split(" | ")]


ROWS = {cells(line)[0]: cells(line) for line in PAGE.splitlines() if line.startswith("| `")}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_every_key_has_a_row_with_type_default_unit_and_meaning(key: Key) -> None:
    assert key.field is not None
    assert key.path in ROWS, f"docs/configuration.md has no row for {key.path}"
    _, type_, default, unit, meaning = ROWS[key.path]
    assert type_ == expected(key)
    assert default == default_of(key)
    assert meaning == key.field.description
    assert ("millisecond" in meaning) == (unit == "ms")


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: path_text(alias.old))
def test_every_alias_has_a_row(alias: Alias) -> None:
    old, new = path_text(alias.old), path_text(alias.new)
    assert old in ROWS
    assert new in ROWS[old][1]


def test_no_row_is_about_a_key_that_does_not_exist() -> None:
    aliases = {path_text(alias.old) for alias in ALIASES}
    named = {"gateway.bind", "gateway.customBindHost", "models.providers.<name>.baseUrl"}
    # Rows about values of keys that exist, in the table of OpenClaw's names.
    for path in ROWS.keys() - aliases - named - {key.path for key in KEYS}:
        steps = tuple(path.replace("[]", ".[]").split("."))
        assert describe(steps) is not None, path


def test_the_example_loads() -> None:
    example = PAGE.split("```json5\n")[1].split("```")[0]
    config = parse(example, env={"TELEGRAM_BOT_TOKEN": "1:a", "VLLM_API_KEY": "k"})
    assert config.notes == ()
    assert config.channels.telegram.owner == 12345


@pytest.mark.parametrize("path", INERT)
def test_every_inert_key_is_said_to_be_inert(path: str) -> None:
    assert f"`{path}`" in PAGE.split("## Keys without effect")[1].split("\n## ")[0]
