"""What ``clawdbot doctor`` says of the servers beyond whether they answer."""

from __future__ import annotations

from collections.abc import Sequence

from . import priority
from .advice import Line
from .advice_probe import advice
from .client import Client
from .failures import AttemptFailed, Where
from .options import VllmOptions
from .servers import Server


async def diagnose(provider: str, servers: Sequence[Server], options: VllmOptions) -> list[Line]:
    """What goes wrong with each server, and how it schedules, as far as it says.

    Whether it answers is the doctor's own check.
    """
    client = Client()
    found: list[Line] = []
    try:
        for server in servers:
            found += await advice(client, provider, server)
            found += await _policy(client, provider, server)
    finally:
        await client.close()
    return found + _options(provider, servers, options)


async def _policy(client: Client, provider: str, server: Server) -> list[Line]:
    """Only a server in development mode says it; of the others nothing is said."""
    address = server.address
    try:
        status, body = await client.get(
            Where(provider, server.name), f"{address.root}{priority.INFO}", address.headers
        )
    except AttemptFailed:
        return []
    told = priority.policy(body) if status == 200 else ""
    if not told:
        return []
    if told == "priority":
        return [("OK", f"{server.name} schedules by priority", "")]
    return [
        (
            "WARN",
            f"{server.name} schedules by {told}: a flood in a group delays private chats.",
            f"Start it with {priority.FLAG}.",
        )
    ]


def _options(provider: str, servers: Sequence[Server], options: VllmOptions) -> list[Line]:
    names = [server.name for server in servers]
    if len(set(names)) < len(names):
        return [
            (
                "WARN",
                "two of its addresses lead to the same host and port.",
                f"Correct models.providers.{provider}.baseUrls.",
            )
        ]
    if options.priority is False:
        return [
            ("WARN", "its option priority is false: all classes of work are equal.", "Remove it.")
        ]
    return []
