"""Model servers: alive, serving what is configured, and what they say of themselves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from ...config import Config, ProviderConfig
from .finding import Finding, Status, fail, ok, warn
from .plugins import references

TIMEOUT: Final = 8.0
"""Seconds for one question; a busy server still answers these."""
POLICY: Final = (
    "whether it runs with --scheduling-policy priority can't be seen from here: look at its "
    "command line, since without it a flood in a group delays private chats"
)
_GAUGE: Final = re.compile(r"^vllm:num_requests_(running|waiting)(?:\{[^}]*\})? ([0-9.e+]+)$", re.M)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One server's answers. ``health`` is a status code, 0 for no such address."""

    health: int
    code: int
    ids: tuple[str, ...]
    lengths: dict[str, int]
    metrics: str


async def servers(config: Config) -> list[Finding]:
    """Every configured server with an address."""
    found: list[Finding] = []
    for provider in config.models.providers.values():
        asked = (_server(config, provider, url) for url in provider.base_urls)
        for findings in await asyncio.gather(*asked):
            found += findings
    return found


async def _server(config: Config, provider: ProviderConfig, url: str) -> list[Finding]:
    parts = urlsplit(url)
    where = f"{provider.name} at {parts.hostname}:{parts.port or parts.scheme}"
    try:
        seen = await _look(provider, url)
    except httpx.HTTPError as error:
        return [
            fail(
                f"{where} does not answer ({type(error).__name__}).",
                f"Start the server, or correct models.providers.{provider.name}.baseUrl.",
            )
        ]
    if seen.health >= 500:
        return [fail(f"{where} says that it is not healthy ({seen.health}).", "Restart it.")]
    if seen.code in (401, 403):
        return [fail(f"{where} refuses the key.", f"Set models.providers.{provider.name}.apiKey.")]
    if seen.code != 200 or not seen.ids:
        return [
            fail(
                f"{where} lists no models ({seen.code} for /models).",
                "End its address with /v1, as OpenAI's API has it, or load a model there.",
            )
        ]
    return [_alive(where, seen), *_models(config, provider, where, seen)]


async def _look(provider: ProviderConfig, url: str) -> _Seen:
    root = url.removesuffix("/v1")
    headers = {}
    if provider.api_key is not None:
        headers["Authorization"] = f"Bearer {provider.api_key.get_secret_value()}"
    # The backends connect directly, whatever proxy the environment names.
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        models, health, metrics = await asyncio.gather(
            client.get(f"{url}/models", headers=headers),
            client.get(f"{root}/health"),
            client.get(f"{root}/metrics"),
        )
    listed = _listed(models)
    return _Seen(
        health=health.status_code,
        code=models.status_code,
        ids=tuple(listed),
        lengths={name: length for name, length in listed.items() if length},
        metrics=metrics.text if metrics.status_code == 200 else "",
    )


def _listed(answer: httpx.Response) -> dict[str, int]:
    """Model ids, and the length of each one's context in tokens, 0 where it isn't said."""
    try:
        data: Any = answer.json()["data"] if answer.status_code == 200 else []
        return {str(model["id"]): int(model.get("max_model_len") or 0) for model in data}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _alive(where: str, seen: _Seen) -> Finding:
    gauges = dict.fromkeys(("running", "waiting"), 0.0)
    counted = _GAUGE.findall(seen.metrics)
    for name, value in counted:
        gauges[name] += float(value)
    said = f"{where} is healthy" if seen.health == 200 else f"{where} answers"
    said += f" and serves {', '.join(seen.ids)}"
    if counted:
        said += f"; {gauges['running']:.0f} requests run, {gauges['waiting']:.0f} wait; {POLICY}"
    elif seen.metrics:
        said += "; it has metrics, though not vLLM's"
    else:
        said += "; it has no /metrics, so that its load is not known"
    return ok(said)


def _models(config: Config, provider: ProviderConfig, where: str, seen: _Seen) -> Sequence[Finding]:
    found: list[Finding] = []
    for index, ref in enumerate(references(config)):
        if ref.provider == provider.name and ref.model not in seen.ids:
            found.append(
                Finding(
                    Status.WARN if index else Status.FAIL,
                    f"{where} does not serve {ref.model}.",
                    f"Use one of: {', '.join(seen.ids)}; or start the server with it.",
                )
            )
    for model in provider.models:
        served = seen.lengths.get(model.id)
        if served and model.context_length and model.context_length > served:
            found.append(
                warn(
                    f"{where} takes {served} tokens with {model.id}, and contextLength is "
                    f"{model.context_length}.",
                    f"Lower contextLength to {served}, or raise the server's --max-model-len.",
                )
            )
    return found
