"""The chat model as an engine: it knows every language of the table, more or less well."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Final

from clawdcore import Models

from ..languages import Language, languages
from ..translation import Job, translated

LIMIT: Final = 1000
"""Characters of one request: with five examples and its answer it fits 4096 tokens. Texts
in Chinese, Japanese or Korean give three times as many (``prompt.max_tokens``)."""


class Model:
    """The configured models; ``model`` is a "provider/model", or "" for the primary one."""

    name: Final = "model"
    limit: Final = LIMIT
    where: Final = ""  # where the model runs is the core's to tell

    def __init__(self, models: Models, model: str = "") -> None:
        self._models = models
        self._model = model

    async def languages(self) -> frozenset[str]:
        """As :meth:`Engine.languages`."""
        return frozenset(language.code for language in languages())

    def stream(self, job: Job) -> AsyncGenerator[str, None]:
        """As :meth:`Streaming.stream`."""
        return translated(self._models, replace(job, model=self._model))

    async def translate(self, texts: Sequence[str], source: str, target: Language) -> list[str]:
        """As :meth:`Engine.translate`."""
        answers = []
        for text in texts:
            pieces = self.stream(Job(text, target, target, source=source))
            answers.append("".join([piece async for piece in pieces]))
        return answers

    async def close(self) -> None:
        """As :meth:`Engine.close`."""
