"""One of the servers, and what is known of it. No IO here."""

from __future__ import annotations

from base64 import b64encode
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from .metrics import Gauges
from .rates import Ratio

PORTS: Final = {"http": 80, "https": 443}


class Address(msgspec.Struct, frozen=True):
    """Where a server is: ``base`` ends with /v1, ``root`` is what stands before that.

    ``name`` is host and port; no part but ``headers`` holds a secret.
    """

    name: str
    base: str
    root: str
    headers: dict[str, str]

    def __repr__(self) -> str:
        return f"Address({self.name})"


def address(url: str, api_key: str | None) -> Address:
    """Take ``url`` apart. A name and password in it are sent where no key is set."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or PORTS.get(parts.scheme, 80)
    place = f"[{host}]" if ":" in host else host
    netloc = place if parts.port is None else f"{place}:{port}"
    base = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
    headers: dict[str, str] = {}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    elif parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode('ascii')}"
    return Address(f"{place}:{port}", base, base.removesuffix("/v1"), headers)


class Reading(msgspec.Struct, frozen=True):
    """What a server's /metrics said ``at`` a time, and how many of ours it had then."""

    at: float
    gauges: Gauges
    in_flight: int


class Server(msgspec.Struct, eq=False, kw_only=True):
    """A server's state. Times are seconds of the running loop's clock.

    ``failures`` counts ejections without an answer between, ``strikes`` bad answers
    in a row. ``tokens`` are those that we saw come; ``measured`` is when ``speed`` was
    last told of a count, and the count, which is our own where ``ours``.
    """

    address: Address
    in_flight: int = 0
    up: bool = True
    failures: int = 0
    strikes: int = 0
    probe_at: float = 0.0
    health_at: float = 0.0
    scrape_at: float = 0.0
    reading: Reading | None = None
    tokens: int = 0
    measured: tuple[float, float] | None = None
    ours: bool = False
    speed: Ratio = msgspec.field(default_factory=Ratio)
    queueing: Ratio = msgspec.field(default_factory=Ratio)
    response_time: float | None = None
    duration: float | None = None

    @property
    def name(self) -> str:
        return self.address.name
