"""From a provider's configuration to an engine inside this process."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from clawdcore import BackendError, ProviderConfig

from .engine import EngineBackend
from .engine_options import EngineOptions


def wants_engine(provider: ProviderConfig) -> bool:
    """Whether the provider's options ask for an engine instead of a server."""
    return "engine" in provider.options


def make_engine_backend(provider: ProviderConfig) -> EngineBackend:
    """The backend; its one model's entry fills options that are not given.

    Raises:
        BackendError: its options are wrong, it has an address too, or several models.
    """
    where = f"models.providers.{provider.name}"
    if provider.base_urls:
        raise BackendError(
            f"{where} has both a baseUrl and options.engine.",
            fix="Remove baseUrl to run vLLM in the bot, or options.engine to use the server.",
        )
    if len(provider.models) > 1:
        raise BackendError(
            f"{where}.models lists {len(provider.models)} models, and one engine holds one.",
            fix="Keep one of them.",
        )
    given: dict[str, Any] = {}
    for model in provider.models:
        given["model"] = model.id
        if model.context_length is not None:
            given["context"] = model.context_length
    try:
        options = EngineOptions.model_validate(given | provider.options)
    except ValidationError as error:
        known = ", ".join(str(field.alias) for field in EngineOptions.model_fields.values())
        raise BackendError(
            f"{where}.options: {_problems(error)}.", fix=f"Options: {known}."
        ) from error
    return EngineBackend(
        options,
        name=provider.name,
        model_id=provider.models[0].id if provider.models else "",
        max_output_tokens=provider.models[0].max_output_tokens if provider.models else None,
    )


def _problems(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems)
