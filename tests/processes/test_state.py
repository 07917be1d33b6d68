"""What outlives a worker, a reload, or everything: memory, plans, deletions."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

KEEPER = """
from clawdcore import Reply, hookimpl

@hookimpl
def register_commands(register, context):
    @register("count")
    async def count(message):
        "Count in this chat"
        number = context.memory.get(str(message.chat.id), int, 0) + 1
        context.memory.set(str(message.chat.id), number)
        return str(number)

    @register("later")
    async def later(message, seconds: float):
        "Call back"
        await context.schedule.after("call", seconds, chat=message.chat.id)
        return "planned"

    @register("burn")
    async def burn(message, seconds: float):
        "Vanish"
        return Reply(text="soon gone", delete_after=seconds)

    @context.schedule.on("call")
    async def call(call):
        return "called back"
"""

Told = Callable[[Any], None]


def keep(here: Any) -> None:
    (here.folder / "clawdbot_keeper.py").write_text(KEEPER)
    info = here.folder / "clawdbot_keeper-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: clawdbot_keeper\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[clawdbot]\nkeeper = clawdbot_keeper\n")
    here.configure(plugins=["keeper"])


async def said(here: Any, text: str) -> None:
    await here.server.wait(lambda: text in here.texts(), 30)


def test_what_a_plugin_remembers_outlives_its_worker(place: Told) -> None:
    async def story(here: Any) -> None:
        keep(here)
        program = await here.run()
        ada = here.server.user(1, "Ada")
        here.server.say(ada, "/count")
        await said(here, "1")
        worker = program.worker()
        os.kill(worker, signal.SIGKILL)
        here.server.say(ada, "/count")
        await said(here, "2")
        program.process.send_signal(signal.SIGHUP)
        await program.said("reloaded")
        here.server.say(ada, "/count")
        await said(here, "3")
        assert here.texts() == ["1", "2", "3"]
        assert await program.stop() == 0

    place(story)


def test_a_plan_outlives_the_process_and_comes_once(place: Told) -> None:
    async def story(here: Any) -> None:
        keep(here)
        program = await here.run()
        ada = here.server.user(1, "Ada")
        here.server.say(ada, "/later 1")
        await said(here, "planned")
        await program.kill()
        again = await here.run()
        await said(here, "called back")
        await asyncio.sleep(1)
        assert here.texts().count("called back") == 1
        assert await again.stop() == 0

    place(story)


def test_an_owed_deletion_outlives_the_process(place: Told) -> None:
    async def story(here: Any) -> None:
        keep(here)
        program = await here.run()
        here.server.say(here.server.user(1, "Ada"), "/burn 2")
        await said(here, "soon gone")
        # The debt is durable before the next thing is done; a later answer shows that it is.
        here.server.say(here.server.user(2, "Bob"), "/count")
        await said(here, "1")
        await program.kill()
        again = await here.run()
        await here.server.wait(lambda: here.server.deleted, 30)
        assert [record.text for record in here.server.deleted] == ["soon gone"]
        assert await again.stop() == 0

    place(story)


def test_what_is_too_old_gets_one_notice_a_chat(place: Told) -> None:
    async def story(here: Any) -> None:
        here.telegram["staleAfter"] = 600_000
        here.configure()
        here.ago = 3600.0
        ada, bob = here.server.user(1, "Ada"), here.server.user(2, "Bob")
        for number in range(5):
            here.server.say(ada, f"/say {number}")
        here.ago = 0.0
        here.server.say(bob, "/say fresh")
        program = await here.run(ready=False)
        await program.said("ready:")
        here.server.say(bob, "/say now")
        await said(here, "now")
        await here.server.wait(lambda: "I was away" in "".join(here.texts()), 30)
        late = [text for text in here.texts() if "I was away" in text]
        assert len(late) == 1
        assert "5 messages" in late[0]
        await said(here, "fresh")
        assert await program.stop() == 0

    place(story)
