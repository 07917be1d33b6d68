"""For tests of plugins and backends; see :class:`Harness` and the ``bot`` fixture."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .backend import FakeBackend
    from .clock import VirtualLoop
    from .harness import ADA, Group, Harness, User
    from .memory import FakeMemory
    from .network import NetworkRefused, network_refused
    from .telegram import FakeTelegram, Sent

_HOME_OF: Final = {
    "ADA": "harness",
    "FakeBackend": "backend",
    "FakeMemory": "memory",
    "FakeTelegram": "telegram",
    "Group": "harness",
    "Harness": "harness",
    "NetworkRefused": "network",
    "Sent": "telegram",
    "User": "harness",
    "VirtualLoop": "clock",
    "network_refused": "network",
}

__all__ = [
    "ADA",
    "FakeBackend",
    "FakeMemory",
    "FakeTelegram",
    "Group",
    "Harness",
    "NetworkRefused",
    "Sent",
    "User",
    "VirtualLoop",
    "network_refused",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)
