"""The local Telegram server, seen by the people who chat there: a client of its control routes."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from ..errors import ChannelUnreachable

Event = dict[str, Any]
"""What the bot did: ``kind``, ``chat_id`` and ``message``, as Telegram's objects."""

TIMEOUT: Final = 10.0
"""Seconds that a call on this machine may take, beyond what it was asked to wait."""


class Control:
    """Speaks to the server at ``root`` (``http://127.0.0.1:PORT``)."""

    def __init__(self, root: str) -> None:
        self.root = root
        parts = urlsplit(root)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port

    def user(self, id: int, name: str, language: str) -> None:
        """Make a person, who has opened a chat with the bot."""
        self._ask("user", {"id": id, "first_name": name, "language_code": language})

    def group(self, id: int, title: str) -> None:
        """Make a group with the bot in it."""
        self._ask("group", {"id": id, "title": title})

    def say(self, user: int, text: str, chat: int | None = None) -> Any:
        """A person writes, in private or in the chat of that id. Returns the Message."""
        return self._ask("say", {"user": user, "text": text, "chat": chat})

    def state(self) -> dict[str, Any]:
        """What the server counted: ``calls`` by method, and more."""
        return dict(self._ask("state"))

    def events(self, after: int, seconds: float) -> tuple[list[Event], int]:
        """What the bot did after event number ``after``, and the last number.

        Waits at most ``seconds`` for the first of it.

        Raises:
            ChannelUnreachable: the server is gone.
        """
        query = urlencode({"after": after, "timeout": max(0.0, seconds)})
        result = self._ask(f"events?{query}", timeout=seconds + TIMEOUT)
        return result["events"], result["last"]

    def _ask(self, path: str, body: object = None, *, timeout: float = TIMEOUT) -> Any:
        connection = HTTPConnection(self._host, self._port, timeout=timeout)
        try:
            if body is None:
                connection.request("GET", f"/__control/{path}")
            else:
                connection.request("POST", f"/__control/{path}", json.dumps(body))
            answer = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError) as error:
            raise ChannelUnreachable(
                f"the local Telegram server does not answer ({type(error).__name__}).",
                fix="Start the command again.",
            ) from None
        finally:
            connection.close()
        if not answer["ok"]:
            raise ChannelUnreachable(
                f"the local Telegram server refused {path.partition('?')[0]}: "
                f"{answer['description']}."
            )
        return answer["result"]
