"""Calls that are handed on as they are."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from clawdcore.backend import Priority
from clawdcore.errors import BackendUnavailable, Overloaded, StreamCut
from clawdcore.gateway import generation
from clawdcore.gateway.generation import split_events

USAGE = b'{"choices":[],"usage":{"prompt_tokens":11,"total_tokens":18,"completion_tokens":7}}'
EVENT = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
CHAT = "/v1/chat/completions"


def body(**more: Any) -> bytes:
    return json.dumps({"model": "org/large", "messages": [], **more}).encode()


def test_the_body_goes_on_as_it_is_where_the_name_is_the_servers_own(house: Any) -> None:
    given = b'{ "messages": [{"x" :1.50}],  "model":"org/large", "top_k": 3 }'
    house.ask(CHAT, given)
    assert house.rooms.far.calls[0].body == given


def test_only_the_model_changes_where_it_has_the_providers_name(house: Any) -> None:
    house.ask(
        CHAT, b'{"messages": [{"x" :1.50}],"model":"far/org/large","seed":12345678901234567890}'
    )
    sent = house.rooms.far.calls[0].body
    assert sent == b'{"messages":[{"x" :1.50}],"model":"org/large","seed":12345678901234567890}'


def test_a_caller_does_not_choose_its_own_priority(house: Any) -> None:
    house.ask(CHAT, body(priority=-100))
    assert "priority" not in json.loads(house.rooms.far.calls[0].body)


@pytest.mark.parametrize("path", ["chat/completions", "responses"])
def test_the_answer_comes_back_as_it_is(house: Any, path: str) -> None:
    house.rooms.far.enqueue([USAGE[:20], USAGE[20:]])
    answer = house.ask(f"/v1/{path}", body())
    assert (answer.status, answer.body) == (200, USAGE)
    assert answer.headers["content-length"] == str(len(USAGE))
    assert house.rooms.far.calls[0].path == path
    assert house.rooms.far.closed == 1


def test_usage_at_the_end_is_what_counts(house: Any) -> None:
    house.rooms.far.enqueue([USAGE])
    house.ask(CHAT, body())
    assert house.rooms.admission.tickets[0].uses == [(11, 7)]


def test_words_that_look_like_usage_do_not_count(house: Any) -> None:
    said = json.dumps({"content": '{"completion_tokens": 999}'}).encode()
    house.rooms.far.enqueue([said])
    house.ask(CHAT, body())
    assert house.rooms.admission.tickets[0].uses[-1][1] == len(said) // 4


def test_events_are_counted_while_they_come(house: Any) -> None:
    house.rooms.far.enqueue([EVENT] * 40 + [b"data: [DONE]\n\n"])
    answer = house.ask(CHAT, body(stream=True))
    assert answer.body == EVENT * 40 + b"data: [DONE]\n\n"
    assert [output for _, output in house.rooms.admission.tickets[0].uses] == [16, 32, 41]


def test_what_is_asked_of_the_queue(house: Any) -> None:
    given = body(max_tokens=30, n=2, user="ada@example.org")
    house.ask(CHAT, given)
    ask = house.rooms.admission.tickets[0].ask
    assert (ask.priority, ask.chat) == (Priority.DIRECT, "api:default")
    assert (ask.prompt_tokens, ask.output_tokens) == (len(given) // 4, 60)
    assert ask.deadline == pytest.approx(60.0)
    assert ask.sender
    assert "ada" not in ask.sender
    call = house.rooms.far.calls[0]
    assert (call.key, call.sender, call.deadline) == (ask.chat, ask.sender, ask.deadline)


def test_one_user_is_one_sender(house: Any) -> None:
    async def scene() -> None:
        for user in ("ada", "bob", "ada", None):
            await house.call(CHAT, body(user=user))

    house.run(scene)
    ada, bob, again, nobody = [ticket.ask.sender for ticket in house.rooms.admission.tickets]
    assert ada == again
    assert len({ada, bob, nobody}) == 3
    assert nobody == ""


def test_a_picture_counts_as_a_picture(house: Any) -> None:
    url = "data:image/png;base64," + "A" * 400_000
    part = {"type": "image_url", "image_url": {"url": url}}
    house.ask(CHAT, body(messages=[{"role": "user", "content": [part]}]))
    assert 1000 <= house.rooms.admission.tickets[0].ask.prompt_tokens < 1100


@pytest.mark.parametrize("name", ["image_url", "image\\u005furl", "video_url"])
def test_nothing_is_fetched_by_the_server_behind_either(house: Any, name: str) -> None:
    part = json.dumps({"type": "x", "NAME": {"url": "http://10.0.0.1/secret"}}).replace(
        "NAME", name
    )
    given = f'{{"model":"org/large","messages":[{{"role":"user","content":[{part}]}}]}}'
    answer = house.ask(CHAT, given.encode())
    assert answer.status == 400
    assert "nothing is fetched" in answer.error["message"]
    assert "secret" not in answer.error["message"]
    assert not house.rooms.far.calls


def test_a_servers_refusal_comes_back_as_it_is(house: Any) -> None:
    house.rooms.far.status = 422
    house.rooms.far.enqueue([b'{"error":{"message":"no"}}'])
    answer = house.ask(CHAT, body())
    assert (answer.status, answer.error) == (422, {"message": "no"})
    assert house.rooms.admission.tickets[0].uses == []


@pytest.mark.parametrize(
    ("error", "status"),
    [(Overloaded("Full.", retry_after=0.1), 429), (BackendUnavailable("x"), 503)],
)
def test_errors_before_any_byte_have_their_status(house: Any, error: Any, status: int) -> None:
    house.rooms.far.enqueue(error, [error])
    assert house.ask(CHAT, body(stream=True)).status == status
    assert house.ask(CHAT, body(stream=True)).status == status
    assert house.rooms.refusals == (["far", "far"] if status == 429 else [])


def test_a_cut_stream_ends_between_events_with_an_error(house: Any) -> None:
    house.rooms.far.enqueue([EVENT, EVENT[:9], StreamCut("The connection ended.")])
    answer = house.ask(CHAT, body(stream=True))
    assert answer.body.startswith(EVENT)
    assert len(answer.events) == 2
    assert answer.events[-1]["error"]["code"] == "generation_failed"


def test_a_cut_answer_is_an_error(house: Any) -> None:
    house.rooms.far.enqueue([b'{"id":', StreamCut("The connection ended.")])
    assert house.ask(CHAT, body()).status == 502


def test_an_answer_without_end_is_given_up_and_its_call_closed(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "ANSWER_LIMIT", 10)
    house.rooms.far.enqueue([b"x" * 8] * 3)

    async def scene() -> None:
        answer = await house.call(CHAT, body())
        assert (answer.status, answer.error["code"]) == (502, "bad_answer")
        assert house.rooms.far.closed == 1

    house.run(scene)


def test_an_empty_stream_is_an_error(house: Any) -> None:
    house.rooms.far.enqueue([])
    assert house.ask(CHAT, body(stream=True)).status == 502


def test_a_deadline_ends_a_stream(house: Any) -> None:
    house.timeout = 10.0
    house.rooms.far.delay = 4.0
    house.rooms.far.enqueue([EVENT] * 9)
    answer = house.ask(CHAT, body(stream=True))
    assert answer.body.startswith(EVENT * 2)
    assert answer.events[-1]["error"]["code"] == "timeout"
    assert house.rooms.far.closed == 1


def test_a_deadline_before_any_byte_is_a_504(house: Any) -> None:
    house.timeout = 3.0
    house.rooms.far.delay = 4.0
    answer = house.ask(CHAT, body())
    assert (answer.status, answer.error["code"]) == (504, "timeout")


@pytest.mark.parametrize("stream", [False, True])
def test_who_hangs_up_gives_the_seat_back_at_once(house: Any, stream: bool) -> None:
    async def scene() -> float:
        house.rooms.far.delay = 5.0
        house.rooms.far.enqueue([EVENT] * 100)
        caller = house.caller(CHAT, body(stream=stream))
        await asyncio.sleep(12)
        caller.hang_up()
        await caller.task
        return asyncio.get_running_loop().time()

    assert house.run(scene) == pytest.approx(12.0)
    assert house.rooms.far.closed == 1


def test_who_hangs_up_while_a_backend_generates_ends_that(house: Any) -> None:
    async def scene() -> None:
        house.rooms.fake.delay = 5.0
        fields = {"model": "small", "messages": [{"role": "user", "content": "a b c d e f"}]}
        caller = house.caller(CHAT, {**fields, "stream": True})
        await caller.began.wait()
        caller.hang_up()
        await caller.task

    house.run(scene)
    assert house.rooms.fake.cancelled == 1


def test_who_hangs_up_in_the_queue_leaves_it(house: Any) -> None:
    async def scene() -> None:
        admission = house.rooms.admission
        admission.limit = 1
        house.rooms.far.delay = 50.0
        first, second, third = (house.caller(CHAT, body()) for _ in range(3))
        await asyncio.sleep(1)
        assert (admission.running, admission.waiting) == (1, 2)
        second.hang_up()
        await second.task
        assert admission.waiting == 1
        await first.task
        await third.task
        assert (first.answer.status, third.answer.status) == (200, 504)
        assert second.answer.status == 0

    house.run(scene)
    assert len(house.rooms.far.calls) == 2


def test_a_full_queue_says_when_to_come_back(house: Any) -> None:
    async def scene() -> Any:
        house.rooms.admission.limit, house.rooms.admission.bound = 1, 0
        house.rooms.far.delay = 5.0
        first = house.caller(CHAT, body())
        await asyncio.sleep(1)
        refused = await house.call(CHAT, body())
        await first.task
        return refused

    answer = house.run(scene)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert not house.rooms.refusals, "the bot refused it, and no server"
    assert (answer.error["type"], answer.error["code"]) == ("rate_limit_error", "overloaded")


def test_who_waits_past_the_deadline_is_told_so(house: Any) -> None:
    house.timeout = 10.0
    house.rooms.admission.limit = 0
    answer = house.ask(CHAT, body())
    assert (answer.status, answer.error["code"]) == (429, "too_late")
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"a\n\n", 3),
        (b"a\n\nb", 3),
        (b"a\r\n\r\nb", 5),
        (b"a\n\nb\r\n\r\nc", 8),
        (b"abc", 0),
        (b"x" * (2 << 20), 2 << 20),
    ],
)
def test_events_are_cut_between_events(data: bytes, whole: int) -> None:
    assert split_events(data) == (data[:whole], data[whole:])
