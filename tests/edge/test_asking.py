"""What a worker asks the edge: rights in chats, deletions that are kept, the bot's end."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from clawdcore import Member
from clawdcore.broker import (
    Answered,
    AskMember,
    DeleteLater,
    Drain,
    Port,
    Ready,
    ToEdge,
    ToWorker,
    memory_broker,
)
from clawdcore.config import TelegramConfig
from clawdcore.edge.api import FloodWait, Rejected
from clawdcore.edge.app import Edge
from clawdcore.edge.delivery.deletions import DELETE_BEFORE
from clawdcore.edge.telegram import TelegramApi
from clawdcore.edge.workers import OneWorker
from clawdcore.testing import BOT, FakeTelegram, VirtualLoop
from clawdcore.testing.botapi import BotApiServer

CHAT, USER = -5, 9
Story = Callable[[FakeTelegram, Port[ToEdge, ToWorker]], Coroutine[None, None, None]]


def tell(story: Story, *, ledger: Path | None = None) -> FakeTelegram:
    """An edge whose worker is ``story``; ends once that has asked for it."""
    loop = VirtualLoop()
    telegram = FakeTelegram()

    async def run() -> None:
        edge_port, worker = memory_broker()
        edge = Edge(TelegramConfig(), OneWorker(edge_port), telegram, ledger=ledger)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(edge.run(BOT))
            await worker.receive()
            await worker.send(Ready())
            await story(telegram, worker)
            await worker.send(Drain())

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return telegram


def test_rights_come_back_under_the_number_of_the_question() -> None:
    async def story(telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        telegram.members[CHAT, USER] = Member(admin=True, can_delete=True)
        await worker.send(AskMember(4, CHAT, USER))
        assert await worker.receive() == Answered(4, Member(admin=True, can_delete=True))
        telegram.faults["member"] = [FloodWait(3), Rejected("canary: user not found")]
        await worker.send(AskMember(5, CHAT, USER))
        await worker.send(AskMember(6, CHAT, USER))
        answers = [await worker.receive(), await worker.receive()]
        assert [each.request for each in answers if isinstance(each, Answered)] == [5, 6]
        errors = [each.error for each in answers if isinstance(each, Answered)]
        assert errors[0] == "Telegram wants to be asked again in 3 s."
        assert errors[1] == "Telegram refused (other)."

    tell(story)


def owed(file: Path) -> list[tuple[int, int, float]]:
    """What a process that starts after a ``kill -9`` would find to delete."""
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return database.execute("select chat, message, due from deletion").fetchall()
    finally:
        database.close()


def test_a_deletion_is_on_the_disk_when_it_is_answered(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"

    async def story(telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        before = time.time()
        await worker.send(DeleteLater(1, CHAT, 70, after=3600.0))
        assert await worker.receive() == Answered(1)
        await worker.send(DeleteLater(2, CHAT, 71, after=10 * DELETE_BEFORE))
        assert await worker.receive() == Answered(2)
        first, second = sorted(owed(file), key=lambda row: row[1])
        assert first[:2] == (CHAT, 70)
        assert before + 3599 <= first[2] <= time.time() + 3601
        assert second[2] <= time.time() + DELETE_BEFORE + 1
        assert telegram.deleted == []

    tell(story, ledger=file)


def test_what_was_owed_is_deleted_after_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"

    async def asks(telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        telegram.faults["delete"] = [Rejected("never called")]
        await worker.send(DeleteLater(1, 7, 70, after=600.0))
        await worker.receive()

    tell(asks, ledger=file)

    async def waits(telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        await telegram.inject({"message": {"message_id": 70, "chat": {"id": 7}}})
        await asyncio.sleep(700)
        assert telegram.deleted == [(7, 70)]

    tell(waits, ledger=file)
    assert owed(file) == []


def test_a_deletion_that_is_due_goes_at_once() -> None:
    async def story(telegram: FakeTelegram, worker: Port[ToEdge, ToWorker]) -> None:
        await telegram.inject({"message": {"message_id": 70, "chat": {"id": 7}}})
        await worker.send(DeleteLater(1, 7, 70))
        await asyncio.sleep(1)
        assert telegram.deleted == [(7, 70)]

    tell(story)


def test_telegrams_words_for_rights() -> None:
    async def scene() -> None:
        async with BotApiServer() as server:
            owner, admin, other = server.user(11), server.user(12), server.user(13)
            group = server.group(-1001, "Group", [other], owner=owner, admins=[admin])
            api = TelegramApi(server.token, server.root)
            try:
                await api.open()
                everything = Member(admin=True, can_delete=True)
                assert await api.member(group.id, owner.id) == everything
                assert await api.member(group.id, admin.id) == everything
                assert await api.member(group.id, other.id) == Member()
                assert await api.member(group.id, server.bot.id) == Member()
                with pytest.raises(Rejected):
                    await api.member(group.id, 404)
            finally:
                await api.close()

    asyncio.run(scene())
