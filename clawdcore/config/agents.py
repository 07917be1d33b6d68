"""The section ``agents``: which model answers, how many at once, and how long."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, model_validator

from .values import ModelReference, Section, refuse

DEFAULT_MODEL: Final = "llamacpp/qwen2.5-1.5b-instruct"
REQUEST_MS: Final = 30_000
TOTAL_MS: Final = 60_000
MEDIA_MS: Final = 600_000
MIN_MS: Final = 100
MAX_MS: Final = 3_600_000


class ModelChoice(Section):
    """Which model answers. In the file also a plain string: the primary one."""

    primary: ModelReference = Field(
        default=DEFAULT_MODEL, description='The model that answers, as "provider/model".'
    )
    fallbacks: list[ModelReference] = Field(
        default=[],
        description="Models that are asked in this order when the primary one can't answer.",
        examples=[[DEFAULT_MODEL]],
    )


class CompactionConfig(Section):
    """What happens to a conversation that outgrows the model."""

    mode: Literal["safeguard", "default"] = Field(
        default="safeguard",
        description='"safeguard" shortens before the context is full, keeping the newest turns; '
        '"default" only when it is.',
    )


class SubagentsConfig(Section):
    """Work that messages start: OCR, voice, tools."""

    max_concurrent: int = Field(
        default=16, ge=1, le=1024, description="How many pieces of such work run at once."
    )


class TimeoutConfig(Section):
    """How long an answer may take; what is read of voice and pictures has its own, longer time."""

    request: int = Field(
        default=REQUEST_MS,
        ge=MIN_MS,
        le=MAX_MS,
        description="One request to a model, in milliseconds; never longer than total.",
    )
    total: int = Field(
        default=TOTAL_MS,
        ge=MIN_MS,
        le=MAX_MS,
        description="A message from its arrival to its answer, in milliseconds.",
    )
    media: int = Field(
        default=MEDIA_MS,
        ge=MIN_MS,
        le=MAX_MS,
        description="Reading a message's files (voice, pictures), in milliseconds; total stands "
        "still meanwhile.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fit(cls, data: Any) -> Any:
        """Where one of request and total is given, the other's default makes room for it."""
        if isinstance(data, dict) and len(data.keys() & {"request", "total"}) == 1:
            name = "total" if "total" in data else "request"
            given = data[name]
            if isinstance(given, int) and name == "total" and MIN_MS <= given < REQUEST_MS:
                return data | {"request": given}
            if isinstance(given, int) and name == "request" and TOTAL_MS < given <= MAX_MS:
                return data | {"total": given}
        return data

    @model_validator(mode="after")
    def _ordered(self) -> TimeoutConfig:
        if self.request > self.total:
            raise refuse("has a request longer than total.", "Raise total, or lower request.")
        return self


class WorkerConfig(Section):
    """The process that runs plugins and models."""

    memory_mb: int = Field(
        default=0,
        ge=0,
        le=4_194_304,
        description="Megabytes above which it is replaced by a fresh one, without losing a "
        "message. 0: half of the machine's memory.",
        examples=[2048],
    )


class AgentDefaults(Section):
    """What holds for every conversation."""

    model: ModelChoice = ModelChoice()
    workspace: str | None = Field(
        default=None,
        min_length=1,
        description="The folder for ids and settings; never content. Relative to the file. "
        "Unset: the user's state folder.",
        examples=["/app/workspace"],
    )
    compaction: CompactionConfig = CompactionConfig()
    max_concurrent: int = Field(
        default=8,
        ge=1,
        le=1024,
        description="Messages in plugins' hands at once; waiting for a model holds no place.",
    )
    subagents: SubagentsConfig = SubagentsConfig()
    timeout: TimeoutConfig = TimeoutConfig()
    worker: WorkerConfig = WorkerConfig()


class AgentsConfig(Section):
    """Conversations."""

    defaults: AgentDefaults = AgentDefaults()
