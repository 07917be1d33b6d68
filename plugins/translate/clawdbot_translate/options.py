"""What can be set under the plugin's ``options`` in clawdbot.json."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class TranslateOptions(BaseModel):
    """The plugin's settings: camelCase in the file, snake_case here."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )

    model: str = Field(
        default="",
        pattern=r"^$|^[^/\s]+/\S+$",
        description='The model that translates, as "provider/model". '
        "Unset: the primary model, then its fallbacks.",
    )
    max_characters: int = Field(
        default=2000,
        ge=1,
        le=100_000,
        description="Longer texts are refused. The answer needs about as much room again: "
        "both must fit the model's context, and its time.",
    )
