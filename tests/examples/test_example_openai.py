"""A whole bot that answers through the example backend, from a real server on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr

from clawdcore import Context, Message, ProviderConfig, RegisterCommand, Request, Turn, hookimpl
from clawdcore.testing import Harness

FOLDER = Path(__file__).parents[2] / "examples" / "clawdbot-openai"
KEY = "key-of-the-test"


class Server(ThreadingHTTPServer):
    """Says back what it was asked; ``refusal`` is a status in place of an answer."""

    daemon_threads = True
    refusal = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.keys: set[str | None] = set()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._send(200, "application/json", json.dumps({"data": [{"id": "small"}]}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.refusal:
            self._send(self.server.refusal, "application/json", b"{}")
            return
        words = ["You said: ", asked["messages"][-1]["content"]]
        events: list[Any] = [{"choices": [{"delta": {"content": word}}]} for word in words]
        events.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        lines = [json.dumps(event, ensure_ascii=False) for event in events] + ["[DONE]"]
        data = "".join(f"data: {line}\n\n" for line in lines).encode()
        self._send(200, "text/event-stream", data)

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.server.keys.add(self.headers["Authorization"])
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the test's output is not the place."""


class Asks:
    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        @register("ask")
        async def ask(message: Message, text: str) -> str:
            """Ask the model."""
            request = Request(turns=(Turn("user", text),), key=message.asker)
            return "".join([chunk.text async for chunk in context.models.generate(request)])


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def bot(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    monkeypatch.syspath_prepend(str(FOLDER))
    example = import_module("clawdbot_openai")
    provider = ProviderConfig(
        name="openai",
        base_urls=[f"http://127.0.0.1:{server.server_port}/v1"],
        api_key=SecretStr(KEY),
    )
    # The harness gives its one backend to the provider of the primary model.
    config = {
        "agents": {"defaults": {"model": {"primary": "openai/small"}}},
        "models": {"providers": {"openai": {}}},
    }
    backend = example.make_backend(provider)
    with Harness([Asks()], config=config, backend=backend, network=True) as bot:
        yield bot


def test_a_conversation_goes_through_it(bot: Harness, server: Server) -> None:
    assert bot.say("/ask 你好 there") == "You said: 你好 there"
    assert server.keys == {f"Bearer {KEY}"}


def test_a_refusal_is_told_without_the_key_and_the_next_question_is_answered(
    bot: Harness, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.refusal = 401
    told = bot.say("/ask private words")
    assert told
    assert "You said" not in told
    assert KEY not in told + caplog.text
    assert "private words" not in told + caplog.text
    server.refusal = 0
    assert bot.say("/ask again") == "You said: again"
