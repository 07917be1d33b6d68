from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdbot_voice import Voice
from clawdbot_voice.failures import EngineBusy, EngineFailed, EngineSlow, FileRefused, NoSpeech
from clawdbot_voice.server import ServerEngine
from clawdbot_voice.speech import Recording
from clawdcore import (
    Audio,
    BackendUnavailable,
    ModelNotFound,
    Overloaded,
    RequestRefused,
    Transcript,
)
from clawdcore.testing import FakeBackend, Harness


class Models:
    """Answers with ``said``, or raises it; never where it is None."""

    def __init__(self, said: Transcript | Exception | None) -> None:
        self.said = said
        self.asked: list[Audio] = []

    async def transcribe(self, audio: Audio) -> Transcript:
        self.asked.append(audio)
        if self.said is None:
            await asyncio.Event().wait()
        if isinstance(self.said, Exception):
            raise self.said
        assert self.said is not None
        return self.said


def engine(models: Models, patience: float = 60.0) -> ServerEngine:
    return ServerEngine(models, model="vllm/whisper", patience=patience)


@pytest.mark.parametrize("language", ["en", "English", "english"])
def test_the_file_goes_as_it_is_and_the_answer_is_one_piece(language: str, hear: Any) -> None:
    models = Models(Transcript(" Hello. ", language, 2.5))
    (heard,) = asyncio.run(hear(engine(models), Recording(b"OggS", "audio/ogg", "en")))
    assert (heard.text, heard.language, heard.total) == ("Hello.", "en", 2.5)
    (audio,) = models.asked
    assert audio == Audio(data=b"OggS", mime="audio/ogg", language="en", model="vllm/whisper")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Transcript(" ... "), NoSpeech),
        (RequestRefused("x", status=400), FileRefused),
        (RequestRefused("x", status=415), FileRefused),
        (RequestRefused("x", status=422), FileRefused),
        (RequestRefused("x", status=403), EngineFailed),
        (Overloaded("x", retry_after=3), EngineBusy),
        (ModelNotFound("x"), EngineFailed),
        (BackendUnavailable("x"), EngineFailed),
    ],
)
def test_what_goes_wrong_is_told_in_our_terms(
    said: Transcript | Exception, error: type[Exception], hear: Any
) -> None:
    with pytest.raises(error) as caught:
        asyncio.run(hear(engine(Models(said)), Recording(b"x")))
    assert caught.type is error


def test_a_refusal_says_what_where_and_the_fix(hear: Any) -> None:
    refusal = RequestRefused("vllm at http://server refused the request (HTTP 400).", status=400)
    with pytest.raises(FileRefused) as caught:
        asyncio.run(hear(engine(Models(refusal)), Recording(b"secret")))
    said = str(caught.value)
    for part in ("http://server", "HTTP 400", "vllm/whisper", "serverModel"):
        assert part in said
    assert "\n" not in said
    assert "secret" not in said


def test_a_server_that_does_not_answer_is_given_up(hear: Any) -> None:
    with pytest.raises(EngineSlow):
        asyncio.run(hear(engine(Models(None), patience=0.01), Recording(b"x")))


class Backend(FakeBackend):
    """Also writes down."""

    def __init__(self) -> None:
        super().__init__()
        self.audio: list[Audio] = []

    async def transcribe(self, audio: Audio) -> Transcript:
        self.audio.append(audio)
        return Transcript("Hola.", "es", 61)


def test_the_bot_asks_the_configured_server() -> None:
    backend = Backend()
    config = {
        "plugins": [
            {"name": "voice", "options": {"engines": ["server"], "serverModel": "llamacpp/whisper"}}
        ],
    }
    with Harness([Voice()], config=config, backend=backend) as bot:
        assert not bot.report.disabled
        assert bot.say(voice=b"OggS") == "🎙 Spanish · 1:01\n\nHola."
    (audio,) = backend.audio
    assert audio.model == "whisper"
    assert audio.data == b"OggS"
    assert audio.key
