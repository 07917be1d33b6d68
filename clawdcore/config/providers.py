"""The section ``models``: the servers that run models, and what they serve."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from .values import ProviderName, Secret, Section, Url

BUILT_IN: Final = ("llamacpp",)
"""Providers that exist without being configured, unless ``models.mode`` is "replace"."""


class ModelConfig(Section):
    """A model of a provider; lengths are in tokens, None for what the server says."""

    id: str = Field(
        min_length=1,
        description="The model's id, as the server knows it.",
        examples=["Qwen2.5-7B-Instruct"],
    )
    name: str | None = Field(
        default=None, description="What people see. Unset: the id.", examples=["Qwen 2.5 7B"]
    )
    context_length: int | None = Field(
        default=None,
        ge=256,
        le=100_000_000,
        description="Tokens of the context, question and answer together. "
        "Unset: asked of the server.",
        examples=[8192],
    )
    max_output_tokens: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        description="Tokens of one answer, at most. Unset: what the context leaves.",
        examples=[2048],
    )


class ProviderConfig(Section):
    """A model server: what a backend is made from.

    ``name`` is the provider's key in the file, and the backend that serves it.
    ``base_urls`` joins ``baseUrl`` and ``baseUrls``. ``options`` is free: the
    backend validates it.
    """

    name: str
    base_urls: list[Url] = Field(
        default=[],
        repr=False,  # it may hold a password
        description="The server's addresses; several are replicas of one another. "
        "baseUrl is the same for one.",
        examples=[["http://vllm:8000/v1"]],
    )
    api_key: Secret | None = Field(
        default=None,
        description="Sent to the server as a bearer token.",
        examples=["${VLLM_API_KEY}"],
    )
    api: Literal["openai-responses", "openai-completions"] = Field(
        default="openai-completions",
        description="Which of the two OpenAI APIs the server is asked by.",
    )
    models: list[ModelConfig] = Field(
        default=[],
        description="The models that it serves, the default first. Unset: asked of the server.",
        examples=[[{"id": "Qwen2.5-7B-Instruct"}]],
    )
    options: dict[str, Any] = Field(
        default={},
        repr=False,
        description="The backend's own options; see its README.",
        examples=[{"threads": 4}],
    )


class ModelsConfig(Section):
    """Model servers."""

    mode: Literal["merge", "replace"] = Field(
        default="merge",
        description='"merge" adds the built-in provider llamacpp to yours; "replace" does not.',
    )
    providers: dict[ProviderName, ProviderConfig] = Field(
        default={},
        validate_default=True,
        description="Model servers by name; the backend of that name serves it.",
        examples=[{"vllm": {"baseUrl": "http://vllm:8000/v1"}}],
    )

    @field_validator("providers", mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {
            name: {**given, "name": name} if isinstance(given, dict) else given
            for name, given in data.items()
        }

    @field_validator("providers", mode="after")
    @classmethod
    def _merged(
        cls, providers: dict[str, ProviderConfig], info: ValidationInfo
    ) -> dict[str, ProviderConfig]:
        if info.data.get("mode") == "replace":
            return providers
        return providers | {
            name: ProviderConfig(name=name) for name in BUILT_IN if name not in providers
        }
