"""What the load of ``make bench-gateway`` asks, and how it sees an answer's end."""

from __future__ import annotations

from gateway_parts.asking import outcome, request_of
from gateway_parts.upstream import COMPLETION, STREAM, UNKNOWN, take


def test_the_upstream_understands_the_request() -> None:
    assert take(request_of(80, stream=False)) == (COMPLETION, b"")
    assert take(request_of(80, stream=True)) == (STREAM, b"")


def test_an_answer_is_good_once_it_is_whole_and_not_before() -> None:
    for pieces, stream in ((COMPLETION, False), (STREAM, True)):
        whole = b"".join(pieces)
        for end in range(len(whole)):
            assert outcome(whole[:end], stream=stream) == "more"
        assert outcome(whole, stream=stream) == "good"


def test_another_status_is_bad() -> None:
    assert outcome(UNKNOWN[0], stream=False) == "bad"


def test_an_answer_without_the_models_words_is_bad() -> None:
    empty = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    assert outcome(empty, stream=False) == "bad"


def test_a_stream_that_breaks_off_is_bad() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert outcome(head + b"3\r\n{}\n\r\n0\r\n\r\n", stream=True) == "bad"


def test_an_answer_that_ends_with_its_connection_is_bad() -> None:
    assert outcome(b"HTTP/1.1 200 OK\r\n\r\n", stream=False) == "bad"
