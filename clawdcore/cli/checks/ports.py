"""The ports that the bot listens on."""

from __future__ import annotations

import errno
import os
import socket
from typing import Final

import httpx

from ...config import Config
from .finding import Finding, fail, in_thread, ok

TIMEOUT: Final = 3.0
"""Seconds for a server on this machine."""


async def ports(config: Config) -> list[Finding]:
    """Whether each configured port is free, or held by a bot that runs already."""
    found: list[Finding] = []
    hook, gateway = config.channels.telegram.webhook, config.gateway
    if hook.url is not None:
        taken = await in_thread(lambda: why_taken(hook.host, hook.port))
        where = f"{hook.host}:{hook.port}"
        if taken and await _is_ours(hook.host, hook.port, hook.path):
            found.append(ok(f"a bot that runs now listens for the webhook on {where}"))
        else:
            found.append(_said(where, "the webhook", "channels.telegram.webhook.port", taken))
    if not gateway.enabled:
        return found
    taken = await in_thread(lambda: why_taken(gateway.host, gateway.port))
    where = f"{gateway.host}:{gateway.port}"
    if taken and await _is_our_gateway(gateway.host, gateway.port):
        return [*found, ok(f"a bot that runs now has its gateway on {where}")]
    return [*found, _said(where, "the gateway", "gateway.port", taken)]


def _said(where: str, what: str, key: str, taken: str) -> Finding:
    if not taken:
        return ok(f"{where} is free for {what}")
    return fail(f"{where}, meant for {what}, can't be used: {taken}.", f"Free it, or set {key}.")


def why_taken(host: str, port: int) -> str:
    """Why nothing can listen there now, "" where it can. Binds for a moment."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        return "this host's name is unknown"
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as probe:
            # As the bot will: a connection that was closed a moment ago is no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
                probe.listen()
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return "another program listens there"
                return os.strerror(error.errno or 0).lower()
    return ""


async def _is_ours(host: str, port: int, path: str) -> bool:
    """Whether a bot of ours answers there: without the secret it refuses, and says nothing."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
            answer = await client.post(f"{_root(host, port)}{path}", content=b"")
    except httpx.HTTPError:
        return False
    return answer.status_code == 401 and not answer.content


async def _is_our_gateway(host: str, port: int) -> bool:
    """Whether a gateway of ours answers there."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
            answer = await client.get(f"{_root(host, port)}/health")
        return "ladder" in answer.json()
    except (httpx.HTTPError, ValueError, TypeError):
        return False


def _root(host: str, port: int) -> str:
    reached = "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host
    return f"http://{reached}:{port}"
