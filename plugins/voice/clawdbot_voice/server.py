"""The engine ``server``: a configured model server's audio/transcriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, Protocol

from clawdcore import (
    Audio,
    BackendError,
    Overloaded,
    RequestRefused,
    Transcript,
)

from .failures import EngineBusy, EngineFailed, EngineSlow, FileRefused, NoSpeech
from .languages import code_of
from .speech import Heard, Recording

REFUSED_FILE: Final = frozenset({400, 415, 422})
"""Statuses by which servers say that they can't read the file, or know no such model or field."""


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
            raise EngineSlow(
                f"{self._model} did not write a recording down within {self._patience:g} s.",
                fix="Raise the option timeout of the plugin voice, or look at the server's load.",
            ) from None
        except Overloaded as error:
            raise EngineBusy(error.what, fix=error.fix) from error
        except RequestRefused as error:
            if error.status not in REFUSED_FILE:
                raise EngineFailed(error.what, fix=error.fix) from error
            raise FileRefused(
                f"{error.what} It was a recording for {self._model}.",
                fix="Unless the recording is damaged: see that the server writes speech down with "
                "this model, or correct the option serverModel of the plugin voice.",
            ) from error
        except BackendError as error:
            raise EngineFailed(error.what, fix=error.fix) from error
        text = said.text.strip()
        if not any(letter.isalnum() for letter in text):
            raise NoSpeech("The speech server heard nothing.")
        yield Heard(text, code_of(said.language), said.seconds, said.seconds)

    async def close(self) -> None:
        """As :meth:`Engine.close`: the server is not ours."""
