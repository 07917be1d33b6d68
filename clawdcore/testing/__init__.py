"""For tests of plugins and backends; see :class:`Harness` and the ``bot`` fixture."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .awaited import AsyncHarness
    from .backend import FakeBackend
    from .clock import VirtualLoop
    from .conformance import BackendConformance
    from .harness import Flood, Harness
    from .http import FakeHttp
    from .memory import FakeMemory
    from .network import NetworkRefused, network_refused
    from .plugin_conformance import PluginConformance
    from .telegram import BOT, FakeTelegram, Sent
    from .texts import untranslated
    from .writing import ADA, Group, Said, User

_HOME_OF: Final = {
    "ADA": "writing",
    "AsyncHarness": "awaited",
    "BOT": "telegram",
    "BackendConformance": "conformance",
    "FakeBackend": "backend",
    "FakeHttp": "http",
    "Flood": "harness",
    "FakeMemory": "memory",
    "FakeTelegram": "telegram",
    "Group": "writing",
    "Harness": "harness",
    "NetworkRefused": "network",
    "PluginConformance": "plugin_conformance",
    "Said": "writing",
    "Sent": "telegram",
    "User": "writing",
    "VirtualLoop": "clock",
    "network_refused": "network",
    "untranslated": "texts",
}

__all__ = [
    "ADA",
    "BOT",
    "AsyncHarness",
    "BackendConformance",
    "FakeBackend",
    "FakeHttp",
    "FakeMemory",
    "FakeTelegram",
    "Flood",
    "Group",
    "Harness",
    "NetworkRefused",
    "PluginConformance",
    "Said",
    "Sent",
    "User",
    "VirtualLoop",
    "network_refused",
    "untranslated",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)
