"""What the owner can set in ``clawdbot.json``."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Options(BaseModel):
    """All of it has defaults: ``plugins: ["water"]`` alone must work."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    goal: int = Field(
        2000, ge=250, le=10_000, description="Millilitres a day, until one says else."
    )
    timezone: str = Field("UTC", description="Where the day begins, such as Europe/Lisbon.")
    morning: int = Field(8, ge=0, le=23, description="Nobody is reminded before this hour.")
    evening: int = Field(21, ge=1, le=24, description="Nobody is reminded from this hour on.")

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone; write one like Europe/Lisbon") from None
        return name
