"""The story of a message, told through the whole bot."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from clawdcore import PASS, Context, Message, Overloaded, Reply, Request, Turn, hookimpl
from clawdcore.broker import Send
from clawdcore.errors import (
    BackendUnavailable,
    ContextOverflow,
    FileUnavailable,
    GenerationFailed,
    StorageError,
)
from clawdcore.testing import ADA, Group, Harness, User
from clawdcore.worker.guard import GRACE
from clawdcore.worker.streaming import ANSWER_LIMIT, BREATH

GROUP = Group()
BOB = User(202, "Bob", "bob")


class Commands:
    """One command of each kind."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.gate = asyncio.Event()

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("hello")
        async def hello(message: Message) -> str:
            """Say hello"""
            return f"Hello {message.sender.name}!"

        @register("add", "plus", example="/add 1 2")
        def add(message: Message, a: int, b: int = 1) -> str:
            """Add numbers"""
            return str(a + b)

        @register("silent")
        async def silent(message: Message) -> None:
            """Say nothing"""

        @register("count")
        async def count(message: Message) -> AsyncIterator[str]:
            """Count slowly"""
            for number in range(4):
                await asyncio.sleep(1)
                yield f"{number} "

        @register("broken")
        async def broken(message: Message, words: str = "") -> str:
            """Fail"""
            raise ValueError(words)

        @register("half")
        async def half(message: Message) -> AsyncIterator[str]:
            """Fail half way"""
            yield "the beginning"
            raise GenerationFailed("gone")

        @register("wrong")
        async def wrong(message: Message) -> int:
            """Return nonsense"""
            return 3

        @register("sleep")
        async def sleep(message: Message, seconds: float) -> str:
            """Sleep"""
            await asyncio.sleep(seconds)
            return f"slept {seconds:g}"

        @register("html")
        async def html(message: Message) -> Reply:
            """Bold"""
            return Reply(text="<b>x</b> & y", format="html", quote=False)

        @register("wait")
        async def wait(message: Message, number: str) -> str:
            """Wait for the gate"""
            self.calls.append(number)
            await self.gate.wait()
            return number


class Model:
    """Answers text from the model, one at a time in a session."""

    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        @register("text", serial=lambda message: message.session)
        async def chat(message: Message) -> AsyncIterator[str]:
            request = Request(turns=(Turn("user", message.body),))
            async for chunk in context.models.generate(request):
                yield chunk.text


def test_command_answers_with_a_quote() -> None:
    with Harness([Commands()]) as bot:
        assert bot.say("/hello") == "Hello Ada!"
        assert bot.sent[0].reply_to == 1
        assert bot.books.answered == 1


def test_plain_functions_aliases_and_defaults() -> None:
    with Harness([Commands()]) as bot:
        assert bot.say("/plus 1") == "2"
        assert bot.say("/add 1 5") == "6"


def test_wrong_words_get_usage_and_example() -> None:
    with Harness([Commands()]) as bot:
        said = bot.say("/add one")
        assert "a must be a whole number." in said
        assert "Usage: /add <a> [b]" in said
        assert "Example: /add 1 2" in said
        assert bot.books.noticed == 1


def test_usage_is_in_the_user_s_language() -> None:
    with Harness([Commands()]) as bot:
        assert "用法" in bot.say("/add", sender=User(5, "小明", language="zh-hans"))


def test_unknown_command_names_the_nearest() -> None:
    with Harness([Commands()]) as bot:
        assert "/hello" in bot.say("/helo")
        assert bot.say("/helo", chat=GROUP) == ""


def test_command_that_answers_nothing() -> None:
    with Harness([Commands()]) as bot:
        assert bot.say("/silent") == ""
        assert bot.books.answered == 1


def test_stream_is_shown_while_it_grows() -> None:
    with Harness([Commands()]) as bot:
        assert bot.say("/count") == "0 1 2 3"
        shown = [text for _, text in bot.telegram.drafts]
        assert shown == ["0", "0 1", "0 1 2", "0 1 2 3"][: len(shown)]
        assert len(shown) >= 3


def test_stream_is_not_shown_in_groups() -> None:
    with Harness([Commands()]) as bot:
        assert bot.say("/count", chat=GROUP) == "0 1 2 3"
        assert bot.telegram.drafts == []


def test_html_becomes_entities() -> None:
    with Harness([Commands()]) as bot:
        assert bot.say("/html") == "x & y"
        assert bot.sent[0].entities[0].type == "bold"
        assert bot.sent[0].reply_to == 0


def test_error_of_a_plugin_is_noticed_and_its_text_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG), Harness([Commands()]) as bot:
        assert "went wrong" in bot.say("/broken canary-4711")
        assert "went wrong" in bot.say("/wrong")
        assert bot.books.noticed == 2
    assert "ValueError at broken" in caplog.text
    assert "canary" not in caplog.text


def test_a_stream_that_breaks_keeps_what_it_had() -> None:
    with Harness([Commands()]) as bot:
        said = bot.say("/half")
        assert said.startswith("the beginning")
        assert "isn't answering" in said
        assert bot.books.noticed == 1


def test_time_is_bounded_and_the_end_is_noticed() -> None:
    with Harness(
        [Commands()], config={"agents": {"defaults": {"timeout": {"total": 10_000}}}}
    ) as bot:
        assert bot.say("/sleep 9") == "slept 9"
        assert "too long" in bot.say("/sleep 11")
        assert bot.loop.time() < 25


def test_a_plugin_that_keeps_failing_rests_and_comes_back() -> None:
    with Harness([Commands()]) as bot:
        for _ in range(5):
            assert "went wrong" in bot.say("/broken")
        assert "resting" in bot.say("/hello")
        bot.advance(61)
        assert bot.say("/hello") == "Hello Ada!"


def test_the_owner_is_told_of_a_resting_plugin() -> None:
    owner = User(900, "Owner", language="en")
    with Harness([Commands()], config={"channels": {"telegram": {"owner": 900}}}) as bot:
        for _ in range(5):
            bot.say("/broken")
        assert [sent.text for sent in bot.sent if sent.chat == owner.id] == [
            "The plugin commands keeps failing and rests for a while."
        ]


def test_seats_bound_what_runs_at_once() -> None:
    plugin = Commands()
    config = {"agents": {"defaults": {"maxConcurrent": 2}}}
    with Harness([plugin], config=config) as bot:
        bot.send("/wait 1", "/wait 2", "/wait 3")
        bot.advance(1)
        assert plugin.calls == ["1", "2"]
        bot.loop.call_soon(plugin.gate.set)
        bot.settle()
        assert [sent.text for sent in bot.sent] == ["1", "2", "3"]


def test_replies_keep_the_order_of_each_asker() -> None:
    with Harness([Commands()]) as bot:
        bot.send("/sleep 5", "/sleep 1")
        bot.send("/sleep 2", sender=BOB)
        bot.settle()
        assert [s.text for s in bot.sent if s.chat == ADA.id] == ["slept 5", "slept 1"]
        assert [s.at for s in bot.sent if s.chat == BOB.id] == [2.0]
        assert bot.loop.time() == pytest.approx(5.0, abs=0.1)


def test_serial_handlers_take_turns_and_others_don_t_wait() -> None:
    with Harness([Model()]) as bot:
        bot.backend.delay = 1.0
        bot.send("one", "two")
        bot.send("three", sender=BOB)
        bot.settle()
        at = {sent.text: sent.at for sent in bot.sent}
        assert at == pytest.approx({"one": 1.0, "three": 1.0, "two": 2.0}, abs=0.1)


def test_waiting_for_the_model_holds_no_seat() -> None:
    config = {"agents": {"defaults": {"maxConcurrent": 1}}}
    with Harness([Model(), Commands()], config=config) as bot:
        bot.backend.delay = 5.0
        bot.send("slow")
        bot.send("/hello", sender=BOB)
        bot.settle()
        assert [sent.text for sent in bot.sent] == ["Hello Bob!", "slow"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Overloaded("full", retry_after=6.2), "about 7 s"),
        (ContextOverflow("long"), "too long for my model"),
        (BackendUnavailable("down"), "isn't answering"),
        (RuntimeError("bug"), "isn't answering"),
    ],
)
def test_each_failure_of_the_model_has_its_notice(error: Exception, words: str) -> None:
    with Harness([Model()]) as bot:
        bot.backend.enqueue(error)
        assert words in bot.say("hi")
        assert bot.say("again") == "again"
        assert (bot.books.noticed, bot.books.answered) == (1, 1)


def test_degraded_and_recovered_are_told_to_the_owner() -> None:
    with Harness([Model()], config={"channels": {"telegram": {"owner": 900}}}) as bot:
        bot.backend.enqueue(BackendUnavailable("down"))
        bot.say("one")
        bot.say("two")
        told = [sent.text.partition(":")[0] for sent in bot.sent if sent.chat == 900]
        assert told == ["Degraded", "Recovered"]


def test_unaddressed_group_text_is_neither_answered_nor_kept() -> None:
    canary = "canary-" + "9182736450"
    with Harness([Model(), Commands()]) as bot:
        assert bot.say(f"hello {canary}", chat=GROUP) == ""
        assert bot.backend.requests == []
        assert bot.books.unaddressed == 1
        bot.said.clear()  # the test's own
        gc.collect()
        kept = [
            thing
            for thing in gc.get_objects()
            if isinstance(thing, dict | list | tuple | set) and _holds(thing, canary)
        ]
        assert kept == []


def _holds(container: Any, canary: str) -> bool:
    values = container.values() if isinstance(container, dict) else container
    return any(
        (isinstance(value, str) and canary in value and value != canary)
        or (isinstance(value, bytes) and canary.encode() in value)
        for value in list(values)
    )


def test_addressed_group_text_is_answered_to_the_asker() -> None:
    with Harness([Model()]) as bot:
        assert bot.say("@clawd_bot what", chat=GROUP) == "what"
        reply = bot.sent[-1]
        assert bot.say("more", chat=GROUP, reply_to=reply) == "more"
        assert reply.reply_to == 1


def test_handlers_pass_on_and_the_first_answer_wins() -> None:
    class Passing:
        def __init__(self) -> None:
            self.asked = 0

        @hookimpl
        def register_handlers(self, register: Any) -> None:
            @register("text")
            async def look(message: Message) -> Any:
                self.asked += 1
                return PASS

    first = Passing()
    with Harness([first, Model()]) as bot:
        assert bot.say("hi") == "hi"
        assert first.asked == 1
    with Harness([Passing()]) as bot:
        assert "/help" in bot.say("hi")


def test_overhearing_handlers_see_what_nobody_addressed() -> None:
    class Ears:
        @hookimpl
        def register_handlers(self, register: Any) -> None:
            @register("text", addressed=False)
            async def hear(message: Message) -> Any:
                return "heard" if "fire" in message.body else PASS

    with Harness([Ears()]) as bot:
        assert bot.say("hello", chat=GROUP) == ""
        assert bot.say("fire!", chat=GROUP) == "heard"
        assert (bot.books.unaddressed, bot.books.answered) == (1, 1)


def test_strangers_are_told_once_and_the_owner_gets_in_with_the_code() -> None:
    config = {"channels": {"telegram": {"dmPolicy": "allowlist"}}}
    with Harness([Commands()], config=config) as bot:
        assert f"Your id is {ADA.id}" in bot.say("/hello")
        assert bot.say("/hello") == ""
        code = bot.worker.owner.code
        assert "owner" in bot.say(f"/start {code}")
        assert bot.say("/hello") == "Hello Ada!"


def test_wrong_code_is_a_greeting() -> None:
    with Harness([Commands()]) as bot:
        assert "Hello Ada" in bot.say("/start nonsense")
        assert bot.worker.owner.id == 0


def test_garbage_is_skipped_and_the_next_is_served(caplog: pytest.LogCaptureFixture) -> None:
    with Harness([Commands()]) as bot:
        bot.inject({"message": {"message_id": "canary"}})
        bot.inject({"unheard_of": 1})
        assert bot.say("/hello") == "Hello Ada!"
        assert (bot.books.skipped, bot.books.unaddressed, bot.books.answered) == (1, 1, 1)
    assert "update 1 skipped" in caplog.text
    assert "canary" not in caplog.text


def test_the_menu_lists_the_commands_in_both_languages() -> None:
    with Harness([Commands()]) as bot:
        bot.say("/hello")
        assert ("hello", "Say hello") in bot.telegram.commands[""]
        assert ("help", "列出命令") in bot.telegram.commands["zh"]


def test_closing_drains_what_was_accepted() -> None:
    bot = Harness([Commands()])
    bot.send("/sleep 3")
    bot.close()
    assert [sent.text for sent in bot.sent] == ["slept 3"]
    assert bot.books.open == 0


class Hostile:
    """Raises what it should not."""

    @hookimpl
    def register_commands(self, register: Any) -> None:
        def raises(name: str, error: BaseException) -> None:
            @register(name)
            async def run(message: Message) -> str:
                """Raise"""
                raise error

        raises("exit", SystemExit(3))
        raises("interrupt", KeyboardInterrupt())
        raises("cancel", asyncio.CancelledError())
        raises("stop", StopAsyncIteration())
        raises("close", GeneratorExit())

        @register("thread_exit")
        def thread_exit(message: Message) -> str:
            """Exit in a thread"""
            raise SystemExit(3)

        @register("stubborn")
        async def stubborn(message: Message) -> str:
            """Ignore being cancelled"""
            for _ in range(1000):
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(1)
            return "at last"

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        def key(message: Message) -> str:
            raise ValueError(message.body)

        @register("text", serial=key)
        async def chat(message: Message) -> str:
            return "all the same"

    @hookimpl
    def prepare_reply(self, reply: Reply) -> Any:
        raise ValueError(reply.text)


@pytest.mark.parametrize("name", ["exit", "interrupt", "cancel", "stop", "close", "thread_exit"])
def test_nothing_that_a_plugin_raises_ends_the_bot(name: str) -> None:
    with Harness([Hostile()]) as bot:
        assert "went wrong" in bot.say(f"/{name}")
        assert bot.say("hi") == "all the same"
        assert bot.books.open == 0


def test_a_plugin_that_ignores_being_cancelled_is_left_behind() -> None:
    config = {"agents": {"defaults": {"maxConcurrent": 1, "timeout": {"total": 60_000}}}}
    with Harness([Hostile(), Commands()], config=config) as bot:
        bot.send("/stubborn", "/hello")
        bot.send("/hello", sender=BOB)
        bot.settle()
        told = [(sent.text.partition(",")[0], sent.at) for sent in bot.sent if sent.chat == ADA.id]
        assert told[0] == ("This took too long", 60.0 + GRACE)
        assert told[1][0] in {"Hello Ada!", "This took too long"}
        assert bot.books.open == 0
    assert bot.loop.time() < 200  # the bot's end didn't wait for it either


class Resisting:
    """Can't even be closed."""

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("resist")
        async def resist(message: Message) -> AsyncIterator[str]:
            """Go on for ever"""
            yield "begun"
            while True:
                try:
                    await asyncio.sleep(1000)
                    yield "more"
                except BaseException:  # noqa: BLE001
                    continue

        @register("stall")
        async def stall(message: Message) -> None:
            """Take too long"""
            await asyncio.sleep(100_000)

        @register("ok")
        async def ok(message: Message) -> str:
            """Answer"""
            return "fine"


def test_what_can_t_even_be_closed_holds_nobody_up() -> None:
    config = {"agents": {"defaults": {"maxConcurrent": 1, "timeout": {"total": 10_000}}}}
    bot = Harness([Resisting()], config=config)
    try:
        said = bot.say("/resist")
        assert said.startswith("begun")
        assert "too long" in said
        assert bot.say("/ok") == "fine"
        assert (bot.books.noticed, bot.books.answered, bot.books.open) == (1, 1, 0)
        bot.advance(5000)
        assert len(bot.sent) == 2
        bot.loop.run_until_complete(bot._stop())
    finally:
        bot.loop.close()


def test_a_plugin_that_keeps_stalling_comes_to_rest() -> None:
    with Harness([Resisting()]) as bot:
        for _ in range(5):
            assert "too long" in bot.say("/stall")
        assert "resting" in bot.say("/stall")


def test_waiting_for_a_slow_model_is_not_the_plugin_s_failure() -> None:
    config = {"agents": {"defaults": {"timeout": {"total": 10_000, "request": 10_000}}}}
    with Harness([Model()], config=config) as bot:
        bot.backend.delay = 60.0
        for _ in range(6):
            said = bot.say("hi")
            assert "too long" in said or "isn't answering" in said


class Odd:
    """Answers that are no answers."""

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("none_piece")
        async def none_piece(message: Message) -> AsyncIterator[Any]:
            """Yield no text"""
            yield "a"
            yield None

        @register("no_text")
        async def no_text(message: Message) -> Any:
            """Reply without a text"""
            return Reply(text=None)  # type: ignore[arg-type]

        @register("blank")
        async def blank(message: Message) -> str:
            """Say white space"""
            return " \n"

        @register("blank_stream")
        async def blank_stream(message: Message) -> AsyncIterator[str]:
            """Stream white space"""
            yield "  "

        @register("long")
        async def long(message: Message) -> str:
            """Say much"""
            return "x" * 1_000_000

        @register("endless")
        async def endless(message: Message) -> AsyncIterator[str]:
            """Never stop"""
            while True:
                yield "xy"

        @register("busy")
        async def busy(message: Message) -> AsyncIterator[str]:
            """Never wait"""
            for _ in range(BREATH * 5):
                self.turns.append("stream")
                yield "x"

        @register("gone")
        async def gone(message: Message) -> str:
            """Need a file"""
            raise FileUnavailable("expired")

        @register("full")
        async def full(message: Message) -> str:
            """Need the settings"""
            raise StorageError("disk full")

    def __init__(self) -> None:
        self.turns: list[str] = []


def test_a_piece_that_is_no_text_is_the_plugin_s_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Harness([Odd()]) as bot:
        assert "went wrong" in bot.say("/none_piece")
        assert "went wrong" in bot.say("/no_text")
        assert bot.books.noticed == 2
    assert "plugin 'odd' yielded NoneType. Yield str only." in caplog.text


@pytest.mark.parametrize("command", ["/blank", "/blank_stream"])
def test_a_blank_answer_is_owned_up_to(command: str) -> None:
    with Harness([Odd()]) as bot:
        assert bot.say(command) == "I have nothing to say to that."
        assert "没什么" in bot.say(command, sender=User(5, "小明", language="zh-hans"))
        assert (bot.books.noticed, bot.books.answered) == (2, 0)


@pytest.mark.parametrize("command", ["/long", "/endless"])
def test_an_answer_s_length_is_bounded(command: str) -> None:
    with Harness([Odd()]) as bot:
        said = bot.say(command)
        assert ANSWER_LIMIT < len(said) < ANSWER_LIMIT + 100
        assert "too long; this is its beginning" in said
        assert bot.books.answered == 1


def test_a_stream_that_never_waits_lets_others_run() -> None:
    plugin = Odd()
    with Harness([plugin]) as bot:

        def tick() -> None:
            plugin.turns.append("other")
            if plugin.turns.count("stream") < BREATH * 5:
                bot.loop.call_soon(tick)

        bot.loop.call_soon(tick)
        assert bot.say("/busy") == "x" * (BREATH * 5)
    streamed = "".join("s" if turn == "stream" else " " for turn in plugin.turns).split()
    assert max(map(len, streamed)) <= BREATH


@pytest.mark.parametrize(("command", "words"), [("/gone", "that file"), ("/full", "settings")])
def test_a_missing_file_or_setting_is_not_the_plugin_s_failure(command: str, words: str) -> None:
    with Harness([Odd()]) as bot:
        for _ in range(6):
            assert words in bot.say(command)


def test_notices_are_marked_and_answers_are_not() -> None:
    with Harness([Commands(), Odd()]) as bot:
        marked: list[bool] = []
        send = bot.worker._port.send

        async def watch(record: Any) -> None:
            if isinstance(record, Send):
                marked.append(record.notice)
            await send(record)

        bot.worker._port.send = watch  # type: ignore[method-assign]
        bot.say("/hello")
        bot.say("/broken")
        bot.say("/blank")
        bot.say("/half")
        assert marked == [False, True, True, False]


def test_a_stranger_s_links_close_the_claim_for_nobody_else() -> None:
    config = {"channels": {"telegram": {"dmPolicy": "allowlist"}}}
    with Harness([Commands()], config=config) as bot:
        assert f"Your id is {ADA.id}" in bot.say("/start promo")
        for number in range(30):
            bot.say("/start promo", sender=User(1000 + number, "S"))
        assert "owner" in bot.say(f"/start {bot.report.claim_code}", sender=BOB)


def test_a_bot_with_private_chats_disabled_can_be_claimed() -> None:
    config = {"channels": {"telegram": {"dmPolicy": "disabled"}}}
    with Harness([Commands()], config=config) as bot:
        assert bot.say("/start wrong") == ""
        assert "owner" in bot.say(f"/start {bot.report.claim_code}")
        assert bot.say("/hello") == "Hello Ada!"


class Reading:
    """A reader that would end the bot."""

    @hookimpl
    def register_readers(self, register: Any) -> None:
        @register("photo")
        async def read(attachment: Any) -> str:
            raise SystemExit(3)

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo")
        async def tell(message: Message) -> str:
            return f"read {await message.text()!r}"


def test_a_reader_that_exits_is_passed_over() -> None:
    with Harness([Reading()]) as bot:
        photo = {"file_id": "f", "width": 1, "height": 1}
        person = {"id": ADA.id, "is_bot": False, "first_name": "Ada"}
        chat = {"id": ADA.id, "type": "private"}
        content = {"message_id": 9, "date": 0, "chat": chat, "from": person, "photo": [photo]}
        bot.inject({"message": content})
        assert [sent.text for sent in bot.sent] == ["read ''"]
