"""A local Telegram Bot API server, in memory, strict enough to trust.

::

    async with BotApiServer() as server:
        ada = server.user(1001, "Ada")
        server.say(ada, "/help")
        # … a bot with base URL f"{server.root}/bot" polls and answers …
        await server.wait(lambda: server.sent)

As a process of its own: ``python -m clawdcore.testing.botapi``.
"""

from __future__ import annotations

from .faults import Fault, FaultKind
from .journal import Record
from .limits import Limits
from .server import BotApiServer
from .state import Chat, User
from .updates import PollRules

__all__ = ["BotApiServer", "Chat", "Fault", "FaultKind", "Limits", "PollRules", "Record", "User"]
