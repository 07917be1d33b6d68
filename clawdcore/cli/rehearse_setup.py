"""The rehearsal's configuration: the owner's own, with a Telegram and a gateway of its own."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .demo_setup import Settings, taken
from .rehearse_advice import Settings as Present

if TYPE_CHECKING:
    from ..config import Config

HOST: Final = "127.0.0.1"
TELEGRAM: Final = {"pace", "streaming", "text_chunk_limit"}
GATEWAY: Final = {"max_concurrent_requests", "request_queue_size"}


def settings_for(config: Config, port: int) -> Settings:
    """Models, plugins, timeouts, sizes and pace of ``config``; a gateway at ``port`` here."""
    telegram: dict[str, Any] = config.channels.telegram.model_dump(
        by_alias=True, exclude_defaults=True, include=TELEGRAM
    )
    sizes = config.gateway.model_dump(by_alias=True, exclude_defaults=True, include=GATEWAY)
    defaults = config.agents.defaults
    return replace(
        taken(config),
        timeout=defaults.timeout.total / 1000,
        model=defaults.model.primary,
        telegram=telegram,
        gateway={**sizes, "host": HOST, "port": port},
    )


def present(config: Config) -> Present:
    """What the advice needs to know."""
    defaults = config.agents.defaults
    provider = config.models.providers.get(defaults.model.primary.partition("/")[0])
    return Present(
        model=defaults.model.primary,
        base_urls=len(provider.base_urls) if provider is not None else 0,
        total=defaults.timeout.total / 1000,
        group_per_minute=config.channels.telegram.pace.group_per_minute,
    )


def has_translate(config: Config) -> bool:
    """Whether the command /translate is there."""
    return any(each.name == "translate" and each.enabled for each in config.plugins)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as taken_for_now:
        taken_for_now.bind((HOST, 0))
        return int(taken_for_now.getsockname()[1])
