"""What plugins remember: values, bounds, and what the edge is told of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import msgspec
import pytest

from clawdcore.broker import Done, Outcome, Remember, Remembered, memory_broker
from clawdcore.errors import PluginError, ValueTooLarge
from clawdcore.worker.memory import Ahead, Memories


class Point(msgspec.Struct):
    x: int


def sent(memories: Memories) -> list[Remember]:
    """What the edge gets now."""

    async def run() -> list[Any]:
        edge, worker = memory_broker()
        await memories.send(worker)
        worker.close()
        records = []
        while True:
            try:
                records.append(await edge.receive())
            except Exception:  # noqa: BLE001 - the end of the broker
                return records

    return asyncio.run(run())


def test_what_was_set_is_there_until_it_is_deleted() -> None:
    memory = Memories().of("p")
    value = {"a": [1, "b"]}
    memory.set("k", value)
    assert memory.get("k") is value
    assert memory.keys() == ["k"]
    memory.delete("k")
    assert memory.get("k", default=3) == 3
    assert memory.keys() == []


def test_plugins_do_not_see_each_others_values() -> None:
    memories = Memories()
    memories.of("p").set("k", 1)
    assert memories.of("q").get("k") is None


def test_another_workers_value_is_decoded_once_as_the_type_asked_for() -> None:
    memories = Memories()
    memory = memories.of("p")
    memory.set("k", Point(1))
    memories.take(Remembered("p", "k", msgspec.msgpack.encode(Point(2))))
    found = memory.get("k", Point)
    assert found == Point(2)
    assert memory.get("k", Point) is found
    assert sent(memories) == [], "the edge has it already"


def test_what_another_worker_forgot_is_forgotten_here() -> None:
    memories = Memories()
    memories.of("p").set("k", 1)
    memories.take(Remembered("p", "k", b""))
    assert memories.of("p").get("k") is None


def test_of_several_changes_of_a_key_only_the_last_is_sent() -> None:
    memories = Memories()
    memory = memories.of("p")
    for number in range(100):
        memory.set("k", number)
    memory.set("gone", 1)
    memory.delete("gone")
    assert sent(memories) == [
        Remember("p", "k", msgspec.msgpack.encode(99)),
        Remember("p", "gone", None),
    ]
    assert sent(memories) == []


def test_a_value_that_is_too_large_is_refused_and_the_old_one_stays() -> None:
    memory = Memories(value_limit=10).of("p")
    memory.set("k", "x")
    with pytest.raises(ValueTooLarge, match="plugin 'p' remembers a value of 21 bytes"):
        memory.set("k", "y" * 20)
    assert memory.get("k") == "x"


@pytest.mark.parametrize("key", ["", "k" * 129])
def test_a_key_has_a_bounded_length(key: str) -> None:
    with pytest.raises(PluginError, match="1 to 128"):
        Memories().of("p").set(key, 1)


def test_what_was_set_longest_ago_goes_first_and_the_edge_is_told() -> None:
    memories = Memories(plugin_limit=30)
    memory = memories.of("p")
    for key in ("a", "b", "a", "c"):
        memory.set(key, "x" * 11)
    assert memory.keys() == ["a", "c"]
    assert {record.key: record.body is None for record in sent(memories)} == {
        "a": False,
        "b": True,
        "c": False,
    }


def test_a_change_leaves_before_the_answer_that_came_of_it() -> None:
    async def run() -> None:
        edge, worker = memory_broker()
        memories = Memories()
        memories.of("p").set("k", 1)
        await Ahead(worker, memories).send(Done(1, Outcome.ANSWERED))
        assert isinstance(await edge.receive(), Remember)
        assert isinstance(await edge.receive(), Done)

    asyncio.run(run())


def test_a_change_whose_sending_was_broken_off_is_sent_later() -> None:
    async def run() -> None:
        edge, worker = memory_broker(1)
        memories = Memories()
        memories.of("p").set("a", 1)
        memories.of("p").set("b", 2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await memories.send(worker)
        first = await edge.receive()
        await memories.send(worker)
        second = await edge.receive()
        assert [first.key, second.key] == ["a", "b"]  # type: ignore[union-attr]

    asyncio.run(run())


def test_a_change_made_in_a_thread_wakes_the_sender() -> None:
    async def run() -> None:
        edge, worker = memory_broker()
        memories = Memories()
        sender = asyncio.create_task(memories.run(worker))
        await asyncio.sleep(0)
        thread = threading.Thread(target=memories.of("p").set, args=("k", 1))
        thread.start()
        async with asyncio.timeout(10):
            assert await edge.receive() == Remember("p", "k", msgspec.msgpack.encode(1))
        thread.join()
        sender.cancel()

    asyncio.run(run())
