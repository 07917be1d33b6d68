"""The backend for a server with OpenAI's API."""

from __future__ import annotations

from clawdcore import Backend, BackendError, ProviderConfig, RegisterBackend, hookimpl
from pydantic import ValidationError

from .backend import HttpBackend
from .options import Options

__version__ = "0.1.0"

OPTIONS = ", ".join(field.alias or name for name, field in Options.model_fields.items())


@hookimpl
def register_backends(register: RegisterBackend) -> None:
    """Adds the backend of the provider of this name."""
    register("openai", make_backend)


def make_backend(provider: ProviderConfig) -> Backend:
    """The backend of a provider in ``clawdbot.json``; connects to nothing yet.

    Raises:
        BackendError: there is no address, or an option is wrong.
    """
    where = f"models.providers.{provider.name}"
    if len(provider.base_urls) != 1:
        raise BackendError(
            f"{where} has {len(provider.base_urls)} addresses, and this backend asks one server.",
            fix=f"Give one in {where}.baseUrl.",
        )
    try:
        options = Options.model_validate(provider.options)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems)
        raise BackendError(f"{where}.options: {told}.", fix=f"Options: {OPTIONS}.") from None
    return HttpBackend(provider, options)
