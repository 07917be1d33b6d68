"""The whole bot, the vllm backend, and a local server of audio/transcriptions that misbehaves."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from typing import Any

import pytest

from clawdbot_voice import Voice
from clawdbot_voice.choosing import engine as chosen
from clawdbot_voice.speech import Heard
from clawdcore import Backend, ProviderConfig
from clawdcore.testing import Group, Harness

pytestmark = pytest.mark.network
GROUP = Group()
OGG = b"OggS\x00 canarybytes"
STALL = 0
"""Instead of a status: the server takes the request and says nothing."""
LOCAL = "🎙 English · 0:03\n\nHeard on this machine."


class Speech:
    """A server with one model. ``status`` is what posts get; ``forms`` are those that came."""

    def __init__(self) -> None:
        self.status = 200
        self.forms: list[dict[str, bytes]] = []
        self.url = ""
        self.over = threading.Event()


def form(content_type: str, body: bytes) -> dict[str, bytes]:
    """The fields of a form, by name."""
    whole = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts: Any = whole.get_payload()
    names = [part.get_param("name", header="content-disposition") for part in parts]
    return {name: part.get_payload(decode=True) for name, part in zip(names, parts, strict=True)}


@pytest.fixture
def server() -> Iterator[Speech]:
    speech = Speech()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/v1/models"
            self._send(200 if known else 404, {"data": [{"id": "whisper", "object": "model"}]})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/v1/audio/transcriptions":
                self._send(404, {"error": {"message": "no such address"}})
                return
            speech.forms.append(form(self.headers["Content-Type"], body))
            if speech.status == STALL:
                speech.over.wait()
            elif speech.status == 200:
                said = {"text": "Hola a todos.", "language": "es", "duration": 61.0}
                self._send(200, said)
            else:
                self._send(speech.status, {"error": {"message": "canaryserver: model not found"}})

        def _send(self, status: int, answer: Any) -> None:
            sent = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    speech.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    yield speech
    speech.over.set()
    http.shutdown()
    http.server_close()
    thread.join()


class LastBackend:
    """Takes the factory that a backend plugin registers."""

    def __init__(self) -> None:
        self.factory: Callable[[ProviderConfig], Backend] | None = None

    def __call__(self, name: str, factory: Callable[[ProviderConfig], Backend]) -> None:
        self.factory = factory


def vllm(url: str) -> Backend:
    """The backend of the distribution clawdbot-vllm, as the core would make it."""
    points = entry_points(group="clawdbot", name="vllm")
    if not points:
        pytest.skip("clawdbot-vllm, which speaks to model servers, is not installed")
    register = LastBackend()
    next(iter(points)).load().register_backends(register)
    assert register.factory is not None
    options = {"audio": ["whisper"], "metrics": False}
    return register.factory(ProviderConfig(name="vllm", base_urls=[url], options=options))


@pytest.fixture
def make(server: Speech, fake_engine: Any) -> Iterator[Callable[..., tuple[Harness, Any]]]:
    """``make("server", "faster-whisper", timeout=60)``: a bot, and its made-up local engine."""
    with ExitStack() as stack:

        def made(*engines: str, **options: Any) -> tuple[Harness, Any]:
            local = fake_engine(Heard("Heard on this machine.", "en", 3, 3), name="faster-whisper")

            def choose(name: Any, given: Any, context: Any) -> Any:
                return chosen(name, given, context) if name == "server" else local

            voice = {"engines": list(engines), "serverModel": "vllm/whisper", **options}
            config = {
                "agents": {"defaults": {"model": {"primary": "vllm/whisper"}}},
                "models": {"providers": {"vllm": {"baseUrl": server.url}}},
                "plugins": [{"name": "voice", "options": voice}],
            }
            backend = vllm(server.url)
            harness = Harness([Voice(choose)], config=config, backend=backend, network=True)
            stack.enter_context(harness)
            assert not harness.report.disabled
            return harness, local

        yield made


def test_the_server_writes_down_what_it_is_sent(make: Any, server: Speech) -> None:
    bot, local = make("server", "faster-whisper")
    assert bot.say(voice=OGG) == "🎙 Spanish · 1:01\n\nHola a todos."
    assert bot.say("/transcribe catalan", audio=OGG, chat=GROUP).endswith("Hola a todos.")
    first, second = server.forms
    assert (first["file"], first["model"]) == (OGG, b"whisper")
    assert "language" not in first
    assert second["language"] == b"ca"
    assert local.recordings == []


@pytest.mark.parametrize(
    ("status", "named"),
    [
        (500, "HTTP 500"),
        (400, "HTTP 400"),
        (422, "HTTP 422"),
        (429, "takes no more requests"),
        (STALL, "within 2 s"),
    ],
)
def test_where_the_server_fails_the_next_engine_is_asked_and_the_owner_told(
    status: int, named: str, make: Any, server: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    bot, local = make("server", "faster-whisper", timeout=2 if status == STALL else 60)
    server.status = status
    with caplog.at_level(logging.DEBUG):
        assert bot.say(voice=OGG) == LOCAL
    assert [each.data for each in local.recordings] == [OGG]
    assert len(bot.sent) == 1
    told = [each.getMessage() for each in caplog.records if each.name == "clawdbot_voice.engines"]
    (line,) = told
    assert line.startswith("speech engine server: ")
    assert named in line
    assert "\n" not in line
    assert "canary" not in caplog.text


def test_a_refusal_names_the_server_the_model_and_the_option(
    make: Any, server: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    bot, _ = make("server", "faster-whisper")
    server.status = 400
    bot.say(voice=OGG)
    (line,) = [text for text in caplog.messages if text.startswith("speech engine")]
    for part in (server.url.split("/")[2], "vllm/whisper", "serverModel"):
        assert part in line


def test_a_server_that_recovers_is_asked_again(make: Any, server: Speech) -> None:
    bot, local = make("server", "faster-whisper")
    server.status = 400
    assert bot.say(voice=OGG) == LOCAL
    server.status = 200
    assert bot.say(voice=OGG).endswith("Hola a todos.")
    assert len(local.recordings) == 1


def test_what_the_last_engine_refuses_too_is_no_recording(make: Any, server: Speech) -> None:
    bot, _ = make("server")
    server.status = 400
    assert "can't play this file" in bot.say(voice=OGG)
    server.status = 500
    assert "isn't working right now" in bot.say(voice=OGG)
