"""What can be set under the plugin's ``options`` in clawdbot.json."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class ChatOptions(BaseModel):
    """The plugin's settings: camelCase in the file, snake_case here."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )

    system_prompt: str = Field(
        default="",
        max_length=8000,
        description="What the model is told first. Unset: a short default.",
    )
    max_tokens: int = Field(
        default=512, ge=16, le=32_768, description="Tokens of one answer, at most."
    )
    temperature: float | None = Field(
        default=0.3, ge=0, le=2, description="How freely the model words it; null: its own default."
    )
    sessions: int = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="Conversations kept; the longest unused goes first.",
    )
    idle_minutes: float = Field(
        default=240, gt=0, le=10_080, description="A conversation unused for so long is erased."
    )
    history_tokens: int | None = Field(
        default=None,
        ge=128,
        le=1_048_576,
        description="Tokens of one conversation that are kept and sent; what is older is "
        "compacted. Unset: half of the model's context, at most 16384.",
    )
    summary_seconds: float = Field(
        default=25,
        ge=0,
        le=600,
        description="How long summing up may delay one answer; then the oldest turns are dropped "
        "instead. 0: never sum up.",
    )
    tools: bool = Field(
        default=True,
        description="Let the model call the commands that plugins offer it as tools, where it can.",
    )
