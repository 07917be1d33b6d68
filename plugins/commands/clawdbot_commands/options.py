"""What an operator can set."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Options(BaseModel):
    """The options of the plugin ``commands`` in ``clawdbot.json``."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    geocoding_url: str = Field(
        "https://geocoding-api.open-meteo.com", description="Where cities are looked up."
    )
    weather_url: str = Field("https://api.open-meteo.com", description="Where forecasts come from.")
    rates_url: str = Field("https://api.frankfurter.dev", description="Where rates come from.")
    wiki_url: str = Field(
        "https://{language}.wikipedia.org",
        description="Where articles come from; {language} becomes en, zh and so on.",
    )
    temperature: Literal["auto", "celsius", "fahrenheit"] = Field(
        "auto", description="The unit; auto goes by the reader's region."
    )
    timeout_seconds: float = Field(
        8.0, gt=0, le=60, description="The longest that one look-up may take, tries included."
    )
    max_bytes: int = Field(
        1_000_000, ge=1_000, le=10_000_000, description="The longest answer that is read."
    )
    cache_entries: int = Field(
        256, ge=0, le=10_000, description="How many answers are kept in memory; 0 for none."
    )
    cache_bytes: int = Field(
        8_000_000, ge=0, le=1_000_000_000, description="How many bytes these have together."
    )
    contact: str = Field(
        "",
        max_length=200,
        pattern=r"^[\x20-\x27\x2A-\x7E]*$",
        description="A web page or mail address that the services may write to about this bot.",
    )
