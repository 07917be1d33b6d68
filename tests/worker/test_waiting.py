"""Place in line: told to who waits long, taken back with the answer, and a way to give up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from clawdcore import Chunk, Context, Message, Request, Turn, hookimpl
from clawdcore.testing import FakeBackend, Group, Harness, User
from clawdcore.testing.telegram import Sent

CONFIG = {
    "gateway": {"maxConcurrentRequests": 1, "requestQueueSize": 50},
    "channels": {"telegram": {"groups": {"*": {"requireMention": False}}}},
}


class Asker:
    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        @register("text")
        async def ask(message: Message) -> str:
            return await context.models.complete(Request(turns=(Turn("user", message.body),)))


class Slow(FakeBackend):
    """Ten seconds each."""

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        await asyncio.sleep(10)
        async for chunk in super().generate(request):
            yield chunk


def crowd(bot: Harness, count: int, **where: Any) -> None:
    """So many people ask, after eight have shown what an answer takes."""
    for n in range(8):
        bot.say(f"known {n}", sender=User(500 + n, f"K{n}"))
    for n in range(count):
        bot.send(f"ask {n}", sender=User(1000 + n, f"P{n}"), **where)


def in_line(bot: Harness) -> list[str]:
    return sorted(sent.text for sent in bot.telegram.shown() if "in line" in sent.text)


def place(bot: Harness, number: int) -> Sent:
    [shown] = [sent for sent in bot.telegram.shown() if f"number {number} " in sent.text]
    return shown


def test_who_waits_long_is_told_the_place_and_it_goes_with_the_answer() -> None:
    with Harness([Asker()], backend=Slow(), config=CONFIG) as bot:
        crowd(bot, 3)
        bot.advance(7)
        assert [text.split(",")[0] for text in in_line(bot)] == [
            "You are number 1 in line",
            "You are number 2 in line",
        ]
        bot.settle()
        assert in_line(bot) == []
        assert [sent.text for sent in bot.telegram.shown()][-3:] == ["ask 0", "ask 1", "ask 2"]
        assert bot.books.answered == 11


def test_who_gives_up_frees_the_place_and_is_told_so() -> None:
    backend = Slow()
    with Harness([Asker()], backend=backend, config=CONFIG) as bot:
        crowd(bot, 3)
        bot.advance(7)
        shown = place(bot, 2)
        bot.press("Cancel", sender=User(1002, "P2"), message=shown, wait=False)
        assert bot.toasts[-1] == "Cancelled."
        bot.settle()
        assert "Cancelled." in [sent.text for sent in bot.telegram.shown()]
        assert "ask 2" not in [request.turns[-1].content for request in backend.requests]
        assert (bot.books.answered, bot.books.noticed) == (11, 1)  # the press is one answer


def test_only_the_asker_may_give_up_and_waiting_tells_the_place_anew() -> None:
    with Harness([Asker()], backend=Slow(), config=CONFIG) as bot:
        crowd(bot, 4)
        bot.advance(7)
        shown = place(bot, 3)
        bot.press("Cancel", sender=User(7, "Mallory"), message=shown, wait=False)
        assert "Only the one who asked" in bot.toasts[-1]
        bot.advance(6)
        bot.press("Wait", sender=User(1003, "P3"), message=shown, wait=False)
        assert bot.toasts[-1].startswith("You are number 2 in line")
        assert bot.toasts[-1] in in_line(bot)
        bot.settle()
        assert in_line(bot) == []
        assert bot.books.noticed == 0


def test_a_group_is_told_once_in_a_while() -> None:
    with Harness([Asker()], backend=Slow(), config=CONFIG) as bot:
        crowd(bot, 6, chat=Group())
        bot.advance(8)
        assert len(in_line(bot)) == 1
        bot.settle()
        assert in_line(bot) == []


def test_a_group_is_told_again_when_half_a_minute_is_over() -> None:
    patient = {"agents": {"defaults": {"timeout": {"request": 200_000, "total": 300_000}}}}
    with Harness([Asker()], backend=Slow(), config=CONFIG | patient) as bot:
        crowd(bot, 6, chat=Group())
        bot.settle()
        told = [sent.at for sent in bot.sent if "in line" in sent.text]
        assert [at - told[0] for at in told] == [0.0, 30.0]
        assert in_line(bot) == []
