from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import clawdbot_llamacpp
from clawdbot_llamacpp import LlamaCppBackend, LlamaCppOptions, make_backend
from clawdcore import Backend, BackendError, ModelConfig, ProviderConfig


def provider(**others: Any) -> ProviderConfig:
    return ProviderConfig(name="llamacpp", **others)


def served(backend: Backend) -> tuple[str, int, int]:
    [model] = asyncio.run(backend.models())
    return model.id, model.context_length, model.max_output_tokens


def test_it_registers_one_backend_under_its_name() -> None:
    taken: dict[str, Callable[[ProviderConfig], Backend]] = {}
    clawdbot_llamacpp.register_backends(taken.__setitem__)
    assert list(taken) == ["llamacpp"]
    assert isinstance(taken["llamacpp"](provider()), LlamaCppBackend)


def test_the_entry_point_leads_here() -> None:
    found = [point for point in entry_points(group="clawdbot") if point.name == "llamacpp"]
    assert [point.load() for point in found] == [clawdbot_llamacpp]


def test_without_options_it_serves_the_default_model() -> None:
    assert served(make_backend(provider())) == ("qwen2.5-1.5b-instruct", 4096, 1024)


def test_the_one_listed_model_fills_in_the_options() -> None:
    small = ModelConfig(id="qwen2.5-0.5b-instruct", context_length=2048, max_output_tokens=256)
    assert served(make_backend(provider(models=[small]))) == ("qwen2.5-0.5b-instruct", 2048, 256)


def test_a_listed_model_may_name_the_users_own_file() -> None:
    config = provider(models=[ModelConfig(id="mine")], options={"model": "/models/some.gguf"})
    assert served(make_backend(config))[0] == "mine"
    assert served(make_backend(provider(options={"model": "/models/some.gguf"})))[0] == "some"


def test_two_models_are_one_too_many() -> None:
    both = [ModelConfig(id="a"), ModelConfig(id="b")]
    with pytest.raises(BackendError, match=r"models\.providers\.llamacpp\.models lists 2"):
        make_backend(provider(models=both))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"slot": 2}, r"models\.providers\.llamacpp\.options: slot: .*Options: model, slots, "),
        ({"slots": 0}, "slots: Input should be greater than or equal to 1"),
        ({"slots": "2"}, "slots: Input should be a valid integer"),
    ],
)
def test_wrong_options_are_told_with_their_path(options: dict[str, Any], text: str) -> None:
    with pytest.raises(BackendError, match=text):
        make_backend(provider(options=options))


def test_a_wrong_value_is_not_repeated() -> None:
    with pytest.raises(BackendError) as caught:
        make_backend(provider(options={"threads": "hunter2"}))
    assert "hunter2" not in str(caught.value)


def test_the_readme_tells_every_option_and_no_other() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## Options")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert told == [field.alias for field in LlamaCppOptions.model_fields.values()]
