"""What can be set under ``models.providers.llamacpp.options``."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

DEFAULT_MODEL: Final = "qwen2.5-1.5b-instruct"


class LlamaCppOptions(BaseModel):
    """The engine's settings: camelCase in the file, snake_case here.

    Those that are None are chosen from the machine, see :mod:`.machine`.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        validate_by_alias=True,
        validate_by_name=True,
        protected_namespaces=(),
    )

    model: str = Field(
        default=DEFAULT_MODEL,
        min_length=1,
        description="A model of the catalogue, or the path of a .gguf file.",
    )
    slots: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Generations at once. Unset: 2, or 1 where memory is short.",
    )
    context: int = Field(
        default=4096,
        ge=256,
        le=1_048_576,
        description="Tokens of one slot's context, question and answer together.",
    )
    max_tokens: int = Field(
        default=1024, ge=1, le=1_048_576, description="Tokens of one answer, at most."
    )
    queue: int = Field(
        default=16,
        ge=0,
        le=10_000,
        description="Requests that may wait for a slot before one is refused.",
    )
    threads: int | None = Field(
        default=None, ge=1, le=256, description="CPU threads. Unset: the cores, at most 8."
    )
    batch: int = Field(
        default=64,
        ge=16,
        le=4096,
        description="Tokens of a question read in one step. A stop takes effect between steps, "
        "and the other slots wait for one; 512 suits a GPU.",
    )
    repack: bool | None = Field(
        default=None,
        description="Copy the weights into a layout for this CPU: about a quarter faster, and "
        "half the file's size more memory. Unset: where memory allows.",
    )
    gpu_layers: int | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="Layers of the model on the GPU. Unset: as many as fit; 0: none.",
    )
    cache_dir: str | None = Field(
        default=None,
        min_length=1,
        description="The folder that keeps downloaded models. "
        "Unset: $CLAWDBOT_CACHE, else the user's cache folder.",
    )
