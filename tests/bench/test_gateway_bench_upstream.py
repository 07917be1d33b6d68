"""The upstream of ``make bench-gateway``: what it makes of bytes."""

from __future__ import annotations

import json

from gateway_parts.upstream import COMPLETION, EVENTS, HEALTHY, MODELS, STREAM, UNKNOWN, take


def post(body: bytes) -> bytes:
    return b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_a_request_is_answered_when_it_is_whole() -> None:
    whole = post(b'{"stream": false}')
    for end in range(len(whole)):
        assert take(whole[:end]) == ((), whole[:end])
    assert take(whole) == (COMPLETION, b"")


def test_what_follows_a_request_is_left_for_the_next_answer() -> None:
    assert take(post(b"{}") + b"GET /") == (COMPLETION, b"GET /")


def test_who_asks_for_a_stream_gets_all_its_events_and_the_end() -> None:
    assert take(post(b'{"stream": true}')) == (STREAM, b"")
    whole = b"".join(STREAM)
    assert whole.count(b"data: {") == EVENTS
    assert whole.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_other_paths_say_what_a_model_server_says() -> None:
    for path, found in ((b"/v1/models", MODELS), (b"/health", HEALTHY), (b"/metrics", UNKNOWN)):
        assert take(b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % path) == (found, b"")


def test_the_answers_are_json_of_the_length_they_say() -> None:
    for [answer] in (COMPLETION, MODELS, HEALTHY, UNKNOWN):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert int(head.rpartition(b"content-length: ")[2]) == len(body)
        json.loads(body)
