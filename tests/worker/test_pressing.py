"""A press of a button, told through the whole bot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawdcore import (
    Button,
    Context,
    Delete,
    Edit,
    Message,
    Overloaded,
    Press,
    Reply,
    Request,
    Toast,
    Turn,
    UsageError,
    hookimpl,
)
from clawdcore.hooks import callbacks
from clawdcore.testing import ADA, Group, Harness, User
from clawdcore.worker.pressing import TOAST_LIMIT

GROUP = Group()
BOB = User(202, "Bob", "bob", language="zh-hans")
GONE = "This button no longer works."
ROWS = (
    (Button("toast", "toast", "7"), Button("edit", "edit"), Button("strip", "strip")),
    (Button("reply", "reply"), Button("delete", "delete"), Button("all", "all")),
    (Button("nothing", "nothing"), Button("break", "break"), Button("wrong", "wrong")),
    (Button("two", "two"), Button("grow", "grow"), Button("slow", "slow")),
    (Button("who", "who", "né"), Button("long", "long"), Button("usage", "usage")),
    (
        Button("busy", "busy"),
        Button("odd", "odd"),
        Button("lost", "unregistered"),
        Button("site", url="https://example.org"),
    ),
)


class Desk:
    """One command, and a button of each kind."""

    def __init__(self) -> None:
        self.presses: list[Press] = []
        self.gate = asyncio.Event()

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("ask")
        async def ask(message: Message) -> Reply:
            """Show the buttons"""
            return Reply(text="Choose.", buttons=ROWS)

        @register("wait")
        async def wait(message: Message) -> str:
            """Wait for the gate"""
            await self.gate.wait()
            return "waited"

    @hookimpl
    def register_buttons(self, register: Any, context: Context) -> None:
        @register("toast")
        async def toast(press: Press) -> Toast:
            self.presses.append(press)
            return Toast(f"Number {press.data}.")

        @register("edit")
        def edit(press: Press) -> Edit:
            return Edit("<b>Done</b>", ((Button("again", "toast", "8"),),), format="html")

        @register("strip")
        async def strip(press: Press) -> Edit:
            return Edit()

        @register("reply", format="html")
        async def reply(press: Press) -> str:
            return f"<i>{press.sender.name}</i>"

        @register("delete")
        async def delete(press: Press) -> Delete:
            return Delete()

        @register("all")
        async def everything(press: Press) -> tuple[Toast, Edit, str]:
            self.gate.set()
            return Toast("ok"), Edit("gone"), "and a reply"

        @register("nothing")
        async def nothing(press: Press) -> None:
            return None

        @register("break")
        async def broken(press: Press) -> str:
            raise ValueError(press.data)

        @register("wrong")
        async def wrong(press: Press) -> int:
            return 3

        @register("two")
        async def two(press: Press) -> list[Toast]:
            return [Toast("a"), Toast("b")]

        @register("grow")
        async def grow(press: Press) -> AsyncIterator[str]:
            request = Request(turns=(Turn("user", press.data),))
            async for chunk in context.models.generate(request):
                yield chunk.text

        @register("slow")
        async def slow(press: Press) -> None:
            await asyncio.sleep(10_000)

        @register("who")
        async def who(press: Press) -> str:
            keys = (press.data, press.language, press.asker, press.session, press.message.body)
            return "|".join(keys)

        @register("long")
        async def long(press: Press) -> Toast:
            return Toast("x" * 300)

        @register("odd")
        async def odd(press: Press) -> tuple[Toast, Edit]:
            return Toast("a\ud800"), Edit("b\udfff")

        @register("busy")
        async def busy(press: Press) -> str:
            raise Overloaded("full", retry_after=7)

        @register("usage")
        async def usage(press: Press) -> str:
            raise UsageError("Not like this.")


def booked(bot: Harness) -> tuple[int, int, int, int]:
    books = bot.books
    return books.answered, books.noticed, books.unaddressed, books.open


def test_a_toast_is_for_the_presser_alone() -> None:
    desk = Desk()
    with Harness([desk]) as bot:
        assert bot.say("/ask") == "Choose."
        assert bot.buttons == [button.text for row in ROWS for button in row]
        assert bot.press("toast") == ""
        assert bot.toasts == ["Number 7."]
        assert booked(bot) == (2, 0, 0, 0)
        press = desk.presses[0]
        assert (press.message.id, press.message.body) == (bot.sent[0].id, "Choose.")
        assert (press.sender.id, press.chat.kind) == (ADA.id, "private")


def test_an_edit_changes_text_and_buttons() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        assert bot.press("edit") == ""
        assert [sent.text for sent in bot.sent] == ["Done"]
        assert bot.sent[0].entities[0].type == "bold"
        assert bot.buttons == ["again"]
        bot.press("again")
        assert bot.toasts == ["Number 8."]


def test_an_edit_without_a_text_leaves_it() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        bot.press("strip")
        assert [sent.text for sent in bot.sent] == ["Choose."]
        assert bot.buttons == []


def test_a_reply_answers_the_message_with_the_button() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        assert bot.press("reply", sender=ADA) == "Ada"
        assert bot.sent[-1].reply_to == bot.sent[0].id
        assert bot.sent[-1].entities[0].type == "italic"
        assert bot.telegram.answers == [("1", "")]  # the wait ends all the same


def test_a_delete_takes_the_message_away() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        bot.press("delete")
        assert bot.telegram.deleted == [(ADA.id, bot.sent[0].id)]
        assert bot.buttons == []


def test_nothing_only_ends_the_wait() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        assert bot.press("nothing") == ""
        assert bot.telegram.answers == [("1", "")]
        assert bot.toasts == []
        assert booked(bot) == (2, 0, 0, 0)


def test_a_press_sees_who_pressed_where() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask@clawd_bot", chat=GROUP)
        said = bot.press("who", sender=BOB)
        assert said == f"né|zh-hans|{GROUP.id}:{BOB.id}|{GROUP.id}|Choose."


def test_an_answer_to_a_press_may_grow() -> None:
    with Harness([Desk()]) as bot:
        bot.backend.enqueue("one two three")
        bot.say("/ask")
        assert bot.press("grow") == "one two three"


@pytest.mark.parametrize(
    ("button", "said"),
    [
        ("break", "Something went wrong"),
        ("wrong", "Something went wrong"),
        ("two", "Something went wrong"),
        ("slow", "This took too long"),
        ("usage", "Not like this."),
        ("busy", "I'm busy right now. Please send it again in about 7 s."),
        ("lost", GONE),
    ],
)
def test_what_goes_wrong_is_said_to_the_presser_alone(button: str, said: str) -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        assert bot.press(button) == ""
        assert bot.toasts[0].startswith(said)
        assert booked(bot) == (1, 1, 0, 0)


def test_a_toast_is_cut_at_telegram_s_limit() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        bot.press("long")
        assert bot.toasts == ["x" * TOAST_LIMIT]


def test_half_a_surrogate_pair_gets_across_as_a_question_mark() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        bot.press("odd")
        assert (bot.toasts, bot.sent[0].text) == (["a?"], "b?")


def test_a_button_of_a_plugin_that_is_gone() -> None:
    class Other:
        @hookimpl
        def register_commands(self, register: Any) -> None:
            @register("old")
            async def old(message: Message) -> Reply:
                """Show what an earlier version had"""
                return Reply(text="x", buttons=((Button("go", "go", plugin="removed"),),))

    with Harness([Other()]) as bot:
        bot.say("/old")
        bot.press("go", sender=BOB)
        assert bot.toasts == ["这个按钮已经失效了。"]
        assert booked(bot) == (1, 1, 0, 0)


def test_a_plugin_that_keeps_failing_rests_for_presses_too() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        for _ in range(5):
            bot.press("break")
        bot.press("toast")
        assert "resting" in bot.toasts[-1]


def test_who_may_not_write_may_not_press() -> None:
    config = {"channels": {"telegram": {"dmPolicy": "allowlist", "allowFrom": [ADA.id]}}}
    desk = Desk()
    with Harness([desk], config=config) as bot:
        bot.say("/ask")
        bot.press("toast", sender=BOB)
        assert str(BOB.id) in bot.toasts[0]
        assert desk.presses == []


def test_in_a_closed_group_a_press_is_as_silent_as_a_message() -> None:
    groups = {str(GROUP.id): {"allowFrom": [ADA.id]}}
    config = {"channels": {"telegram": {"groups": groups}}}
    desk = Desk()
    with Harness([desk], config=config) as bot:
        bot.say("/ask@clawd_bot", chat=GROUP)
        bot.press("toast", sender=BOB)
        assert bot.telegram.answers == []
        bot.press("toast", sender=ADA)
        assert [press.sender.id for press in desk.presses] == [ADA.id]
        assert booked(bot) == (2, 0, 1, 0)


def test_a_press_works_at_once_and_its_reply_keeps_the_asker_s_order() -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        bot.send("/wait")
        bot.advance(1)
        assert bot.press("all") == "waited\nand a reply"
        assert bot.toasts == ["ok"]
        assert bot.sent[0].text == "gone"


def test_buttons_stand_under_the_last_part_of_a_long_reply() -> None:
    class Long:
        @hookimpl
        def register_commands(self, register: Any) -> None:
            @register("long")
            async def long(message: Message) -> Reply:
                """Say a lot"""
                return Reply(text="word " * 1700, buttons=((Button("more", "more"),),))

    with Harness([Long()]) as bot:
        bot.say("/long")
        assert [len(sent.buttons) for sent in bot.sent] == [0, 0, 1]


def test_buttons_that_can_t_be_sent_are_the_plugin_s_failure() -> None:
    class Wide:
        @hookimpl
        def register_commands(self, register: Any) -> None:
            @register("wide")
            async def wide(message: Message) -> Reply:
                """Put too much into a button"""
                return Reply(text="x", buttons=((Button("more", "more", "x" * 57),),))

    with Harness([Wide()]) as bot:
        assert bot.say("/wide").startswith("Something went wrong")


def test_another_plugin_s_prepare_reply_may_add_its_own_buttons() -> None:
    class Adds:
        @hookimpl
        def prepare_reply(self, reply: Reply) -> Reply:
            return Reply(text=reply.text, buttons=(*reply.buttons, (Button("mine", "mine"),)))

        @hookimpl
        def register_buttons(self, register: Any) -> None:
            @register("mine")
            def mine(press: Press) -> Toast:
                return Toast("from the other")

    with Harness([Desk(), Adds()]) as bot:
        bot.say("/ask")
        bot.press("toast")
        bot.press("mine")
        assert bot.toasts == ["Number 7.", "from the other"]


@given(data=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_foreign_data_never_gets_further_than_a_toast(data: str) -> None:
    with Harness([Desk()]) as bot:
        bot.say("/ask")
        bot.press("nothing", data=data)
        assert bot.toasts == [GONE]
        assert booked(bot) == (1, 1, 0, 0)


def test_data_of_a_known_button_reaches_it_however_odd() -> None:
    desk = Desk()
    with Harness([desk]) as bot:
        bot.say("/ask")
        bot.press("toast", data=callbacks.key("desk", "toast") + "\0' OR 1")
        assert desk.presses[0].data == "\0' OR 1"


def test_a_press_shows_nothing_of_anybody_in_a_log() -> None:
    desk = Desk()
    with Harness([desk]) as bot:
        bot.say("/ask")
        bot.press("toast")
        shown = repr(desk.presses[0]) + repr(bot.sent[0].buttons[0][0])
        assert "Ada" not in shown
        assert "Choose" not in shown


@pytest.mark.parametrize(
    "query",
    [
        {"id": "1", "from": {"id": 1}, "inline_message_id": "x", "data": "abc"},
        {"id": "1", "from": {"id": 1}, "game_short_name": "x"},
        {"id": "1", "data": "abc"},
    ],
)
def test_presses_that_are_none_of_ours(query: dict[str, Any]) -> None:
    with Harness([Desk()]) as bot:
        bot.inject({"callback_query": query})
        assert booked(bot) == (0, 0, 1, 0)


def test_a_press_of_a_message_that_telegram_no_longer_holds() -> None:
    desk = Desk()
    with Harness([desk]) as bot:
        bot.say("/ask")
        chat = {"id": ADA.id, "type": "private"}
        query = {
            "id": "9",
            "from": {"id": ADA.id, "first_name": "Ada"},
            "message": {"message_id": 1001, "date": 0, "chat": chat},
            "data": callbacks.key("desk", "toast"),
        }
        bot.inject({"callback_query": json.loads(json.dumps(query))})
        assert (desk.presses[0].message.body, desk.presses[0].message.time) == ("", 0.0)
        assert bot.toasts == ["Number ."]
