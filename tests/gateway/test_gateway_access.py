"""Who may call, and what a call may look like."""

from __future__ import annotations

import logging
from hmac import compare_digest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.backend import Priority
from clawdcore.gateway import keys as keys_module
from clawdcore.gateway.chat import Chat
from clawdcore.gateway.envelope import open_envelope, prompt_tokens
from clawdcore.gateway.exchange import BODY_LIMIT, Held
from clawdcore.gateway.keys import Key, Keys
from clawdcore.gateway.problems import Problem
from clawdcore.gateway.responses import Responses

CHAT = "/v1/chat/completions"
GOOD = {"model": "small", "messages": [{"role": "user", "content": "Hello"}]}
BOTH = Keys([Key.of("default", "s3cret"), Key.of("batch", "other", Priority.MEDIA)])


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_each_token_has_its_class_and_its_share(house: Any) -> None:
    house.keys = BOTH

    async def scene() -> list[int]:
        answers = [
            await house.call(CHAT, GOOD, headers=bearer(token)) for token in ("s3cret", "other")
        ]
        return [answer.status for answer in answers]

    assert house.run(scene) == [200, 200]
    asks = [ticket.ask for ticket in house.rooms.admission.tickets]
    assert [(ask.chat, ask.priority) for ask in asks] == [
        ("api:default", Priority.DIRECT),
        ("api:batch", Priority.MEDIA),
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("wrong"),
        bearer(""),
        {"authorization": "Basic s3cret"},
        {"authorization": "s3cret"},
    ],
)
@pytest.mark.parametrize("path", [CHAT, "/v1/responses"])
def test_without_a_right_token_nothing_is_read(house: Any, headers: Any, path: str) -> None:
    house.keys = BOTH
    answer = house.ask(path, b"not even JSON", headers=headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.error["code"] == "invalid_api_key"


def test_every_token_is_compared_whole_and_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def spy(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare_digest(one, other)

    monkeypatch.setattr(keys_module.hmac, "compare_digest", spy)
    for header in (b"Bearer s3cret", b"Bearer other", b"Bearer x", None, b"Basic s3cret"):
        compared.clear()
        BOTH.find(header)
        assert len(compared) == 2
        assert all(len(one) == len(other) == 32 for one, other in compared)


@given(st.from_regex(r"[!-~]+", fullmatch=True), st.binary())
def test_only_the_token_itself_opens(token: str, other: bytes) -> None:
    keys = Keys([Key.of("it", token)])
    assert keys.find(b"bearer " + token.encode()) is not None
    if other.strip() != token.encode():
        assert keys.find(b"Bearer " + other) is None


def test_a_key_does_not_show_its_token() -> None:
    assert "s3cret" not in repr(Key.of("it", "s3cret"))
    assert b"s3cret" not in Key.of("it", "s3cret").digest


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:18780", 200),
        ("127.0.0.1", 200),
        ("[::1]:18780", 200),
        ("192.168.1.7:18780", 200),
        ("", 200),
        ("evil.example:18780", 421),
        ("127.0.0.1.evil.example", 421),
    ],
)
def test_without_tokens_a_page_cannot_call_us_by_its_own_name(
    house: Any, host: str, status: int
) -> None:
    assert house.ask(CHAT, GOOD, headers={"host": host}).status == status
    assert house.ask("/v1/models", headers={"host": host}).status == status
    assert house.ask("/metrics", headers={"host": host}).status == status


def test_with_a_token_the_host_does_not_matter(house: Any) -> None:
    house.keys = BOTH
    answer = house.ask(CHAT, GOOD, headers={"host": "bot.example", **bearer("s3cret")})
    assert answer.status == 200


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data; boundary=x"])
def test_only_json_is_read(house: Any, kind: str) -> None:
    assert house.ask(CHAT, GOOD, headers={"content-type": kind}).status == 415


def test_a_charset_is_no_other_type(house: Any) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert house.ask(CHAT, GOOD, headers=headers).status == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "ends too early"),
        (b'{"model": "hush', "ends too early"),
        (b'{"model": hush}', "byte 10"),
        (b'["hush"]', "expected `object`"),
        (b'{"model": "hush\xff"}', "UTF-8"),
        (b'{"model": "small", "x": ' + b"[" * 100_000 + b"}", "nested too deeply"),
        (b'{"model": "small", "messages": 1, "n": 99999999999999999999}', "n "),
        (b'{"model": "small", "messages": [1]}', "messages[0]"),
        (b'{"model": "small", "messages": [{"role": "user", "content": {"hush": 1}}]}', "content"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_where(house: Any, body: bytes, said: str) -> None:
    answer = house.ask(CHAT, body)
    assert answer.status == 400
    assert said in answer.error["message"]
    assert "hush" not in answer.error["message"]


@given(body=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_no_body_at_all_makes_the_gateway_fail(body: bytes) -> None:
    for read in (open_envelope, prompt_tokens, Chat().read, Responses().read):
        try:
            read(body)
        except Problem as problem:
            assert problem.status == 400


def test_a_large_body_is_refused_by_its_length_alone(house: Any) -> None:
    answer = house.ask(CHAT, b"x", headers={"content-length": str(BODY_LIMIT + 1)})
    assert (answer.status, answer.error["code"]) == (413, "body_too_large")


def test_a_large_body_is_refused_in_pieces_too(house: Any) -> None:
    piece = b" " * (1 << 20)
    answer = house.ask(CHAT, pieces=[piece] * 21)
    assert answer.status == 413
    assert answer.headers["connection"] == "close"


def test_a_body_of_the_limit_itself_is_read(house: Any) -> None:
    start = b'{"model":"org/large","messages":[]'
    body = start + b" " * (BODY_LIMIT - len(start) - 1) + b"}"
    assert house.ask(CHAT, pieces=[body[: 1 << 20], body[1 << 20 :]]).status == 200


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 40])
def test_a_strange_length_is_refused(house: Any, length: str) -> None:
    assert house.ask(CHAT, GOOD, headers={"content-length": length}).status == 400


def test_all_bodies_together_are_bounded() -> None:
    held = Held(10)
    held.take(6)
    with pytest.raises(Problem) as refused:
        held.take(5)
    assert refused.value.status == 503
    held.give_back(6)
    held.take(10)


def test_bodies_are_counted_while_they_are_held(house: Any) -> None:
    house.gateway._held = Held(200)

    async def scene() -> list[int]:
        answers = [await house.call(CHAT, GOOD) for _ in range(5)]
        answers.append(await house.call(CHAT, {**GOOD, "user": "x" * 200}))
        answers.append(await house.call(CHAT, GOOD))
        return [answer.status for answer in answers]

    assert house.run(scene) == [200] * 5 + [503, 200]


def test_a_gateway_that_stops_takes_no_more(house: Any) -> None:
    house.gateway.stopping = True
    answer = house.ask(CHAT, GOOD)
    assert (answer.status, answer.error["code"]) == (503, "stopping")
    assert answer.headers["retry-after"] == "1"
    assert house.ask("/ready").status == 503
    assert house.ask("/health").status == 200


def test_a_body_that_does_not_come_is_not_waited_for(house: Any) -> None:
    answer = house.ask(CHAT, b"{", stalled=True)
    assert (answer.status, answer.error["code"]) == (408, "timeout")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", CHAT, 405, "POST"),
        ("OPTIONS", CHAT, 405, "POST"),
        ("POST", "/health", 405, "GET, HEAD"),
        ("DELETE", "/v1/models/small", 405, "GET, HEAD"),
        ("GET", "/nothing/here", 404, None),
        ("POST", "/v1/embeddings", 404, None),
        ("GET", "/", 404, None),
    ],
)
def test_what_is_not_there_is_said(
    house: Any, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = house.ask(path, method=method)
    assert (answer.status, answer.headers.get("allow")) == (status, allow)
    assert answer.error["type"] == "invalid_request_error"


def test_nothing_that_a_caller_wrote_is_logged(
    house: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    house.rooms.fake.enqueue(ValueError("hush-a"), "hush-b")
    house.chat(text="hush-c", user="hush-d")
    house.chat(text="hush-c", user="hush-d")
    house.ask("/hush-e", b"hush-f", headers=bearer("hush-g"))
    assert any("ValueError" in record.message for record in caplog.records)
    assert "hush" not in caplog.text


def test_a_failure_of_ours_is_a_500_without_details(
    house: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Any:
        raise RuntimeError("hush")

    house.gateway  # noqa: B018 - made before its rooms break
    house.rooms.vitals = fail
    house.gateway._rooms = house.rooms
    answer = house.ask("/health")
    assert (answer.status, answer.error["code"]) == (500, "internal")
    assert "hush" not in answer.error["message"] + caplog.text
