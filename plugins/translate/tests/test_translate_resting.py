"""What servers ask for is kept: their rest, their quota, and the calls that they take at once."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from typing import Any

import pytest

from clawdbot_translate.engines.contract import Engine, EngineBusy, EngineFailed
from clawdbot_translate.engines.google import IN_FLIGHT, Google
from clawdbot_translate.engines.libretranslate import LibreTranslate
from clawdbot_translate.languages import Language
from clawdbot_translate.options import GoogleOptions, LibreTranslateOptions
from clawdbot_translate.translation import Job
from clawdbot_translate.translator import NoEngine, Translator

FRENCH = Language.parse("fr")
NEEDS_GOOGLE = pytest.mark.skipif(
    find_spec("google") is None or find_spec("google.cloud") is None,
    reason="google-cloud-translate is not installed (the extra google)",
)


class Server:
    """Speaks both protocols; ``status`` and ``headers`` are those of what is no list.

    Each text that comes waits for ``open``; ``asked`` are the requests that came so far.
    """

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.open = threading.Event()
        self.open.set()
        self.url = ""


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            codes = ["en", "fr"]
            if "v2" in self.path:
                self._send(200, {"data": {"languages": [{"language": code} for code in codes]}})
            else:
                self._send(200, [{"code": c, "name": c, "targets": codes} for c in codes])

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append(body)
            server.open.wait(60)
            said = [f"fr {text}" for text in body["q"]]
            found: Any = {"translatedText": said}
            if "v2" in self.path:
                found = {"data": {"translations": [{"translatedText": each} for each in said]}}
            self._send(server.status, found if server.status == 200 else {"error": {}})

        def _send(self, status: int, answer: Any) -> None:
            sent = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True  # the client gave up, as it should

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    class Http(ThreadingHTTPServer):
        request_queue_size = 64
        daemon_threads = True

    http = Http(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        server.open.set()
        http.shutdown()
        http.server_close()
        thread.join()


def libre(url: str) -> LibreTranslate:
    return LibreTranslate(LibreTranslateOptions.model_validate({"url": url, "timeout": 60}))


def googled(url: str, timeout: float = 60.0) -> Google:
    given = {"endpoint": url, "apiKey": "s3cret", "timeout": timeout}
    return Google(GoogleOptions.model_validate(given))


def run(engine: Engine, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def all_of_it() -> Any:
        try:
            return await work()
        finally:
            await engine.close()

    return asyncio.run(all_of_it())


class Clock:
    """Seconds that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def translated(translator: Translator) -> str:
    job = Job("the last bus leaves at eleven", FRENCH, FRENCH, source="en")
    return "".join([piece async for piece in translator.pieces(job)])


@pytest.mark.parametrize("make", [libre, pytest.param(googled, marks=NEEDS_GOOGLE)])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "90"},
        {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"},
    ],
)
def test_who_says_when_to_come_back_is_not_asked_before(
    make: Callable[[str], Engine],
    status: int,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    rest = 90.0 if headers["Retry-After"] == "90" else 3600.0
    caplog.set_level(logging.WARNING, "clawdbot_translate")
    with serving() as server:
        engine, clock = make(server.url), Clock()
        translator = Translator([engine], clock)

        async def work() -> None:
            server.status, server.headers = status, headers
            for clock.now in (0.0, rest - 1):
                with pytest.raises(NoEngine) as caught:
                    await translated(translator)
                assert caught.value.seconds == rest - clock.now
                assert len(server.asked) == 1
            server.status, clock.now = 200, rest
            assert (await translated(translator)).startswith("fr the last bus")

        run(engine, work)
    (told,) = [record.getMessage() for record in caplog.records if "engine" in record.getMessage()]
    assert engine.name in told and str(status) in told and f"rests for {rest:.0f} s" in told
    assert "bus" not in told and "\n" not in told


@NEEDS_GOOGLE
def test_a_quota_without_a_word_about_time_rests_a_minute() -> None:
    with serving() as server:
        engine, clock = googled(server.url), Clock()
        translator = Translator([engine], clock)

        async def work() -> None:
            server.status = 429
            for clock.now in (0.0, 59.0):
                with pytest.raises(NoEngine):
                    await translated(translator)
            assert len(server.asked) == 1
            server.status, clock.now = 200, 60.0
            await translated(translator)

        run(engine, work)


@NEEDS_GOOGLE
def test_a_call_beyond_those_that_hang_fails_at_once_and_the_engine_is_not_ill() -> None:
    with serving() as server:
        engine = googled(server.url)

        async def work() -> None:
            await engine.languages()
            server.open.clear()
            hang = [
                asyncio.create_task(engine.translate([f"text {n}"], "en", FRENCH))
                for n in range(IN_FLIGHT)
            ]
            await asyncio.sleep(0)  # each has handed its call to a thread
            translator = Translator([engine], Clock())
            for _ in range(2):
                with pytest.raises(EngineBusy):
                    await engine.translate(["one more"], "en", FRENCH)
                with pytest.raises(NoEngine) as caught:
                    await translated(translator)
                assert caught.value.seconds == 0
            hang[0].cancel()  # who gives up frees no thread
            await asyncio.gather(hang[0], return_exceptions=True)
            with pytest.raises(EngineBusy):
                await engine.translate(["one more"], "en", FRENCH)
            server.open.set()
            assert await asyncio.gather(*hang[1:]) == [
                [f"fr text {n}"] for n in range(1, IN_FLIGHT)
            ]
            assert (await translated(translator)).startswith("fr ")

        run(engine, work)
    assert not any("one more" in body["q"] for body in server.asked)


@NEEDS_GOOGLE
def test_calls_that_hang_end_by_the_options_time_and_free_their_threads() -> None:
    from google.cloud.translate_v2 import Client

    with serving() as server:
        engine = googled(server.url, timeout=0.5)

        async def work() -> None:
            server.open.clear()
            call = partial(Client.translate, values="text", target_language="fr")
            jobs = [engine._asked(call) for _ in range(IN_FLIGHT)]
            ends = await asyncio.gather(*jobs, return_exceptions=True)
            assert all(isinstance(end, EngineFailed) and "too long" in str(end) for end in ends)
            # The client's own 60 s would keep the threads; the server still does not answer.
            free = asyncio.gather(
                *map(asyncio.wrap_future, engine._in_flight), return_exceptions=True
            )
            await asyncio.wait_for(free, 30)

        run(engine, work)


@NEEDS_GOOGLE
def test_many_texts_go_to_google_in_requests_that_it_takes() -> None:
    texts = [f"{n} {'x' * 90}" for n in range(300)]
    with serving() as server:
        engine = googled(server.url)
        answers = run(engine, lambda: engine.translate(texts, "en", FRENCH))
    assert answers == [f"fr {text}" for text in texts]
    asked = [body["q"] for body in server.asked]
    assert [text for some in asked for text in some] == texts
    assert all(sum(map(len, some)) <= Google.limit for some in asked)


def test_many_lines_go_to_libretranslate_in_requests_that_it_takes() -> None:
    texts = [f"line {n}" for n in range(100)]
    with serving() as server:
        engine = libre(server.url)
        answers = run(engine, lambda: engine.translate(texts, "en", FRENCH))
    assert answers == [f"fr {text}" for text in texts]
    assert [text for body in server.asked for text in body["q"]] == texts
    assert all(len(body["q"]) <= 32 for body in server.asked)
