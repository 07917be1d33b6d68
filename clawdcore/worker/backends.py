"""Which backend serves which configured provider."""

from __future__ import annotations

from collections.abc import Sequence

from ..backend import Backend
from ..config import Config, ModelConfig, ProviderConfig
from ..errors import PluginError
from ..hooks.loader import Loader
from .refs import ModelRef

OPENAI_BACKEND = "vllm"
"""Serves every provider with a base URL whose own name is no backend's."""


def make_backends(config: Config, refs: Sequence[ModelRef], loader: Loader) -> dict[str, Backend]:
    """Make, but don't start, the backend of every provider that a model names.

    Raises:
        PluginError: a backend is not installed, or can't be made.
    """
    providers = {ref.provider: _provider(config, ref) for ref in reversed(refs)}
    wanted = {name: backend_name(provider, loader) for name, provider in providers.items()}
    factories = loader.backends([loader.load(name) for name in dict.fromkeys(wanted.values())])
    made: dict[str, Backend] = {}
    for name, provider in providers.items():
        factory = factories.get(wanted[name])
        if factory is None:
            raise PluginError(
                f"the plugin {wanted[name]!r} registers no backend of that name, "
                f"which the provider {name!r} needs.",
                plugin=wanted[name],
                fix="Name a provider after an installed backend.",
            )
        made[name] = factory(provider)
    return made


def _provider(config: Config, ref: ModelRef) -> ProviderConfig:
    """The provider's configuration.

    An engine inside the process, which nobody told what to load, loads what the
    reference names; a server is asked what it has.
    """
    name = ref.provider
    provider = config.models.providers.get(name) or ProviderConfig(name=name)
    if provider.base_urls or provider.models or "model" in provider.options:
        return provider
    return provider.model_copy(update={"models": [ModelConfig(id=ref.model)]})


def backend_name(provider: ProviderConfig, loader: Loader) -> str:
    """The backend for a provider: of its own name, else the OpenAI-compatible one."""
    if loader.knows(provider.name) or not provider.base_urls:
        return provider.name
    return OPENAI_BACKEND
