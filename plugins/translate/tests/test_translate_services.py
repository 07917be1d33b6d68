"""The whole bot with LibreTranslate: a real client, and a local server that speaks its protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from clawdcore import BackendUnavailable

MakeBot = Any
GERMAN = {"good morning everyone": "Guten Morgen zusammen", "see you soon": "bis bald"}


class Libre:
    """``asked`` are the texts that came; while ``down`` it answers 500."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False
        self.url = ""


@pytest.fixture
def server() -> Iterator[Libre]:
    libre = Libre()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send([{"code": code, "name": code, "targets": []} for code in ("en", "de")])

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            libre.asked += body["q"]
            self._send({"translatedText": [GERMAN.get(text, f"de: {text}") for text in body["q"]]})

        def _send(self, answer: Any) -> None:
            sent = json.dumps({"error": "down"} if libre.down else answer).encode()
            self.send_response(500 if libre.down else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    libre.url = f"http://127.0.0.1:{http.server_address[1]}"
    yield libre
    http.shutdown()
    http.server_close()
    thread.join()


def options(server: Libre, *engines: str) -> dict[str, Any]:
    return {"engines": list(engines), "libretranslate": {"url": server.url}}


def test_it_translates_where_it_comes_first(make_bot: MakeBot, server: Libre) -> None:
    bot = make_bot(network=True, **options(server, "libretranslate", "model"))
    assert bot.say("/translate de good morning everyone") == "Guten Morgen zusammen"
    assert bot.prompts() == [] and bot.buttons == ["Other language", "Show original"]


def test_links_and_names_never_leave_the_machine(make_bot: MakeBot, server: Libre) -> None:
    bot = make_bot(network=True, **options(server, "libretranslate"))
    assert bot.say("/translate de hello @ada, see https://example.org/a 👍") == (
        "de: hello @ada, see https://example.org/a 👍"
    )
    assert server.asked == ["hello [1], see [2] [3]"]


def test_it_takes_over_where_the_model_is_down(make_bot: MakeBot, server: Libre) -> None:
    bot = make_bot(network=True, **options(server, "model", "libretranslate"))
    bot.model.enqueue(BackendUnavailable("down."))
    assert bot.say("/translate de good morning everyone") == "Guten Morgen zusammen"


def test_when_nobody_can_one_sentence_says_who(make_bot: MakeBot, server: Libre) -> None:
    server.down = True
    bot = make_bot(network=True, **options(server, "model", "libretranslate"))
    bot.model.enqueue(BackendUnavailable("down."))
    answer = bot.say("/translate de good morning everyone")
    assert answer.startswith(
        "I can't translate right now: the model, LibreTranslate doesn't answer."
    )
    assert answer.endswith(" s.") and "\n" not in answer


def test_without_a_section_it_is_never_asked(make_bot: MakeBot, server: Libre) -> None:
    bot = make_bot(network=True, engines=["libretranslate", "model"])
    bot.model.enqueue("Guten Morgen zusammen")
    assert bot.say("/translate de good morning everyone") == "Guten Morgen zusammen"
    assert server.asked == []


def test_while_the_bot_is_very_busy_the_plain_engine_comes_before_the_model(
    make_bot: MakeBot, server: Libre
) -> None:
    bot = make_bot(network=True, **options(server, "model", "libretranslate"))
    ladder = bot.worker.models.servers._ladder
    ladder.rung = type(ladder.rung).CHEAPER
    assert bot.say("/translate de good morning everyone") == "Guten Morgen zusammen"
    assert bot.prompts() == []
    server.down = True
    assert bot.say("/translate de see you soon").startswith("I can't translate right now")
    bot.model.enqueue("bis bald")
    assert bot.say("/translate de see you soon") == "bis bald"  # it rests, so the model is asked
