"""What can be set under the plugin's ``options`` in clawdbot.json."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic.alias_generators import to_camel

EngineName = Literal["model", "libretranslate", "google"]
URL: Final = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"


class _Section(BaseModel):
    """camelCase in the file, snake_case here."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )


class LibreTranslateOptions(_Section):
    """A LibreTranslate server; without this section none is asked."""

    url: str = Field(
        pattern=URL, description='Where it runs, as "http://127.0.0.1:5000". Texts are sent there.'
    )
    api_key: SecretStr = Field(
        default=SecretStr(""), strict=False, description="Its key, where the server wants one."
    )
    timeout: float = Field(
        default=20.0, gt=0, le=300, strict=False, description="Seconds that a request may take."
    )
    max_characters: int = Field(
        default=2000,
        ge=100,
        le=100_000,
        description="Characters of one request that the server takes (its --char-limit).",
    )


class GoogleOptions(_Section):
    """Google Cloud Translation; without this section it is never asked."""

    api_key: SecretStr = Field(
        default=SecretStr(""), strict=False, description="An API key of the project."
    )
    credentials: str = Field(
        default="",
        description="A service account's file, instead of a key. With neither, what the "
        "environment has (GOOGLE_APPLICATION_CREDENTIALS).",
    )
    endpoint: str = Field(
        default="",
        pattern=rf"^$|{URL}",
        description="Another server that speaks the protocol (v2). Unset: Google's own.",
    )
    timeout: float = Field(
        default=20.0, gt=0, le=300, strict=False, description="Seconds that a request may take."
    )


class TranslateOptions(_Section):
    """The plugin's settings."""

    model: str = Field(
        default="",
        pattern=r"^$|^[^/\s]+/\S+$",
        description='The model that translates, as "provider/model". '
        "Unset: the primary model, then its fallbacks.",
    )
    max_characters: int = Field(
        default=8000,
        ge=1,
        le=100_000,
        description="Longer texts are refused. They are translated in parts of at most what an "
        "engine takes at once; all of it must fit the message's time.",
    )
    engines: tuple[EngineName, ...] = Field(
        default=("model", "libretranslate", "google"),
        min_length=1,
        strict=False,
        description="The order in which they are asked. Those without their section are left out.",
    )
    libretranslate: LibreTranslateOptions | None = Field(
        default=None, description="A LibreTranslate server. Unset: none is asked."
    )
    google: GoogleOptions | None = Field(
        default=None, description="Google Cloud Translation. Unset: it is never asked."
    )

    @field_validator("engines")
    @classmethod
    def _once(cls, engines: tuple[EngineName, ...]) -> tuple[EngineName, ...]:
        if len(set(engines)) != len(engines):
            raise ValueError("names an engine twice")
        return engines
