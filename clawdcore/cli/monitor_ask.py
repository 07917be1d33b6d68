"""Where the gateway is, how to get in, and one look at it over HTTP."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

import httpx
import msgspec

from ..errors import ClawdBotError
from .monitor_look import Look, decoded

if TYPE_CHECKING:
    from ..config import Config

PATIENCE: Final = 5.0
"""Seconds that a gateway may take to answer."""
ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses to listen on that are none to call, and those that are meant."""


class NoLook(ClawdBotError):
    """The gateway can't be reached, lets nobody in, or is none."""


class Place(msgspec.Struct, frozen=True):
    """A gateway: ``url`` without a path, and the bearer token that it wants, or ""."""

    url: str
    token: str = ""

    def __repr__(self) -> str:
        return f"Place(url={self.url!r})"


def place_of(config: Config, url: str | None, token: str | None) -> Place:
    """What was given, else the configuration's gateway.

    The configuration's own token goes to no other address than the configuration's.

    Raises:
        NoLook: the configuration has no gateway, or ``url`` is none.
    """
    if url is not None:
        return Place(_checked(url), token or "")
    gateway = config.gateway
    if not gateway.enabled:
        raise NoLook(
            "gateway.enabled is false, so there is nothing to watch.",
            fix="Set it to true, or name another bot's address with --url.",
        )
    host = ANYWHERE.get(gateway.host, gateway.host)
    own = gateway.auth.token
    kept = own.get_secret_value() if own is not None else _kept(config)
    shown = f"[{host}]" if ":" in host else host
    return Place(f"http://{shown}:{gateway.port}", token or kept)


def _kept(config: Config) -> str:
    """The token that the bot made for itself, where it did."""
    from ..gateway.token import FILE, is_local

    given = config.channels.telegram.bot_token
    number = given.get_secret_value().partition(":")[0] if given is not None else ""
    if is_local(config.gateway.host) or not re.fullmatch(r"[0-9]{1,19}", number):
        return ""
    try:
        return (config.state_path(int(number)) / FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""  # a bot on this machine lets us in without one


def _checked(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise NoLook(
            "--url is no address of a gateway.", fix="It looks like http://127.0.0.1:18780."
        )
    return str(parsed.copy_with(query=None, fragment=None)).rstrip("/")


def client_for(place: Place) -> httpx.AsyncClient:
    """A client for looks; one on this machine is asked past any proxy."""
    headers = {"authorization": f"Bearer {place.token}"} if place.token else {}
    return httpx.AsyncClient(
        headers=headers, timeout=PATIENCE, trust_env=not _is_here(httpx.URL(place.url).host)
    )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def look_at(client: httpx.AsyncClient, place: Place) -> Look:
    """Ask once.

    Raises:
        NoLook: there is no answer, or one that is of no use.
    """
    try:
        answer = await client.get(f"{place.url}/metrics", params={"format": "json"})
    except httpx.TimeoutException:
        raise NoLook(
            f"{place.url} does not answer within {PATIENCE:g} s.", fix="See the bot's log."
        ) from None
    except (httpx.HTTPError, UnicodeError):
        raise NoLook(
            f"no bot answers at {place.url}.",
            fix="Start it with `clawdbot run`, or name its address with --url.",
        ) from None
    if answer.status_code in (401, 403, 421):
        raise NoLook(
            f"{place.url} lets nobody in without its token.",
            fix="Give it as CLAWDBOT_TOKEN or --token (gateway.auth.token of that bot).",
        )
    if answer.status_code >= 500:
        raise NoLook(
            f"{place.url} answers HTTP {answer.status_code}.",
            fix="See the bot's log, and that of a proxy before it.",
        )
    try:
        if answer.status_code != 200:
            raise msgspec.DecodeError
        return decoded(answer.content)
    except msgspec.DecodeError:
        raise NoLook(
            f"what answers at {place.url} is no gateway of ClawdBot (HTTP {answer.status_code}).",
            fix="Check gateway.port, or --url.",
        ) from None
