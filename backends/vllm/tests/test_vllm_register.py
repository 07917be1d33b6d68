from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import pytest

import clawdbot_vllm
from clawdbot_vllm import VllmBackend, VllmOptions, make_backend
from clawdbot_vllm.engine import EngineBackend
from clawdcore import Backend, BackendError, ProviderConfig


def provider(**others: Any) -> ProviderConfig:
    given = {"name": "vllm", "base_urls": ["http://127.0.0.1:8000/v1"]}
    return ProviderConfig(**{**given, **others})


def test_it_registers_one_backend_under_its_name() -> None:
    taken: dict[str, Callable[[ProviderConfig], Backend]] = {}
    clawdbot_vllm.register_backends(taken.__setitem__)
    assert isinstance(taken["vllm"](provider()), VllmBackend)


def test_the_entry_point_leads_here() -> None:
    found = [point for point in entry_points(group="clawdbot") if point.name == "vllm"]
    assert [point.load() for point in found] == [clawdbot_vllm]


def test_it_serves_a_provider_of_any_name() -> None:
    assert isinstance(make_backend(provider(name="openrouter")), VllmBackend)


def test_an_engine_in_the_process_is_made_where_the_options_ask_for_it() -> None:
    asked = provider(base_urls=[], options={"engine": True, "model": "some/model"})
    assert isinstance(make_backend(asked), EngineBackend)


def test_it_adds_its_command() -> None:
    group = click.Group("clawdbot")
    clawdbot_vllm.register_cli(group)
    command = group.commands["vllm"]
    assert isinstance(command, click.Group)
    assert "serve" in command.commands


def test_without_an_address_it_says_what_to_set() -> None:
    with pytest.raises(BackendError, match=r"models\.providers\.vllm has no baseUrl"):
        make_backend(provider(base_urls=[]))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"retry": 2}, r"models\.providers\.vllm\.options: retry: .*Options: headersTimeout, "),
        ({"retries": 3}, "retries: Input should be less than or equal to 2"),
        ({"idleTimeout": 0}, "idleTimeout: Input should be greater than 0"),
        ({"maxConcurrent": "8"}, "maxConcurrent: Input should be a valid integer"),
        ({"images": "m"}, "images"),
    ],
)
def test_wrong_options_are_told_with_their_path(options: dict[str, Any], text: str) -> None:
    with pytest.raises(BackendError, match=text):
        make_backend(provider(options=options))


def test_a_wrong_value_is_not_repeated() -> None:
    with pytest.raises(BackendError) as caught:
        make_backend(provider(options={"retries": "hunter2"}))
    assert "hunter2" not in str(caught.value)


README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def section(title: str) -> list[str]:
    table = README.partition(f"## {title}")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_the_readme_tells_every_option_and_no_other() -> None:
    assert section("Options") == [field.alias for field in VllmOptions.model_fields.values()]


def test_the_readme_tells_every_error() -> None:
    source = (Path(clawdbot_vllm.__file__).parent / "failures.py").read_text(encoding="utf-8")
    imported = source.partition("from clawdcore import (")[2].partition(")")[0]
    errors = set(re.findall(r"\w+", imported)) - {"BackendError"}
    assert set(section("Errors")) == errors
