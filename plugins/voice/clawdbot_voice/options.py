"""What can be set under the plugin's ``options`` in clawdbot.json."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from .catalogue import ModelName
from .languages import HEARD, WHISPERS

EngineName = Literal["faster-whisper", "openai-whisper", "server"]


class VoiceOptions(BaseModel):
    """The plugin's settings; camelCase in the file, snake_case here."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )

    engines: tuple[EngineName, ...] = Field(
        default=("faster-whisper",),
        min_length=1,
        strict=False,
        description="Who writes speech down: the first that can. openai-whisper needs the extra "
        "[whisper], server the option serverModel.",
    )
    model: ModelName = Field(
        default="base",
        description="The whisper model of the engines on this machine. Larger ones hear better and "
        "take longer.",
    )
    model_path: str = Field(
        default="",
        description="Your own weights instead: a folder of CTranslate2's for faster-whisper, a .pt "
        "file for openai-whisper.",
    )
    cache_dir: str = Field(
        default="", description="Where models are kept. Unset: CLAWDBOT_CACHE, or the user's cache."
    )
    server_model: str = Field(
        default="",
        pattern=r"^$|^[^/\s]+/\S+$",
        description='The model that the engine server asks, as "provider/model". Recordings are '
        "sent to its server.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="cpu", description="Where the engines on this machine compute."
    )
    compute_type: Literal["int8", "int8_float16", "float16", "float32"] = Field(
        default="int8", description="The numbers that they compute with; float16 is for GPUs."
    )
    threads: int = Field(
        default=0, ge=0, le=256, description="Processors that they use. 0: as the library likes."
    )
    auto: bool = Field(
        default=True,
        description="In private chats, recordings are written down without /transcribe.",
    )
    language: str = Field(
        default="",
        pattern=r"^$|^[a-z]{2,3}$",
        description='The language of all recordings, as "en". Unset: found out for each.',
    )
    max_seconds: float = Field(
        default=600, gt=0, le=14_400, strict=False, description="Longer recordings are refused."
    )
    max_megabytes: float = Field(
        default=20,
        gt=0,
        le=2000,
        strict=False,
        description="Larger files are refused. Telegram's own servers give bots 20 at most.",
    )
    line: int = Field(
        default=8,
        ge=0,
        le=1000,
        description="Recordings that may wait for an engine on this machine; it hears one at a "
        "time.",
    )
    timeout: float = Field(
        default=120,
        gt=0,
        le=3600,
        strict=False,
        description="Seconds that an engine may take to load, for half a minute of speech, or a "
        "server for its answer.",
    )
    idle_minutes: float = Field(
        default=10,
        gt=0,
        le=100_000,
        strict=False,
        description="After so long without a recording the model is unloaded.",
    )

    @model_validator(mode="after")
    def _whole(self) -> VoiceOptions:
        if len(set(self.engines)) != len(self.engines):
            raise ValueError("engines names one twice")
        if "server" in self.engines and not self.server_model:
            raise ValueError("the engine server needs serverModel")
        if self.model_path and {"faster-whisper", "openai-whisper"} <= set(self.engines):
            raise ValueError("modelPath is of one engine, but engines names two on this machine")
        known = {"", *HEARD, *WHISPERS.values()}
        if self.language not in known and set(self.engines) != {"server"}:
            raise ValueError('language is no code that whisper knows; write one such as "en"')
        return self
