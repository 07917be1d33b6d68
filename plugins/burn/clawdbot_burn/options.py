"""What an operator can set."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .spans import LONGEST


class BurnOptions(BaseModel):
    """The options of the plugin ``burn`` in ``clawdbot.json``. Times are in seconds."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )

    shortest: int = Field(5, ge=1, le=3600, description="The shortest time that may be asked for.")
    longest: int = Field(
        LONGEST, ge=60, le=LONGEST, description="The longest; Telegram deletes for 48 hours."
    )
