"""Which backend serves which provider, and what it is told to load."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clawdcore import ProviderConfig, hookimpl
from clawdcore.config import parse
from clawdcore.errors import PluginError
from clawdcore.hooks.loader import Loader
from clawdcore.testing import FakeBackend
from clawdcore.worker.backends import backend_name, make_backends
from clawdcore.worker.refs import ModelRef


class Engine:
    """Registers a backend and remembers what it was made from."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.made: list[ProviderConfig] = []

    @hookimpl
    def register_backends(self, register: Any) -> None:
        def factory(provider: ProviderConfig) -> FakeBackend:
            self.made.append(provider)
            return FakeBackend()

        register(self.name, factory)


def made(engine: Engine, *references: str, **providers: Any) -> list[ProviderConfig]:
    loader = Loader({})
    loader.load(engine.name, engine)
    config = parse(json.dumps({"models": {"providers": providers}}), env={})
    make_backends(config, [ModelRef.parse(each) for each in references], loader)
    return engine.made


def ids(provider: ProviderConfig) -> list[str]:
    return [model.id for model in provider.models]


def test_an_engine_loads_the_first_model_that_is_named() -> None:
    (provider,) = made(Engine("llamacpp"), "llamacpp/small", "llamacpp/other")
    assert ids(provider) == ["small"]


def test_what_the_configuration_says_goes_before() -> None:
    (provider,) = made(Engine("llamacpp"), "llamacpp/small", llamacpp={"models": [{"id": "own"}]})
    assert ids(provider) == ["own"]
    (provider,) = made(Engine("llamacpp"), "llamacpp/x", llamacpp={"options": {"model": "y"}})
    assert ids(provider) == []


def test_a_server_is_asked_what_it_has() -> None:
    engine = Engine("vllm")
    (provider,) = made(engine, "gpu/m", gpu={"baseUrl": "http://127.0.0.1:8000/v1"})
    assert (provider.name, ids(provider)) == ("gpu", [])


def test_a_backend_that_registers_another_name_is_named() -> None:
    engine = Engine("llamacpp")
    engine_of_other_name = Engine("else")
    engine_of_other_name.made = engine.made
    loader = Loader({})
    loader.load("llamacpp", engine_of_other_name)
    with pytest.raises(PluginError, match="registers no backend of that name"):
        make_backends(parse("{}", env={}), [ModelRef.parse("llamacpp/m")], loader)


def test_providers_with_an_address_go_to_the_openai_backend() -> None:
    assert backend_name(ProviderConfig(name="llamacpp"), Loader({})) == "llamacpp"
    served = ProviderConfig(name="gpu", base_urls=["http://127.0.0.1:1/v1"])
    assert backend_name(served, Loader({})) == "vllm"
