"""A bot that nobody disturbs, for measurements: how it is started, and asked one thing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clawdcore.testing.botapi import BotApiServer, User

from .program import Program
from .site import TOKEN, Site


@dataclass(slots=True)
class Quiet:
    """A bot that runs, its server, and who writes to it."""

    program: Program
    server: BotApiServer
    people: list[User]

    async def ask(self, text: str, person: User | None = None, seconds: float = 60.0) -> str:
        """Write something in private and give what is answered."""
        asker = person or self.people[0]
        after = self.server.sent[-1].n if self.server.sent else 0
        self.server.say(asker, text)

        def answered() -> str:
            new = (r for r in self.server.records(after) if r.kind == "sent")
            return next((r.text for r in new if r.chat_id == asker.id), "")

        return await self.server.wait(answered, seconds)


@asynccontextmanager
async def running(
    *options: str, people: int = 100, keep: int = 100_000, **site: Any
) -> AsyncIterator[Quiet]:
    """Start a bot with nothing in its way, and end it after. ``site`` goes to :class:`Site`."""
    folder = Path(tempfile.mkdtemp(prefix="clawdbot-bench-"))
    try:
        async with BotApiServer(TOKEN, keep=keep, keep_messages=50) as server:
            persons = [server.user(1000 + n, f"Person {n}") for n in range(people)]
            # A bot can't write to somebody who never wrote, and the owner is told at the start.
            server.private(persons[0])
            program = Program(Site(folder, server.root, **site), *options)
            try:
                await program.start()
                yield Quiet(program, server, persons)
            finally:
                await program.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
