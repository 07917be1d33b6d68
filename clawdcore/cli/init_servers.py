"""Model servers on this machine, found by asking the ports where they usually listen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import httpx

PORTS: Final = ((8000, "vllm"), (8080, "llama-server"), (11434, "ollama"), (1234, "lmstudio"))
"""Default ports: vLLM, llama.cpp's server, Ollama, LM Studio; and what we call a provider there."""
OWNERS: Final = {"vllm": "vllm", "llamacpp": "llama-server", "library": "ollama"}
"""What a server says in ``owned_by`` of its models, and what it therefore is."""
PATIENCE: Final = 1.0
"""Seconds for one server; on this machine one that works answers in milliseconds."""
LISTED: Final = 20
"""Models of one server that are offered at most."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server with an OpenAI API. ``models`` are ids; none where it wants a key."""

    name: str
    base_url: str
    models: tuple[str, ...]
    wants_key: bool = False


async def find_servers(ports: Sequence[tuple[int, str]] = PORTS) -> list[Server]:
    """The servers that answer ``GET /v1/models`` on loopback, in the order of ``ports``."""
    import httpx

    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
        found = await asyncio.gather(*(_ask(client, port, name) for port, name in ports))
    return [server for server in found if server is not None]


async def _ask(client: httpx.AsyncClient, port: int, name: str) -> Server | None:
    import httpx

    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        answer = await client.get(f"{base_url}/models")
        if answer.status_code in (401, 403):
            return Server(name, base_url, (), wants_key=True)
        listed: Any = answer.json()["data"] if answer.status_code == 200 else []
        ids = [str(model["id"]) for model in listed]
        owner = str(listed[0].get("owned_by", "")) if listed else ""
    except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError):
        return None  # nothing listens there, or something that is no model server
    usable = tuple(each for each in ids if each and not any(c.isspace() for c in each))
    return Server(OWNERS.get(owner, name), base_url, usable[:LISTED]) if usable else None
