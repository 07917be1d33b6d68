"""The harness itself: time, network, and a plugin that lives outside this repository."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from clawdcore import PASS, Button, Context, Edit, Message, Needs, Press, Reply, Toast, hookimpl
from clawdcore.testing import (
    FakeBackend,
    Group,
    Harness,
    NetworkRefused,
    User,
    VirtualLoop,
    network_refused,
)
from clawdcore.testing.clock import Stuck

HELLO = """
from clawdcore import hookimpl

@hookimpl
def register_commands(register):
    @register("hello")
    async def hello(message):
        "Say hello"
        return f"Hello {message.sender.name}!"
"""
TEST = """
def test_hello(bot):
    assert bot.say("/hello") == "Hello Ada!"
"""
PROJECT = """
[project]
name = "clawdbot-hello"
version = "1.0"
dependencies = ["clawdcore"]

[project.entry-points.clawdbot]
hello = "clawdbot_hello"
"""


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_three_lines_test_a_plugin_outside_the_repository(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "clawdbot_hello.py").write_text(HELLO)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_hello.py").write_text(TEST)
    result = pytest_in(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout


def test_a_plugin_that_can_t_be_loaded_fails_its_test_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "clawdbot_hello.py").write_text(
        HELLO.replace("register_commands", "register_command")
    )
    (tmp_path / "test_hello.py").write_text(TEST)
    result = pytest_in(tmp_path)
    assert result.returncode == 1
    assert "Did you mean 'register_commands'?" in result.stdout


def test_without_a_plugin_the_fixture_says_how_to_declare_one(tmp_path: Path) -> None:
    (tmp_path / "test_hello.py").write_text(TEST)
    result = pytest_in(tmp_path)
    assert result.returncode == 1
    assert "[project.entry-points.clawdbot]" in result.stdout


class Plugin:
    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("later")
        async def later(message: Message) -> str:
            """An hour later"""
            await asyncio.sleep(3600)
            return "done"

        @register("thread")
        def thread(message: Message) -> str:
            """In a thread"""
            time.sleep(0.05)
            return threading.current_thread().name

        @register("remember")
        async def remember(message: Message, word: str = "") -> str:
            """Keep a setting"""
            if word:
                await context.storage.set("word", word, user=message.sender.id)
            return str(await context.storage.get("word", user=message.sender.id))


LONG = {"agents": {"defaults": {"timeout": {"request": 1000, "total": 3_600_000}}}}


@pytest.mark.plugins(Plugin())
@pytest.mark.config(LONG)
@pytest.mark.failures
def test_an_hour_takes_no_time(bot: Harness) -> None:
    began = time.monotonic()
    bot.send("/later")
    bot.advance(3599)
    assert bot.sent == []
    bot.advance(2)
    assert time.monotonic() - began < 60


@pytest.mark.plugins(Plugin())
def test_plain_functions_run_in_threads_and_storage_works(bot: Harness) -> None:
    assert bot.say("/thread") != threading.current_thread().name
    assert bot.say("/remember blue") == "blue"
    assert bot.say("/remember") == "blue"


@pytest.mark.plugins(Plugin())
def test_the_network_is_refused_with_advice(bot: Harness) -> None:
    import socket

    with pytest.raises(NetworkRefused, match=r"own ports: mark .*pytest\.mark\.network"):
        socket.create_connection(("127.0.0.1", 9))


def test_the_refusal_ends_with_its_block() -> None:
    import socket

    before = socket.socket.connect, socket.getaddrinfo
    with network_refused():
        assert socket.socket.connect is not before[0]
    assert (socket.socket.connect, socket.getaddrinfo) == before


def test_virtual_time_jumps_in_order() -> None:
    loop = VirtualLoop()
    seen: list[float] = []

    async def at(seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append(loop.time())

    async def story() -> None:
        await asyncio.gather(at(30), at(10), at(20))

    loop.run_until_complete(story())
    loop.close()
    assert seen == [10.0, 20.0, 30.0]


def test_a_wait_for_nothing_is_told_instead_of_hanging() -> None:
    loop = VirtualLoop()

    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        loop.run_until_complete(story())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_the_backend_is_started_and_closed() -> None:
    backend = FakeBackend()
    with Harness(backend=backend) as bot:
        assert "can't do anything" in bot.say("hi")
        assert backend.started
    assert not backend.started


class Asks:
    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("model")
        async def model(message: Message) -> str:
            """The model's id"""
            return (await context.models.info()).id


@pytest.mark.parametrize("backend", [None, FakeBackend()])
def test_the_fake_model_is_called_as_the_configured_one(backend: FakeBackend | None) -> None:
    config = {"agents": {"defaults": {"model": {"primary": "llamacpp/org/some-model"}}}}
    with Harness([Asks()], config=config, backend=backend) as bot:
        assert bot.say("/model") == "org/some-model"


def test_what_ended_the_bot_is_raised_and_nothing_after_it() -> None:
    async def dies(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the cause")

    with pytest.raises(ExceptionGroup) as caught, Harness() as bot:
        bot.telegram.poll = dies  # type: ignore[assignment, method-assign]
        bot.say("hi")
    assert caught.group_contains(ZeroDivisionError, match="the cause")
    assert caught.value.__context__ is None
    assert bot.loop.is_closed()


def test_a_bot_that_can_t_start_leaves_no_loop_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[VirtualLoop] = []

    class Kept(VirtualLoop):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    async def broken(_: object) -> None:
        raise OSError("no start")

    monkeypatch.setattr("clawdcore.testing.harness.VirtualLoop", Kept)
    monkeypatch.setattr("clawdcore.testing.harness.Worker.start", broken)
    with pytest.raises(OSError, match="no start"):
        Harness()
    assert [loop.is_closed() for loop in made] == [True]


def test_readers_run_once_for_a_message() -> None:
    runs: list[str] = []

    class Reads:
        @hookimpl
        def register_readers(self, register: Any) -> None:
            @register("photo")
            async def read(attachment: Any, message: Message) -> str:
                runs.append(attachment.file_id)
                return f"a photo of {message.id}"

        @hookimpl
        def register_handlers(self, register: Any) -> None:
            @register("photo")
            async def first(message: Message) -> object:
                await message.text()
                return PASS

            @register("photo")
            async def second(message: Message) -> str:
                return await message.text()

    photo = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}
    person = {"id": 101, "is_bot": False, "first_name": "A"}
    chat = {"id": 101, "type": "private"}
    with Harness([Reads()]) as bot:
        update = {"message_id": 9, "date": 0, "chat": chat, "from": person, "photo": [photo]}
        bot.inject({"message": update})
        assert [sent.text for sent in bot.sent] == ["a photo of 9"]
    assert runs == ["f"]


def test_a_marked_bot_reaches_a_server_of_the_test(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "clawdbot_hello.py").write_text(ASKS_SERVER)
    (tmp_path / "test_hello.py").write_text(TEST_SERVER)
    result = pytest_in(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


ASKS_SERVER = HELLO.replace("(message):", "(message, port: int):").replace(
    """return f"Hello {message.sender.name}!\"""",
    """
        import asyncio
        async with asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            said = await reader.read()
        writer.close()
        await asyncio.sleep(0.01)
        return said.decode()""",
)
TEST_SERVER = """
import pytest, socket, threading, time

@pytest.mark.network
def test_hello(bot):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            connection, _ = server.accept()
            with connection:
                time.sleep(0.05)
                connection.sendall(b"from afar")
        thread = threading.Thread(target=answer)
        thread.start()
        assert bot.say(f"/hello {server.getsockname()[1]}") == "from afar"
        thread.join()
    assert 0.05 < bot.loop.time() < 15
"""


class Choice:
    """Two messages with buttons."""

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("choose")
        async def choose(message: Message, what: str) -> Reply:
            """Choose"""
            rows = ((Button("Yes", "yes", what), Button("Page", url="https://example.org")),)
            return Reply(text=what, buttons=rows)

    @hookimpl
    def register_buttons(self, register: Any) -> None:
        @register("yes")
        async def yes(press: Press) -> tuple[Toast, str]:
            return Toast(f"{press.sender.name} chose {press.data}"), "noted"


def test_buttons_are_pressed_by_what_they_say() -> None:
    with Harness([Choice()]) as bot:
        bot.say("/choose tea")
        bot.say("/choose milk", chat=Group())
        assert bot.buttons == ["Yes", "Page", "Yes", "Page"]
        assert bot.press("Yes") == "noted"
        assert bot.press("Yes", message=bot.sent[0], sender=User(5, "Bob")) == "noted"
        assert bot.toasts == ["Ada chose milk", "Bob chose tea"]
        assert bot.books.answered == 4


@pytest.mark.parametrize("text", ["No", "Page"])
def test_a_button_that_can_t_be_pressed_is_named_with_those_that_are_there(text: str) -> None:
    with Harness([Choice()]) as bot:
        bot.say("/choose tea")
        with pytest.raises(LookupError, match="Yes"):
            bot.press(text)


class Faulty:
    """Fails, edits, and calls a service."""

    @hookimpl
    def needs(self) -> Needs:
        return Needs(hosts=("api.example.org",))

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("fail")
        async def fail(message: Message) -> str:
            """Fail"""
            raise KeyError("what somebody wrote")

        @register("rate")
        async def rate(message: Message, of: str) -> str:
            """Ask a service"""
            answer = await context.http.get("https://api.example.org/rate", params={"of": of})
            return f"{answer.json()['rate']}"

    @hookimpl
    def register_readers(self, register: Any) -> None:
        @register("photo")
        async def read(attachment: Any) -> str:
            raise ValueError("pixels")

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo", "text")
        async def text(message: Message) -> str:
            return await message.text() or "nothing"


@pytest.mark.plugins(Faulty())
def test_what_a_plugin_raises_is_raised_where_the_test_waits(bot: Harness) -> None:
    with pytest.raises(KeyError) as caught:
        bot.say("/fail")
    assert "the plugin 'faulty'" in " ".join(caught.value.__notes__)
    with pytest.raises(ValueError, match="pixels"):
        bot.say(photo=b"...")
    assert bot.say("hello") == "hello"


@pytest.mark.plugins(Faulty())
@pytest.mark.failures
def test_a_test_that_expects_failures_sees_what_the_user_sees(bot: Harness) -> None:
    assert "went wrong" in bot.say("/fail")
    assert bot.say(photo=b"...") == "nothing"
    assert [(plugin, type(error)) for plugin, error in bot.failures] == [
        ("faulty", KeyError),
        ("faulty", ValueError),
    ]


@pytest.mark.plugins(Faulty())
def test_a_flood_is_answered_or_refused_and_nothing_is_lost(bot: Harness) -> None:
    flood = bot.flood(120, "hello", people=40)
    assert (flood.answered + flood.noticed, bot.books.open) == (120, 0)
    assert flood.answered == 120
    assert {sent.chat for sent in flood.sent} == {sent.chat for sent in bot.sent}
    assert len({sent.chat for sent in flood.sent}) == 40
    in_group = bot.flood(7, "@clawd_bot hi", chat=Group())
    assert in_group.answered == 7
    assert {sent.chat for sent in in_group.sent} == {Group().id}


def test_edits_lists_what_messages_became() -> None:
    class Counting:
        @hookimpl
        def register_commands(self, register: Any) -> None:
            @register("count")
            async def count(message: Message) -> Reply:
                """Count"""
                return Reply(text="0", buttons=((Button("+", "add", "1"),),))

        @hookimpl
        def register_buttons(self, register: Any) -> None:
            @register("add")
            async def add(press: Press) -> Edit:
                return Edit(press.data, ((Button("+", "add", str(int(press.data) + 1)),),))

    with Harness([Counting()]) as bot:
        bot.say("/count")
        bot.press("+")
        bot.press("+")
        assert [text for _, _, text in bot.edits] == ["1", "2"]
        assert {(chat, id) for chat, id, _ in bot.edits} == {(bot.sent[0].chat, bot.sent[0].id)}
