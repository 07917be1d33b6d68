"""The backend ``vllm``: vLLM, and every other server of OpenAI's API, one or many."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from clawdcore import Backend, BackendError, ProviderConfig, hookimpl

from .backend import VllmBackend
from .engine_provider import make_engine_backend, wants_engine
from .options import VllmOptions

__all__ = ["VllmBackend", "VllmOptions", "make_backend"]


@hookimpl
def register_backends(register: Any) -> None:
    register("vllm", make_backend)


@hookimpl
def register_cli(group: Any) -> None:
    from .serve import command

    group.add_command(command)


def make_backend(provider: ProviderConfig) -> Backend:
    """The backend of a provider: servers, or an engine where ``options.engine`` asks for one.

    Raises:
        BackendError: its options are wrong, or it has no address.
    """
    if wants_engine(provider):
        return make_engine_backend(provider)
    where = f"models.providers.{provider.name}"
    if not provider.base_urls:
        raise BackendError(
            f"{where} has no baseUrl.",
            fix='Set it, for example to "http://127.0.0.1:8000/v1", or options.engine to true.',
        )
    try:
        options = VllmOptions.model_validate(provider.options)
    except ValidationError as error:
        known = ", ".join(str(field.alias) for field in VllmOptions.model_fields.values())
        raise BackendError(
            f"{where}.options: {_problems(error)}.", fix=f"Options: {known}."
        ) from error
    return VllmBackend(provider, options)


def _problems(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems)
