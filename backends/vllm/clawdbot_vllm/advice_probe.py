"""Ask a server for what advice needs."""

from __future__ import annotations

import msgspec

from . import catalogue
from .advice import Line, advise
from .advice_facts import facts
from .client import Client
from .failures import AttemptFailed, Where
from .servers import Server


class _Version(msgspec.Struct):
    version: str = ""


async def advice(client: Client, provider: str, server: Server) -> list[Line]:
    """What to say of ``server``; nothing of one that is no vLLM, or does not answer."""
    where, address = Where(provider, server.name), server.address

    async def get(url: str) -> tuple[int, bytes]:
        try:
            return await client.get(where, url, address.headers)
        except AttemptFailed:
            return 0, b""

    health, _ = await get(f"{address.root}/health")
    code, listing = await get(f"{address.base}/models")
    try:
        listed = catalogue.parse(listing) if code == 200 else []
    except (msgspec.MsgspecError, UnicodeDecodeError):
        listed = []
    if not catalogue.is_vllm(listed):
        return []
    _, metrics = await get(f"{address.root}/metrics")
    _, version = await get(f"{address.root}/version")
    try:
        told = msgspec.json.decode(version, type=_Version).version
    except msgspec.MsgspecError:
        told = ""
    return advise(
        facts(
            server.name,
            health=health,
            metrics=metrics.decode(errors="replace"),
            version=told,
            context=max(model.max_model_len or 0 for model in listed),
        )
    )
