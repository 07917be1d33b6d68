"""What can be set under ``models.providers.NAME.options``."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Models = bool | list[str]
"""All models, none, or those of these ids."""

DEFAULT_CONTEXT: Final = 4096
"""Tokens that a model is taken to hold where neither the server nor the configuration says."""


class VllmOptions(BaseModel):
    """How the servers are used: camelCase in the file, snake_case here. Times are in seconds."""

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

    headers_timeout: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="Seconds for a server to begin its answer to a streamed request.",
    )
    idle_timeout: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="Seconds without a byte after which a begun answer is given up.",
    )
    max_concurrent: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Requests at once on one server; one more is refused at once. "
        "Unset: no bound here, the bot's own admission holds.",
    )
    metrics: bool = Field(
        default=True, description="Read the servers' /metrics every second while in use."
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=2,
        description="How often a request that failed before its first token is tried again.",
    )
    priority: bool | None = Field(
        default=None,
        description="Whether requests carry their class as vLLM's priority. Unset: asked at start.",
    )
    images: Models = Field(
        default=False, description="Models that take pictures: true, false, or a list of ids."
    )
    tools: Models = Field(
        default=False, description="Models that take tools: true, false, or a list of ids."
    )
    audio: Models = Field(
        default=False, description="Models that write speech down: true, false, or a list of ids."
    )
