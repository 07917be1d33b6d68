"""The models of a provider: what its server lists, and what the configuration adds. No IO here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from clawdcore import ModelConfig, ModelInfo

from .options import DEFAULT_CONTEXT, Models, VllmOptions

VLLM: str = "vllm"


class Listed(msgspec.Struct):
    """One entry of /v1/models; the length is vLLM's own field."""

    id: str
    max_model_len: int | None = None
    owned_by: str | None = None


class _Listing(msgspec.Struct):
    data: list[Listed]


def parse(body: bytes) -> list[Listed]:
    """What /v1/models lists.

    Raises:
        msgspec.MsgspecError: it is no such list.
    """
    return msgspec.json.decode(body, type=_Listing).data


def is_vllm(listed: Sequence[Listed]) -> bool:
    """Whether vLLM wrote the list: it owns its models."""
    return any(model.owned_by == VLLM for model in listed)


def merged(
    listed: Sequence[Listed], configured: Sequence[ModelConfig], options: VllmOptions
) -> list[ModelInfo]:
    """The configured models in their order, or all that are listed where none is.

    Lengths: the configuration's, else the server's, else
    :data:`~clawdbot_vllm.options.DEFAULT_CONTEXT`.
    """
    served = {model.id: model.max_model_len for model in listed}
    entries = configured or [ModelConfig(id=model.id) for model in listed]
    found = []
    for entry in entries:
        context = entry.context_length or served.get(entry.id) or DEFAULT_CONTEXT
        found.append(
            ModelInfo(
                id=entry.id,
                context_length=context,
                max_output_tokens=min(entry.max_output_tokens or context, context),
                images=has(options.images, entry.id),
                tools=has(options.tools, entry.id),
                audio=has(options.audio, entry.id),
            )
        )
    return found


def has(models: Models, model: str) -> bool:
    """Whether the option names ``model``."""
    return models if isinstance(models, bool) else model in models


def hearing(options: VllmOptions, models: Sequence[ModelInfo]) -> str:
    """The model that writes speech down where nobody names one; "" where there is none."""
    if not isinstance(options.audio, bool):
        return options.audio[0] if options.audio else ""
    return models[0].id if models else ""
