"""``context.http``: an HTTP client for each plugin, which reaches the hosts that it declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..errors import PluginError
from .needs import Needs

if TYPE_CHECKING:
    import httpx

TIMEOUT: Final = 10.0
"""Seconds for each of connecting, sending, reading and waiting for a connection."""
CONNECTIONS: Final = 20
"""Of one plugin, at once."""


class HostRefused(PluginError):
    """A plugin asked for a host that it does not declare. ``host`` is which one.

    The message does not name it: a host can be made of what somebody wrote.
    """

    def __init__(self, plugin: str, host: str) -> None:
        super().__init__(
            f"plugin {plugin!r} asked for a host that it does not declare.",
            plugin=plugin,
            fix="Name it in the hook needs: Needs(hosts=(…)).",
        )
        self.host = host


class Clients:
    """The clients of all plugins, each made when first asked for.

    ``needs`` gives what a plugin declared, ``transport`` what really sends; None for
    httpx's own.
    """

    def __init__(
        self,
        needs: Callable[[str], Needs],
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        self._needs = needs
        self._transport = transport
        self._clients: dict[str, httpx.AsyncClient] = {}

    def of(self, plugin: str) -> httpx.AsyncClient:
        """The client of one plugin; always the same one."""
        client = self._clients.get(plugin)
        if client is None:
            client = self._clients[plugin] = self._make(plugin)
        return client

    def _make(self, plugin: str) -> httpx.AsyncClient:
        import httpx

        from .. import __version__

        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        real = (
            httpx.AsyncHTTPTransport(limits=limits)
            if self._transport is None
            else self._transport()
        )
        needs = self._needs(plugin)

        class Declared(httpx.AsyncBaseTransport):
            """Sends what goes to a declared host; redirects come through here too."""

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                host = request.url.host.lower()
                if not needs.allows(host):
                    raise HostRefused(plugin, host)
                return await real.handle_async_request(request)

            async def aclose(self) -> None:
                await real.aclose()

        # Variables for proxies would send it round the check, and .netrc holds others' secrets.
        return httpx.AsyncClient(
            transport=Declared(),
            timeout=TIMEOUT,
            follow_redirects=True,
            max_redirects=5,
            trust_env=False,
            headers={"User-Agent": f"clawdbot/{__version__} ({plugin})"},
        )

    async def close(self) -> None:
        """Close all of them."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()
