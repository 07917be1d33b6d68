"""A plugin has speech written down by a configured model server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdcore import Audio, BackendUnavailable, Context, Message, Overloaded, Transcript, hookimpl
from clawdcore.testing import FakeBackend, Harness


class Server(FakeBackend):
    """Answers ``said``, raises it, or never answers where it is None."""

    def __init__(self, said: Transcript | Exception | None) -> None:
        super().__init__()
        self.said = said
        self.audio: list[Audio] = []
        self.given_up = 0

    async def transcribe(self, audio: Audio) -> Transcript:
        self.audio.append(audio)
        if isinstance(self.said, Exception):
            raise self.said
        try:
            while self.said is None:
                await asyncio.sleep(3600)
        finally:
            self.given_up += self.said is None
        return self.said


class Listens:
    """Has what it is told written down by ``model``."""

    def __init__(self, model: str = "llamacpp/whisper") -> None:
        self.model = model

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("listen")
        async def listen(message: Message, words: str = "") -> str:
            """Listen"""
            audio = Audio(data=words.encode(), model=self.model)
            said = await context.models.transcribe(audio)
            return f"{said.language}: {said.text}"


def test_the_server_gets_the_models_id_and_the_messages_keys_and_time() -> None:
    server = Server(Transcript("Hola", "es"))
    with Harness([Listens()], backend=server) as bot:
        assert bot.say("/listen x") == "es: Hola"
    (audio,) = server.audio
    assert (audio.model, audio.data, audio.key, audio.sender) == ("whisper", b"x", "101", "101")
    assert audio.deadline is not None


@pytest.mark.parametrize(
    "error",
    [BackendUnavailable("secret"), Overloaded("secret", retry_after=5), ValueError("secret")],
)
def test_what_goes_wrong_there_is_one_sentence(error: Exception) -> None:
    with Harness([Listens()], backend=Server(error)) as bot:
        said = bot.say("/listen x")
    assert said
    assert "secret" not in said


def test_no_other_server_is_asked_than_the_one_named() -> None:
    server = Server(Transcript("Hola"))
    with Harness([Listens("elsewhere/whisper")], backend=server) as bot:
        assert bot.say("/listen x")
    assert server.audio == []


def test_a_server_that_never_answers_is_left_in_time() -> None:
    server = Server(None)
    with Harness([Listens()], backend=server) as bot:
        assert bot.say("/listen x")
    assert server.given_up == 1
