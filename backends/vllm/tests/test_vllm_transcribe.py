from __future__ import annotations

import asyncio
from email.message import Message
from email.parser import BytesParser
from typing import Any

import pytest

from clawdbot_vllm.speech import decode, form
from clawdcore import Audio, BadAnswer, ModelNotFound, Overloaded, Transcript

SPEECH = Audio(data=b"OggS\x00\r\n--\xff", mime="audio/ogg; codecs=opus", language="de")
LISTENS = {"audio": ["whisper"]}


def fields(content_type: str, body: bytes) -> dict[str, Message]:
    """The parts of a form, as the standard library reads it."""
    message = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts = message.get_payload()
    return {part.get_param("name", header="content-disposition"): part for part in parts}


def test_a_voice_message_is_sent_as_a_form(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options=LISTENS) as backend:
            server.always = lambda call: call.send(
                200, {"text": "hallo", "usage": {"type": "duration", "seconds": 4}}
            )
            assert await backend.transcribe(SPEECH) == Transcript("hallo", seconds=4.0)
        [call] = server.posts
        assert call.path == "/v1/audio/transcriptions"
        assert SPEECH.data in call.body
        parts = fields(call.headers["content-type"], call.body)
        assert parts["model"].get_payload() == "whisper"
        assert parts["language"].get_payload() == "de"
        assert parts["file"].get_filename() == "speech.ogg"
        assert parts["file"].get_content_type() == "audio/ogg"

    kit.run(story)


@pytest.mark.parametrize(
    ("audio", "options", "model"),
    [
        (Audio(data=b"x", model="named"), {}, "named"),
        (Audio(data=b"x"), {"audio": True}, "m"),
    ],
)
def test_the_model_that_listens(kit: Any, audio: Audio, options: Any, model: str) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options=options) as backend:
            server.always = lambda call: call.send(200, {"text": ""})
            await backend.transcribe(audio)
        parts = fields(server.posts[0].headers["content-type"], server.posts[0].body)
        assert parts["model"].get_payload() == model
        assert "language" not in parts

    kit.run(story)


def test_without_a_model_that_listens_the_option_is_named(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options={"audio": []}) as backend:
            with pytest.raises(ModelNotFound, match=r"vllm\.options\.audio"):
                await backend.transcribe(SPEECH)

    kit.run(story)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"not json", BadAnswer),
        (200, {"words": 1}, BadAnswer),
        (501, {"error": {}}, ModelNotFound),
        (503, {"error": {}}, Overloaded),
    ],
)
def test_what_can_go_wrong(kit: Any, status: int, body: Any, kind: type) -> None:
    options = {**LISTENS, "retries": 0}

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options=options) as backend:
            server.always = lambda call: call.send(status, body)
            with pytest.raises(kind):
                await backend.transcribe(SPEECH)
            assert (await backend.load()).running == 0

    kit.run(story)


def test_it_is_asked_elsewhere_like_any_request(kit: Any) -> None:
    async def story() -> None:
        async with (
            kit.Wire() as one,
            kit.Wire() as other,
            kit.backend(one, other, options=LISTENS) as backend,
        ):
            one.always = lambda call: call.send(503)
            other.always = lambda call: call.send(200, {"text": "hallo"})
            for _ in range(8):
                assert (await backend.transcribe(SPEECH)).text == "hallo"
            assert one.posts

    kit.run(story)


def test_cancelling_closes_the_call(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options=LISTENS) as backend:
            server.always = lambda call: call.hang()
            task = asyncio.create_task(backend.transcribe(SPEECH))
            await kit.until(lambda: bool(server.posts))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.posts[0].gone.wait()

    kit.run(story)


def test_a_form_names_the_file_by_its_type() -> None:
    for mime, ending in (("audio/mpeg", ".mp3"), ("audio/mp4", ".m4a"), ("made/up", "")):
        _, body = form(Audio(data=b"", mime=mime), "m", "b")
        assert f'filename="speech{ending}"'.encode() in body


def test_a_verbose_answer_tells_language_and_length() -> None:
    told = decode(b'{"text":"hi","language":"en","duration":2.5,"segments":[]}')
    assert told == Transcript("hi", "en", 2.5)
