"""The backend ``llamacpp``: a local model through llama.cpp, on any machine."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from clawdcore import Backend, BackendError, ProviderConfig, hookimpl

from .backend import LlamaCppBackend
from .options import LlamaCppOptions

__all__ = ["LlamaCppBackend", "LlamaCppOptions", "make_backend"]


@hookimpl
def register_backends(register: Any) -> None:
    register("llamacpp", make_backend)


def make_backend(provider: ProviderConfig) -> Backend:
    """The backend of a provider; its one model's entry fills options that are not given.

    Raises:
        BackendError: its options are wrong, or it lists more than one model.
    """
    where = f"models.providers.{provider.name}"
    if len(provider.models) > 1:
        raise BackendError(
            f"{where}.models lists {len(provider.models)} models, and one engine holds one.",
            fix="Keep one of them.",
        )
    given: dict[str, Any] = {}
    for model in provider.models:
        told = {
            "model": model.id,
            "context": model.context_length,
            "maxTokens": model.max_output_tokens,
        }
        given = {name: value for name, value in told.items() if value is not None}
    try:
        options = LlamaCppOptions.model_validate(given | provider.options)
    except ValidationError as error:
        known = ", ".join(str(field.alias) for field in LlamaCppOptions.model_fields.values())
        raise BackendError(
            f"{where}.options: {_problems(error)}.", fix=f"Options: {known}."
        ) from error
    return LlamaCppBackend(options, model_id=provider.models[0].id if provider.models else "")


def _problems(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems)
