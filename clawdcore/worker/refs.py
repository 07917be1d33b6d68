"""How the configuration names a model."""

from __future__ import annotations

import msgspec


class ModelRef(msgspec.Struct, frozen=True):
    """``provider/model`` as the configuration writes it."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> ModelRef:
        """Split at the first slash; a model's id may hold more of them."""
        provider, _, model = text.partition("/")
        return cls(provider, model)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"
