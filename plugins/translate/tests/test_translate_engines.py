"""The engines' clients against local servers that speak their protocols."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from clawdbot_translate.engines.contract import Engine, EngineFailed, RefusedByEngine
from clawdbot_translate.engines.google import Google
from clawdbot_translate.engines.libretranslate import LibreTranslate
from clawdbot_translate.languages import Language
from clawdbot_translate.options import GoogleOptions, LibreTranslateOptions

FRENCH, CHINESE, WELSH = (Language.parse(code) for code in ("fr", "zh", "cy"))
TEXTS = ["good morning", "good night"]
NEEDS_GOOGLE = pytest.mark.skipif(
    find_spec("google") is None or find_spec("google.cloud") is None,
    reason="google-cloud-translate is not installed (the extra google)",
)
Answer = tuple[int, Any]


class Server:
    """A local server: ``requests`` that came, ``answer`` what they get instead of the usual.

    ``headers`` go with each answer.
    """

    def __init__(self, usual: Callable[[str, dict[str, Any]], Answer]) -> None:
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.answer: Callable[[str, dict[str, Any]], Answer] = usual
        self.headers: dict[str, str] = {}
        self.url = ""

    def texts(self) -> list[Any]:
        """The ``q`` of each request that had one."""
        return [body["q"] for _, body, _ in self.requests if "q" in body]


@contextmanager
def serving(usual: Callable[[str, dict[str, Any]], Answer]) -> Iterator[Server]:
    server = Server(usual)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve({})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            if "json" in self.headers["Content-Type"]:
                self._serve(json.loads(raw))
            else:
                self._serve({name: values[0] for name, values in parse_qs(raw.decode()).items()})

        def _serve(self, body: dict[str, Any]) -> None:
            path = urlsplit(self.path).path
            server.requests.append((path, body, dict(self.headers)))
            status, answer = server.answer(path, body)
            sent = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def libretranslate(path: str, body: dict[str, Any]) -> Answer:
    """What LibreTranslate answers: the list form from JSON alone, of a form the first text."""
    if path == "/languages":
        codes = ["en", "fr", "nb", "zh", "zt"]
        return 200, [{"code": code, "name": code, "targets": codes} for code in codes]
    said = [f"<{body['source']}-{body['target']}> {text}" for text in _list(body["q"])]
    return 200, {"translatedText": said if isinstance(body["q"], list) else said[0]}


def google(path: str, body: dict[str, Any]) -> Answer:
    """What Google's v2 answers."""
    if path.endswith("/languages"):
        codes = ["en", "fr", "iw", "zh-CN", "zh-TW"]
        return 200, {"data": {"languages": [{"language": code} for code in codes]}}
    said = [{"translatedText": f"<{body['target']}> {text}"} for text in _list(body["q"])]
    return 200, {"data": {"translations": said}}


def forbidden(reason: str) -> dict[str, Any]:
    """A body of Google's for 403."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
    errors = [{"message": "canary", "reason": "forbidden"}]
    return {"error": {"message": "canary", "code": 403, "errors": errors, "details": [info]}}


def _list(q: Any) -> list[str]:
    return q if isinstance(q, list) else [q]


def run(engine: Engine, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def all_of_it() -> Any:
        try:
            return await work()
        finally:
            await engine.close()

    return asyncio.run(all_of_it())


def libre(url: str, **options: Any) -> LibreTranslate:
    return LibreTranslate(LibreTranslateOptions.model_validate({"url": url, **options}))


def googled(url: str, **options: Any) -> Google:
    given = {"endpoint": url, "apiKey": "s3cret", **options}
    return Google(GoogleOptions.model_validate(given))


def test_libretranslate_translates_a_list_in_one_request() -> None:
    with serving(libretranslate) as server:
        engine = libre(server.url, apiKey="s3cret")
        answers = run(engine, lambda: engine.translate(TEXTS, "en", FRENCH))
    assert answers == ["<en-fr> good morning", "<en-fr> good night"]
    (path, body, _) = server.requests[-1]
    assert path == "/translate" and body["q"] == TEXTS and body["api_key"] == "s3cret"


def test_what_is_asked_at_the_same_time_shares_a_request_by_pair() -> None:
    with serving(libretranslate) as server:
        engine = libre(server.url)

        async def at_once() -> list[list[str]]:
            await engine.languages()
            return await asyncio.gather(
                engine.translate(["one"], "en", FRENCH),
                engine.translate(["two", "three"], "en", FRENCH),
                engine.translate(["four"], "", FRENCH),
            )

        answers = run(engine, at_once)
    assert answers == [["<en-fr> one"], ["<en-fr> two", "<en-fr> three"], ["<auto-fr> four"]]
    assert sorted(server.texts()) == [["four"], ["one", "two", "three"]]


def test_a_text_that_is_refused_costs_those_beside_it_nothing() -> None:
    def picky(path: str, body: dict[str, Any]) -> Answer:
        if "bad" in body.get("q", ()):
            return 400, {"error": "Invalid request"}
        return libretranslate(path, body)

    with serving(picky) as server:
        engine = libre(server.url)

        async def at_once() -> list[Any]:
            await engine.languages()
            return await asyncio.gather(
                engine.translate(["bad"], "en", FRENCH),
                engine.translate(["good"], "en", FRENCH),
                return_exceptions=True,
            )

        bad, good = run(engine, at_once)
    assert isinstance(bad, RefusedByEngine) and good == ["<en-fr> good"]


def test_codes_are_spelled_as_the_server_does() -> None:
    with serving(libretranslate) as server:
        engine = libre(server.url)
        known = run(engine, engine.languages)
        assert known == {"en", "fr", "no", "zh", "zh-Hant"}
        run(engine, lambda: engine.translate(["hi"], "no", CHINESE))
        assert (server.requests[-1][1]["source"], server.requests[-1][1]["target"]) == ("nb", "zh")


def test_a_language_that_the_server_lacks_is_refused_without_asking() -> None:
    with serving(libretranslate) as server:
        engine = libre(server.url)
        with pytest.raises(RefusedByEngine, match="has no Welsh"):
            run(engine, lambda: engine.translate(["hi"], "en", WELSH))
        assert server.texts() == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((429, {"error": "Slowdown"}), "takes no more requests for now"),
        ((503, {"error": "loading"}), "is overloaded or starting"),
        ((413, {"error": "canary"}), "as large as this"),
        ((403, {"error": "Invalid API key"}), "apiKey"),
        ((400, {"error": "Visit the portal to get an API key"}), "apiKey"),
        ((500, {"error": "boom"}), "answered 500"),
        ((502, b"<html>"), "answered 502"),
        ((200, b"<html>"), "no LibreTranslate"),
        ((200, {"hello": "world"}), "no LibreTranslate"),
        ((200, {"translatedText": "one text only"}), "something else"),
        ((200, {"translatedText": ["too", "many", "texts"]}), "another number"),
    ],
)
def test_libretranslates_troubles_are_told_and_quote_nothing(answer: Answer, words: str) -> None:
    with serving(libretranslate) as server:
        engine = libre(server.url)

        async def asked() -> None:
            await engine.languages()
            server.answer = lambda path, body: answer
            await engine.translate(["canary words"], "en", FRENCH)

        with pytest.raises(EngineFailed) as caught:
            run(engine, asked)
    assert words in str(caught.value) and "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there_is_told() -> None:
    with serving(libretranslate) as server:
        url = server.url
    engine = libre(url)
    with pytest.raises(EngineFailed, match="can't be reached"):
        run(engine, lambda: engine.translate(["hi"], "en", FRENCH))


def test_a_slow_server_is_given_up() -> None:
    awake = threading.Event()

    def slow(path: str, body: dict[str, Any]) -> Answer:
        awake.wait(30)
        return 200, []

    with serving(slow) as server:
        engine = libre(server.url, timeout=0.2)
        try:
            with pytest.raises(EngineFailed, match=r"took too long|can't be reached"):
                run(engine, engine.languages)
        finally:
            awake.set()


@NEEDS_GOOGLE
def test_google_translates_a_list_with_the_key_and_nothing_else() -> None:
    with serving(google) as server:
        engine = googled(server.url)
        answers = run(engine, lambda: engine.translate(TEXTS, "en", CHINESE))
    assert answers == ["<zh-CN> good morning", "<zh-CN> good night"]
    path, body, headers = server.requests[-1]
    assert path == "/language/translate/v2"
    assert body["q"] == TEXTS and body["source"] == "en" and body["format"] == "text"
    assert {name.lower(): value for name, value in headers.items()}["x-goog-api-key"] == "s3cret"


@NEEDS_GOOGLE
def test_google_lists_its_languages_by_our_codes() -> None:
    with serving(google) as server:
        engine = googled(server.url)
        assert run(engine, engine.languages) == {"en", "fr", "he", "zh", "zh-Hant"}


@NEEDS_GOOGLE
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, forbidden("canary")), "Enable the Cloud Translation API and billing"),
        ((403, forbidden("SERVICE_DISABLED")), "Enable the Cloud Translation API in its project"),
        ((403, forbidden("userRateLimitExceeded")), "quota"),
        ((429, {"error": {"message": "canary", "code": 429}}), "quota"),
        ((500, b"canary"), "answered 500"),
        ((503, b"canary"), "answered 503"),
        ((400, {"error": {"message": "canary", "code": 400}}), "takes no such request"),
        ((400, {"error": {"message": "API key not valid.", "code": 400}}), "google.apiKey"),
        ((200, {"data": {"translations": []}}), "no translation"),
    ],
)
def test_googles_troubles_are_told_and_quote_nothing(answer: Answer, words: str) -> None:
    with serving(google) as server:
        engine = googled(server.url)

        async def asked() -> None:
            await engine.languages()
            server.answer = lambda path, body: answer
            await engine.translate(["canary words"], "en", FRENCH)

        with pytest.raises(EngineFailed) as caught:
            run(engine, asked)
    assert words in str(caught.value) and "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


@NEEDS_GOOGLE
def test_a_google_that_is_not_there_is_told() -> None:
    with serving(google) as server:
        url = server.url
    engine = googled(url)
    with pytest.raises(EngineFailed, match="can't be reached"):
        run(engine, engine.languages)


@NEEDS_GOOGLE
def test_credentials_that_are_not_there_are_told_so_that_the_next_engine_is_asked(
    tmp_path: Path,
) -> None:
    engine = Google(GoogleOptions(credentials=str(tmp_path / "nowhere.json")))
    with pytest.raises(EngineFailed, match=r"google\.credentials"):
        run(engine, engine.languages)
