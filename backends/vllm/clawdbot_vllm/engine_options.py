"""What can be set under ``models.providers.NAME.options`` of an engine inside this process."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class EngineOptions(BaseModel):
    """The engine's settings: camelCase in the file, snake_case here.

    The defaults are those of the profile "small" of ``clawdbot vllm serve``.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        validate_by_alias=True,
        validate_by_name=True,
        protected_namespaces=(),
    )

    engine: Literal[True] = Field(
        default=True, description="Run vLLM inside this process; without it baseUrl is needed."
    )
    model: str = Field(min_length=1, description="The model: its name on a hub, or a folder.")
    context: int = Field(
        default=8192,
        ge=256,
        le=1_048_576,
        description="Tokens of one request, question and answer together.",
    )
    sequences: int = Field(default=32, ge=1, le=4096, description="Requests that run at once.")
    batched_tokens: int = Field(
        default=2048, ge=16, le=1_048_576, description="Tokens of one step of the engine."
    )
    queue: int = Field(
        default=32,
        ge=0,
        le=10_000,
        description="Requests that may wait inside the engine before one is refused.",
    )
    memory: float = Field(
        default=0.9,
        gt=0,
        le=1,
        allow_inf_nan=False,
        description="The share of each GPU's memory that the engine takes.",
    )
    gpus: int = Field(default=1, ge=1, le=64, description="GPUs that share each layer.")
    arguments: dict[str, Any] = Field(
        default={},
        description="More arguments of vLLM's engine, by their names in Python; they win.",
    )

    def engine_arguments(self, model_id: str) -> dict[str, Any]:
        """What vLLM's AsyncEngineArgs takes (0.32, engine/arg_utils.py)."""
        return {
            "model": self.model,
            "served_model_name": model_id,
            "max_model_len": self.context,
            "max_num_seqs": self.sequences,
            "max_num_batched_tokens": max(self.batched_tokens, self.sequences),
            "max_num_queued_reqs": self.sequences + self.queue,
            "gpu_memory_utilization": self.memory,
            "tensor_parallel_size": self.gpus,
            "scheduling_policy": "priority",
            "enable_log_requests": False,
            "disable_log_stats": True,
            **self.arguments,
        }
