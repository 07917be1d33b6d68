"""What is asked of the servers before the first request, and again while they are used."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import msgspec

from clawdcore import BackendUnavailable

from . import catalogue, loads, priority
from .catalogue import Listed
from .failures import AttemptFailed, broken, of_status
from .fleet import Fleet
from .priority import Decision
from .servers import Server

LIST: Final = 10.0
"""Seconds for a list of models."""
OK: Final = 200

log = logging.getLogger(__name__)


async def listing(fleet: Fleet) -> tuple[Server, list[Listed]]:
    """What they serve: all are asked at once, the first in order that answers counts.

    Raises:
        BackendError: none answers; this is why the first doesn't.
    """
    answers = await asyncio.gather(*(_listed(fleet, server) for server in fleet.servers))
    for server, listed in zip(fleet.servers, answers, strict=True):
        if isinstance(listed, AttemptFailed):
            fleet.blame(server, listed)
    for server, listed in zip(fleet.servers, answers, strict=True):
        if isinstance(listed, list):
            return server, listed
    for failed in answers:
        if isinstance(failed, AttemptFailed):
            raise failed.error
    raise BackendUnavailable(
        f"{fleet.provider} has no server.",
        fix=f"Set models.providers.{fleet.provider}.baseUrl.",
    )


async def _listed(fleet: Fleet, server: Server) -> list[Listed] | AttemptFailed:
    where = fleet.where(server)
    try:
        status, body = await fleet.client.get(
            where, f"{server.address.base}/models", server.address.headers, seconds=LIST
        )
    except AttemptFailed as failed:
        return failed
    if status != OK:
        return of_status(where, status, body, wait=loads.LEAST_WAIT)
    try:
        return catalogue.parse(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return broken(where, "lists its models in no form of OpenAI's API", begun=False)


async def decision(fleet: Fleet, server: Server, *, is_vllm: bool) -> Decision:
    """Whether requests carry their class; says once in the log why that may not act."""
    option = fleet.options.priority
    told = ""
    if option is None and is_vllm:
        try:
            status, body = await fleet.client.get(
                fleet.where(server),
                f"{server.address.root}{priority.INFO}",
                server.address.headers,
            )
            told = priority.policy(body) if status == OK else ""
        except AttemptFailed as failed:
            log.debug("%s: no /server_info (%s)", server.name, failed.kind.value)
    decided = priority.decide(option, is_vllm=is_vllm, told=told)
    if decided.note:
        log.warning("%s: %s", fleet.where(server), decided.note)
    return decided
