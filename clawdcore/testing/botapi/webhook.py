"""Delivery of updates to a webhook: one at a time per chat, retried until taken.

Source: core.telegram.org/bots/api#setwebhook and #webhookinfo; the doubling of
the wait follows the public source of the Bot API server.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from .errors import JSON, bad_request
from .loopback import is_loopback
from .updates import Entry, UpdateQueue

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
MAX_RETRY_DELAY = 600.0
MAX_SECRET = 256
_SECRET = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where updates go, as `setWebhook` said."""

    url: str
    secret: str = ""
    max_connections: int = 40
    certificate: bool = False


def check_webhook(url: str, secret: str, hosts: frozenset[str]) -> None:
    """Refuse what Telegram refuses, and every host but loopback and ``hosts``.

    `http://` is allowed, unlike with Telegram, since nothing leaves the machine.

    Raises:
        ApiError: 400.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise bad_request("bad webhook: invalid URL specified") from None
    if parts.scheme not in ("http", "https") or not host:
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if not is_loopback(host) and host not in hosts:
        raise bad_request("bad webhook: the local server delivers to loopback addresses only")
    if len(secret) > MAX_SECRET:
        raise bad_request("secret token is too long")
    if secret and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")


class WebhookSender:
    """Takes entries out of the queue and posts them.

    ``reply`` is called with the JSON object that a webhook answers, which may be
    a method call (core.telegram.org/bots/api#making-requests-when-getting-updates).
    ``changed`` is called after each attempt. ``retry`` is the first delay in seconds.
    """

    def __init__(
        self,
        queue: UpdateQueue,
        clock: Callable[[], float],
        *,
        retry: float,
        reply: Callable[[JSON], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._retry = retry
        self._reply = reply
        self._changed = changed
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._busy: set[int] = set()
        self.hook: Webhook | None = None
        self.last_error = ""
        self.last_error_at = 0

    async def use(self, hook: Webhook | None) -> None:
        """Deliver to another webhook, or (None) nowhere, from now on."""
        await self.stop()
        self.hook = hook
        self.last_error, self.last_error_at = "", 0
        if hook is not None:
            self._task = asyncio.create_task(self._deliver_all(hook))

    async def stop(self) -> None:
        """End all deliveries; what was not taken stays in the queue."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))
        self._busy.clear()

    def wake(self) -> None:
        """An update came, or a delivery ended."""
        self._wake.set()

    def info(self) -> JSON:
        """The WebhookInfo object, without `allowed_updates`."""
        hook = self.hook
        info: JSON = {
            "url": hook.url if hook else "",
            "has_custom_certificate": hook.certificate if hook else False,
            "pending_update_count": len(self._queue.entries),
        }
        if hook is not None:
            info["max_connections"] = hook.max_connections
            info["ip_address"] = "127.0.0.1"
        if self.last_error:
            info["last_error_date"] = self.last_error_at
            info["last_error_message"] = self.last_error
        return info

    async def _deliver_all(self, hook: Webhook) -> None:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=60),
                connector=aiohttp.TCPConnector(limit=hook.max_connections, ssl=False),
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            while True:
                self._wake.clear()
                self._queue.expire()
                for entry in self._ready(hook.max_connections):
                    self._busy.add(entry.key)
                    group.create_task(self._deliver(session, hook, entry))
                await self._wake.wait()

    def _ready(self, most: int) -> list[Entry]:
        free = most - len(self._busy)
        chats = self._queue.by_key.items()
        heads = (next(iter(entries)) for key, entries in chats if key not in self._busy)
        return list(islice(heads, max(free, 0)))

    async def _deliver(self, session: aiohttp.ClientSession, hook: Webhook, entry: Entry) -> None:
        delay = self._retry
        try:
            while entry in self._queue.entries:
                problem, answer = await self._post(session, hook, entry)
                if not problem:
                    self._queue.remove(entry)
                    self._changed()
                    if answer is not None:
                        await self._reply(answer)
                    return
                self._queue.handed_out(entry)
                self.last_error, self.last_error_at = problem, int(self._clock())
                self._changed()
                await asyncio.sleep(delay)
                delay = min(delay * 2, MAX_RETRY_DELAY)
        finally:
            self._busy.discard(entry.key)
            self._wake.set()

    async def _post(
        self, session: aiohttp.ClientSession, hook: Webhook, entry: Entry
    ) -> tuple[str, JSON | None]:
        """What went wrong ("" for nothing), and a method call in the answer."""
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers[SECRET_HEADER] = hook.secret
        try:
            async with session.post(
                hook.url, data=entry.body, headers=headers, allow_redirects=False
            ) as response:
                if not 200 <= response.status < 300:
                    return (
                        f"Wrong response from the webhook: {response.status} {response.reason}",
                        None,
                    )
                return "", await _method_call(response)
        except TimeoutError:
            return "Read timeout expired", None
        except aiohttp.ClientConnectorError:
            return "Connection refused", None
        except aiohttp.ClientError:
            return "Connection reset by peer", None


async def _method_call(response: aiohttp.ClientResponse) -> JSON | None:
    if response.content_type != "application/json":
        return None
    try:
        answer: Any = await response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("method"), str) else None
