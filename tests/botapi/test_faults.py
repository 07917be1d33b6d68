"""Faults on demand, as python-telegram-bot meets them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from telegram import Bot
from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError

from clawdcore.testing.botapi import BotApiServer, Fault
from clawdcore.testing.botapi.faults import Faults

Play = Callable[..., None]


@pytest.mark.parametrize(
    ("kind", "error", "effect"),
    [
        ("flood", RetryAfter, False),
        ("error", NetworkError, False),
        ("unauthorized", InvalidToken, False),
        ("drop_before", NetworkError, False),
        ("drop_after", NetworkError, True),
        ("garbage", TelegramError, True),
    ],
)
def test_one_call_goes_wrong(
    play: Play, kind: str, error: type[TelegramError], effect: bool
) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.private(server.user(5))
        server.fail(kind, "sendMessage", retry_after=3)  # type: ignore[arg-type]
        await bot.get_me()
        with pytest.raises(error):
            await bot.send_message(5, "x")
        assert len(server.sent) == int(effect)
        await bot.send_message(5, "y")
        assert server.sent[-1].text == "y"
        assert server.calls["sendMessage"] == 2

    play(scene)


def test_a_slow_call_takes_effect_first(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.private(server.user(5))
        server.fail("slow", seconds=20)
        sending = asyncio.create_task(bot.send_message(5, "x"))
        await server.wait(lambda: server.sent)
        await asyncio.sleep(0.02)
        assert not sending.done()
        sending.cancel()

    play(scene)


def test_chance_is_repeatable_and_rules_end() -> None:
    def draws(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault("error", times=None, probability=0.5))
        return [faults.take("getMe") is not None for _ in range(50)]

    assert draws(1) == draws(1) != draws(2)
    faults = Faults()
    faults.add(Fault("error", "GETME", times=2))
    taken = [faults.take(m) is not None for m in ("getMe", "getChat", "getMe", "getMe")]
    assert taken == [True, False, True, False]
    faults.add(Fault("error", times=None))
    faults.clear()
    assert faults.take("getMe") is None


def test_a_misspelt_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault 'floods': one of flood, error"):
        Faults().add(Fault("floods"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="between 0 and 1"):
        Faults().add(Fault("flood", probability=2))
