"""Priority, catalogue, addresses, statuses and the doctor: small decisions."""

from __future__ import annotations

from typing import Any

import pytest

from clawdbot_vllm.catalogue import Listed, hearing, is_vllm, merged, parse
from clawdbot_vllm.failures import LONGEST_WAIT, Kind, Where, of_status, seconds
from clawdbot_vllm.options import DEFAULT_CONTEXT, VllmOptions
from clawdbot_vllm.priority import Decision, decide, headers, policy
from clawdbot_vllm.servers import address
from clawdcore import ModelConfig, Overloaded, Priority


@pytest.mark.parametrize(
    ("option", "vllm", "told", "send", "noted"),
    [
        (None, True, "priority", True, False),
        (None, True, "fcfs", False, True),
        (None, True, "", True, True),
        (None, False, "", False, True),
        (True, False, "fcfs", True, False),
        (False, True, "priority", False, False),
    ],
)
def test_priority_by_what_is_known(
    option: bool | None, vllm: bool, told: str, send: bool, noted: bool
) -> None:
    decision = decide(option, is_vllm=vllm, told=told)
    assert decision.send is send
    assert bool(decision.note) is noted


def test_the_more_urgent_has_the_lower_number() -> None:
    numbers = [
        int(headers(Decision(True), urgency)["X-Vllm-Priority"])
        for urgency in (Priority.CONTROL, Priority.DIRECT, Priority.GROUP, Priority.MEDIA)
    ]
    assert numbers == sorted(set(numbers))
    assert headers(Decision(False), Priority.DIRECT) == {}


@pytest.mark.parametrize("info", [b"", b"[]", b"{}", b'{"vllm_config": "a text"}'])
def test_a_server_that_says_no_policy(info: bytes) -> None:
    assert policy(info) == ""


def test_models_come_from_the_server_and_the_configuration() -> None:
    listed = parse(b'{"data":[{"id":"a","max_model_len":8192,"owned_by":"vllm"},{"id":"b"}]}')
    assert is_vllm(listed)
    options = VllmOptions(images=["b"], tools=True, audio=["b"])
    [a, b] = merged(listed, [], options)
    assert (a.id, a.context_length, a.max_output_tokens) == ("a", 8192, 8192)
    assert (b.id, b.context_length) == ("b", DEFAULT_CONTEXT)
    assert (a.images, a.tools, a.audio) == (False, True, False)
    assert (b.images, b.tools, b.audio) == (True, True, True)
    configured = [ModelConfig(id="b", context_length=1000, max_output_tokens=5000)]
    [b] = merged(listed, configured, options)
    assert (b.context_length, b.max_output_tokens) == (1000, 1000)
    [a] = merged(listed, [ModelConfig(id="a", max_output_tokens=64)], options)
    assert (a.context_length, a.max_output_tokens) == (8192, 64)


def test_another_server_is_not_taken_for_vllm() -> None:
    assert not is_vllm([Listed("a", owned_by="llamacpp")])


def test_who_listens() -> None:
    models = merged([Listed("a"), Listed("b")], [], VllmOptions())
    assert hearing(VllmOptions(audio=["b"]), models) == "b"
    assert hearing(VllmOptions(), models) == "a"
    assert hearing(VllmOptions(), []) == ""


@pytest.mark.parametrize(
    ("url", "name", "base", "root"),
    [
        ("http://h:8000/v1", "h:8000", "http://h:8000/v1", "http://h:8000"),
        ("http://h/v1/", "h:80", "http://h/v1", "http://h"),
        ("https://h/llm/v1", "h:443", "https://h/llm/v1", "https://h/llm"),
        ("http://h:1", "h:1", "http://h:1", "http://h:1"),
        ("http://[::1]:8000/v1", "[::1]:8000", "http://[::1]:8000/v1", "http://[::1]:8000"),
    ],
)
def test_an_address_is_taken_apart(url: str, name: str, base: str, root: str) -> None:
    taken = address(url, None)
    assert (taken.name, taken.base, taken.root) == (name, base, root)
    assert taken.headers == {}


def test_a_password_in_the_address_is_sent_and_not_shown() -> None:
    taken = address("http://ada:p%40ss@h:8000/v1", None)
    assert taken.headers == {"Authorization": "Basic YWRhOnBAc3M="}
    assert taken.base == "http://h:8000/v1"
    assert "p%40ss" not in repr(taken)
    assert "YWRh" not in repr(taken)
    keyed = address("http://ada:p%40ss@h:8000/v1", "sk-1")
    assert keyed.headers == {"Authorization": "Bearer sk-1"}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("", None),
        ("-1", None),
        ("nan", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("1e9", LONGEST_WAIT),
    ],
)
def test_retry_after_is_seconds(header: str, value: float | None) -> None:
    assert seconds(header) == value


def test_the_measured_wait_is_told_where_the_server_tells_none() -> None:
    failed = of_status(Where("vllm", "h:1"), 503, b"", wait=4.5)
    assert failed.kind is Kind.BUSY
    assert isinstance(failed.error, Overloaded)
    assert failed.error.retry_after == 4.5


@pytest.mark.parametrize(
    ("info", "status"),
    [("priority", "OK"), ("fcfs", "WARN"), (None, None)],
)
def test_the_doctor_says_how_a_server_schedules(kit: Any, info: str | None, status: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            if info is not None:
                server.info = {"vllm_config": {"scheduler_config": {"policy": info}}}
            lines = await kit.made(server).diagnose()
            assert [line[0] for line in lines] == ([status] if status else [])
            assert not server.posts

    kit.run(story)


def test_the_doctor_is_calm_about_a_server_that_is_not_there(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            backend = kit.made(server)
        assert await backend.diagnose() == []

    kit.run(story)


def test_the_doctor_sees_what_the_options_undo(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            [line] = await kit.made(server, options={"priority": False}).diagnose()
            assert "all classes of work are equal" in line[1]
            [line] = await kit.made(server, server).diagnose()
            assert "same host and port" in line[1]

    kit.run(story)
