"""What the owner can set under ``options`` of the provider."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel


class Options(BaseModel):
    """Tokens and seconds."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    capacity: int = Field(default=8, ge=1, le=1024, description="Requests at once.")
    max_tokens: int = Field(default=1024, ge=1, description="Tokens of one answer, at most.")
    tools: bool = Field(default=False, description="The models take tools (function calls).")
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="More headers of each request, such as OpenAI-Project."
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="More fields of each request that this server knows."
    )
    silence: float = Field(
        default=60, gt=0, le=600, description="Seconds without a byte before it is given up."
    )
