"""What can be set under the plugin's ``options`` in clawdbot.json."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

EngineName = Literal["auto", "rapidocr", "tesseract"]
Language = Annotated[str, Field(pattern=r"^[a-z]{3}(_[a-z]+)*$")]


class OcrOptions(BaseModel):
    """The plugin's settings; camelCase in the file, snake_case here."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )

    engine: EngineName = Field(
        default="auto",
        description="Who reads pictures. auto: rapidocr, and tesseract what is written in a script "
        "that rapidocr doesn't know, where tesseract is installed.",
    )
    languages: tuple[Language, ...] = Field(
        default=("eng", "chi_sim", "jpn", "kor", "rus", "ara", "hin"),
        min_length=1,
        max_length=20,
        strict=False,
        description="What tesseract looks for, by its own names; those that it has no data for are "
        "left out. rapidocr knows what it knows.",
    )
    auto: bool = Field(
        default=True,
        description="In private chats, pictures without a caption are read without /ocr.",
    )
    max_megabytes: float = Field(
        default=20,
        gt=0,
        le=2000,
        strict=False,
        description="Larger files are refused. Telegram's own servers give bots 20 at most.",
    )
    max_megapixels: float = Field(
        default=50,
        gt=0,
        le=1000,
        strict=False,
        description="Pictures with more millions of pixels are refused before they are decoded; "
        "each takes some 30 MB of memory meanwhile.",
    )
    max_pages: int = Field(
        default=10, ge=1, le=1000, description="Pages of a TIFF that are read; the reply says more."
    )
    line: int = Field(
        default=16,
        ge=0,
        le=1000,
        description="Pictures that may wait for the engine; it reads one at a time.",
    )
    seconds: float = Field(
        default=60,
        gt=0,
        le=3600,
        strict=False,
        description="How long a file may take when its turn has come, loading the engine included.",
    )
    idle_minutes: float = Field(
        default=10,
        gt=0,
        le=100_000,
        strict=False,
        description="After so long without a picture the engine is unloaded.",
    )
