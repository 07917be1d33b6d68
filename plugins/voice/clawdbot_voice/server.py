"""The engine ``server``: a configured model server's audio/transcriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol

from clawdcore import (
    Audio,
    BackendError,
    ModelNotFound,
    Overloaded,
    RequestRefused,
    Transcript,
)

from .failures import EngineBusy, EngineFailed, EngineSlow, NoSpeech, NotAudio
from .languages import code_of
from .speech import Heard, Recording

REFUSED_FILE = frozenset({400, 415, 422})
"""Statuses by which servers say that they can't read the file."""


class Transcribes(Protocol):
    """The part of :class:`clawdcore.Models` that is needed here."""

    async def transcribe(self, audio: Audio) -> Transcript:
        """What is said. Raises :class:`clawdcore.BackendError`."""
        ...


class ServerEngine:
    """Sends the file as it is. ``model`` is "provider/model"."""

    def __init__(self, models: Transcribes, *, model: str, patience: float) -> None:
        self._models = models
        self._model = model
        self._patience = patience

    @property
    def name(self) -> str:
        """As :attr:`Engine.name`."""
        return "server"

    async def listen(self, recording: Recording) -> AsyncGenerator[Heard, None]:
        """As :meth:`Engine.listen`; all of it is one piece."""
        audio = Audio(
            data=recording.data,
            mime=recording.mime,
            language=recording.language,
            model=self._model,
        )
        try:
            async with asyncio.timeout(self._patience):
                said = await self._models.transcribe(audio)
        except TimeoutError:
            raise EngineSlow("The speech server did not answer in its time.") from None
        except Overloaded as error:
            raise EngineBusy("The speech server has too much work.") from error
        except ModelNotFound as error:
            raise EngineFailed("The speech server has no such model.") from error
        except RequestRefused as error:
            if error.status in REFUSED_FILE:
                raise NotAudio("The speech server can't read the file.") from error
            raise EngineFailed("The speech server refused the request.") from error
        except BackendError as error:
            raise EngineFailed("The speech server can't answer.") from error
        text = said.text.strip()
        if not any(letter.isalnum() for letter in text):
            raise NoSpeech("The speech server heard nothing.")
        yield Heard(text, code_of(said.language), said.seconds, said.seconds)

    async def close(self) -> None:
        """As :meth:`Engine.close`: the server is not ours."""
