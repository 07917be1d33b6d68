"""Delivery against the local Bot API server: whatever fails, a reply is there once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from clawdcore.broker import Send, Target
from clawdcore.edge.delivery import Delivery, Pace
from clawdcore.edge.telegram import TelegramApi
from clawdcore.messages import Button, Receipt, Reply
from clawdcore.testing.botapi import BotApiServer, FaultKind

FAST = Pace(per_second=1000, per_chat=1000, group_per_minute=60_000)
SUPERGROUP = -1_000_000_000_007
BASIC = -7
ROWS = ((Button("x", "x", plugin="p"),),)


@dataclass(frozen=True)
class Case:
    """A reply that meets a fault. ``messages`` are there in the end.

    ``between`` messages of another chat come before ours, of which the edge gets the
    last ``seen`` while the send is under way.
    """

    fault: FaultKind
    chat: int = 5
    notice: bool = False
    reads_all: bool = False
    error: str = ""
    messages: int = 1
    between: int = 0
    seen: int = 0


CASES = (
    Case("drop_after"),
    Case("drop_after", notice=True),
    Case("drop_after", chat=BASIC, notice=True),
    Case("drop_after", chat=SUPERGROUP, notice=True),
    Case("garbage", notice=True),
    Case("drop_before"),
    Case("drop_before", notice=True),
    Case("drop_before", chat=SUPERGROUP, notice=True, reads_all=True),
    # In a supergroup with privacy mode others may have written unseen.
    Case("drop_before", chat=SUPERGROUP, notice=True, error="unknown", messages=0),
    Case("drop_before", chat=SUPERGROUP),
    Case("error", notice=True),
    Case("flood", notice=True),
    # Messages of other chats stand between the floor and ours.
    Case("drop_after", notice=True, between=5),
    Case("drop_after", notice=True, between=20, seen=20),
    Case("drop_after", notice=True, between=20, seen=1, error="unknown"),
    Case("drop_before", notice=True, between=20, seen=20),
)


async def outcome(case: Case) -> tuple[str, int, int]:
    """The receipt's error, how many messages of the bot are there, and of wrong calls."""
    receipts: list[Receipt] = []

    async def finished(send: Send, receipt: Receipt) -> None:
        receipts.append(receipt)

    async with BotApiServer() as server:
        ada = server.user(5, "Ada")
        bob = server.user(6, "Bob")
        server.private(ada)
        for group in (BASIC, SUPERGROUP):
            server.group(group, "Desk", [ada])
        asked = server.say(ada, "x", case.chat if case.chat < 0 else None)["message_id"]
        api = TelegramApi(server.token, server.root)
        await api.open()
        delivery = Delivery(api, finished, pace=FAST)
        delivery.reads_all = case.reads_all
        delivery.seen(case.chat, asked)
        others = [server.say(bob, "elsewhere")["message_id"] for _ in range(case.between)]
        server.fail(case.fault, "sendMessage")
        target = Target(chat_id=case.chat, reply_to=asked, private=case.chat > 0)
        async with asyncio.TaskGroup() as tasks:
            delivery.put(
                Send(1, target, Reply(text="yes", buttons=ROWS), notice=case.notice), tasks
            )
            await server.wait(lambda: server.calls["sendMessage"])
            for message_id in others[len(others) - case.seen :]:
                delivery.seen(bob.id, message_id)
            await delivery.flushed()
        await delivery.close()
        await api.close()
        (receipt,) = receipts
        if receipt.message_ids:
            shown = {message["message_id"]: message for message in server.messages(case.chat)}
            assert "reply_markup" in shown[receipt.message_ids[0]]
        assert server.edits == []  # to look for a message costs it nothing
        return receipt.error, len(server.sent), len(server.violations + server.crashes)


def test_a_reply_that_meets_a_fault_is_there_once_or_said_to_be_unknown() -> None:
    async def run() -> list[tuple[str, int, int]]:
        async with asyncio.timeout(60):
            return await asyncio.gather(*(outcome(case) for case in CASES))

    found = asyncio.run(run())
    expected = [(case.error, case.messages, 0) for case in CASES]
    wrong = [case for case, a, b in zip(CASES, found, expected, strict=True) if a != b]
    assert not wrong, [outcome for outcome, case in zip(found, CASES, strict=True) if case in wrong]


@pytest.mark.parametrize("fault", ["drop_after", "error", "garbage"])
def test_an_edit_that_meets_a_fault_is_made(fault: FaultKind) -> None:
    async def run() -> None:
        receipts: list[Receipt] = []

        async def finished(send: Send, receipt: Receipt) -> None:
            receipts.append(receipt)

        async with asyncio.timeout(30), BotApiServer() as server:
            asked = server.say(server.user(5, "Ada"), "x")["message_id"]
            api = TelegramApi(server.token, server.root)
            await api.open()
            delivery = Delivery(api, finished, pace=FAST)
            target = Target(chat_id=5, reply_to=asked)
            async with asyncio.TaskGroup() as tasks:
                delivery.put(Send(1, target, Reply(text="old")), tasks)
                await delivery.flushed()
                server.fail(fault, "editMessageText")
                delivery.put(Send(2, target, Reply(text="new"), edited=True), tasks)
                await delivery.flushed()
            await delivery.close()
            await api.close()
            assert [message.get("text") for message in server.messages(5)] == ["x", "new"]
            assert [receipt.error for receipt in receipts] == ["", ""]

    asyncio.run(run())
