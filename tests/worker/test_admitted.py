"""Messages under load, through the whole bot: who is answered, who is told what, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from clawdcore import PASS, Chunk, Context, Message, Priority, Request, Turn, hookimpl
from clawdcore.admission.ladder import Rung
from clawdcore.testing import FakeBackend, Group, Harness, User

BUSY = {"gateway": {"maxConcurrentRequests": 1, "requestQueueSize": 4}}


class Asker:
    """Asks the model what people say; ``shared`` as a translation would be."""

    def __init__(self, **request: Any) -> None:
        self.request = request

    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        @register("text", "photo")
        async def ask(message: Message) -> AsyncIterator[str]:
            request = Request(turns=(Turn("user", message.body),), **self.request)
            async for chunk in context.models.generate(request):
                yield chunk.text


class Slow(FakeBackend):
    """One request at a time in its order of coming, a second each; notes when each began."""

    def __init__(self, seconds: float = 1.0) -> None:
        super().__init__()
        self.seconds = seconds
        self.began: list[tuple[str, float]] = []
        self.most = 0

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        self.began.append((request.turns[-1].content, asyncio.get_running_loop().time()))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.seconds)
            async for chunk in super().generate(request):
                yield chunk
        finally:
            self.running -= 1


def people(count: int, start: int = 1000) -> list[User]:
    return [User(start + n, f"P{n}") for n in range(count)]


def bot_with(backend: FakeBackend, plugin: Any = None, **config: Any) -> Harness:
    return Harness([plugin or Asker()], backend=backend, config={**BUSY, **config})


def test_no_more_than_the_limit_run_at_once_and_all_in_line_are_answered() -> None:
    slow = Slow()
    with bot_with(slow) as bot:
        for person in people(5):
            bot.send(f"ask {person.id}", sender=person)
        bot.settle()
        assert slow.most == 1
        assert (bot.books.answered, bot.books.noticed) == (5, 0)


def test_who_is_too_many_is_told_when_to_come_back() -> None:
    slow = Slow()
    with bot_with(slow) as bot:
        for person in people(8):
            bot.send(f"ask {person.id}", sender=person)
        bot.settle()
        assert (bot.books.answered, bot.books.noticed) == (5, 3)
        told = [sent.text for sent in bot.sent if "busy" in sent.text]
        assert len(told) == 3  # three chats, so nobody spoke for another
        assert all("send it again in about" in text for text in told)


def test_one_notice_speaks_for_several_messages_of_a_group() -> None:
    slow = Slow(seconds=100.0)
    open_group = {"channels": {"telegram": {"groups": {"*": {"requireMention": False}}}}}
    with bot_with(slow, **open_group) as bot:
        for n, person in enumerate(people(12)):
            bot.send(f"group {n}", chat=Group(), sender=person)
        bot.advance(30)
        told = [sent.text for sent in bot.sent if "busy" in sent.text]
        assert len(told) == 2
        assert "send it again" in told[0]
        assert "6 messages here got no answer" in told[1]
        assert bot.books.noticed == 7


def test_a_private_message_goes_before_a_groups_which_came_first() -> None:
    slow = Slow()
    open_group = {"channels": {"telegram": {"groups": {"*": {"requireMention": False}}}}}
    with bot_with(slow, **open_group) as bot:
        group = Group()
        for n, person in enumerate(people(4)):
            bot.send(f"group {n}", chat=group, sender=person)
        bot.send("private", sender=User(7, "Quiet"))
        bot.settle()
        assert [words for words, _ in slow.began][:3] == ["group 0", "private", "group 1"]
        priorities = {r.turns[-1].content: r.priority for r in slow.requests}
        assert priorities["private"] is Priority.DIRECT
        assert priorities["group 0"] is Priority.GROUP


def test_a_quiet_chat_is_served_between_a_loud_ones_messages() -> None:
    slow = Slow()
    with bot_with(slow, gateway={"maxConcurrentRequests": 1, "requestQueueSize": 50}) as bot:
        loud, quiet = User(1, "Loud"), User(2, "Quiet")
        for n in range(10):
            bot.send(f"loud {n}", sender=loud)
        bot.send("quiet", sender=quiet)
        bot.settle()
        order = [words for words, _ in slow.began]
        assert order.index("quiet") <= 2
        assert bot.books.answered == 11


def test_fifty_who_ask_the_same_share_one_generation() -> None:
    slow = Slow()
    with bot_with(slow, Asker(shared=True)) as bot:
        for person in people(50):
            bot.send("the same words", sender=person)
        bot.settle()
        assert len(slow.began) == 1
        assert bot.books.answered == 50
        assert {sent.text for sent in bot.sent} == {"the same words"}


def test_fifty_of_a_group_who_ask_the_same_get_one_message_that_names_them() -> None:
    slow = Slow()
    with bot_with(slow, Asker(shared=True)) as bot:
        for person in people(50):
            bot.send("@clawd_bot the same words", chat=Group(), sender=person)
        bot.settle()
        assert len(slow.began) == 1
        assert bot.books.answered == 50
        [sent] = bot.sent
        assert sent.text.count("the same words") == 1
        assert all(f"P{n}" in sent.text for n in range(1, 50))


def test_what_is_not_shared_is_asked_for_each() -> None:
    slow = Slow(seconds=0.1)
    with bot_with(slow) as bot:
        for person in people(3):
            bot.send("the same words", sender=person)
        bot.settle()
        assert len(slow.began) == 3


def test_a_line_that_stays_full_takes_the_bot_down_the_ladder_and_relief_brings_it_back() -> None:
    slow = Slow(seconds=5.0)
    config = {"channels": {"telegram": {"owner": 1}}}
    with bot_with(slow, Asker(elastic=True), **config) as bot:
        for round_ in range(12):
            for person in people(6, start=2000 + 100 * round_):
                bot.send(f"ask {person.id}", sender=person)
            bot.advance(2)
        bot.settle()
        notices = [sent.text for sent in bot.sent if sent.chat == 1]
        assert any("Very busy: answers are short." in text for text in notices)
        assert any("only private chats, mentions and commands" in text for text in notices)
        bot.settle()
        bot.advance(120)
        assert bot.worker.models.servers.rung is Rung.NONE
        assert any("No longer busy" in sent.text for sent in bot.sent if sent.chat == 1)


@pytest.mark.parametrize("elastic", [True, False])
def test_short_answers_are_for_what_may_be_short(elastic: bool) -> None:
    slow = Slow(seconds=5.0)
    with bot_with(slow, Asker(elastic=elastic, max_tokens=2000)) as bot:
        for round_ in range(6):
            for person in people(6, start=2000 + 100 * round_):
                bot.send(f"ask {person.id}", sender=person)
            bot.advance(3)
        bot.settle()
        asked = {request.max_tokens for request in slow.requests}
        assert asked == ({2000, 256} if elastic else {2000})


class TwoWays:
    """A command and a handler with a cheaper way each; that of the handler takes short texts."""

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        async def plain(message: Message, text: str) -> str:
            return f"plain {text}"

        @register("tr", cheaper=plain)
        async def model(message: Message, text: str) -> str:
            """Translate"""
            return f"model {text}"

    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        def plain(message: Message) -> Any:
            return "plain" if len(message.body) < 5 else PASS

        @register("text", cheaper=plain)
        async def model(message: Message) -> str:
            return "model"


@pytest.mark.parametrize("rung", [Rung.NO_MEDIA, Rung.CHEAPER])
def test_a_plugins_cheaper_way_is_taken_when_the_bot_is_that_busy(rung: Rung) -> None:
    with Harness([TwoWays()]) as bot:
        bot.worker.models.servers._ladder.rung = rung
        way = "plain" if rung is Rung.CHEAPER else "model"
        assert bot.say("/tr hello") == f"{way} hello"
        assert bot.say("hi") == way
        assert bot.say("a longer text") == "model"
