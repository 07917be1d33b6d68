"""HTTP to the servers: direct connections, and named failures. The only IO of calls.

No proxy of the environment is used, no redirect followed, no cookie kept, and no
compressed answer taken: bytes that come are bytes that count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from .failures import AttemptFailed, Where, broken, cut, of_status, out_of_time, slow, unreachable
from .http import Cut, Garbled, HttpError, Pool, Response, Unreachable
from .http.pool import Origin
from .servers import PORTS, Address

LONGEST_ERROR: Final = 1 << 16
"""Bytes of a refusal that are looked at."""
LONGEST_BODY: Final = 1 << 23
"""Bytes of an answer that is read whole: a list of models, a transcript, metrics."""
LOOK: Final = 2.0
"""Seconds for /health and /metrics."""


class Client:
    """Asks servers. Made and closed inside a running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pool = Pool()
        self._targets: dict[str, tuple[Origin, str, str]] = {}

    async def close(self) -> None:
        await self._pool.close()

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, until: float
    ) -> Response:
        """Raises :class:`~.http.HttpError`, and TimeoutError at ``until``."""
        origin, place, path = self._targets.get(url) or self._target(url)
        lines = [
            f"{method} {path} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: clawdbot\r\n"
            "Accept-Encoding: identity\r\n",
            *[f"{name}: {value}\r\n" for name, value in headers.items()],
            f"Content-Length: {len(body)}\r\n\r\n" if body or method == "POST" else "\r\n",
        ]
        return await self._pool.ask(origin, "".join(lines).encode(), body, until)

    def _target(self, url: str) -> tuple[Origin, str, str]:
        """Where ``url`` leads: the server, its name there, and the path. A few are asked for."""
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        place = f"[{host}]" if ":" in host else host
        origin = Origin(parts.scheme == "https", host, parts.port or PORTS.get(parts.scheme, 80))
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        name = place if parts.port is None else f"{place}:{parts.port}"
        self._targets[url] = target = (origin, name, path or "/")
        return target

    async def post(
        self,
        where: Where,
        address: Address,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        seconds: float,
        deadline: float | None,
        option: str,
    ) -> Response:
        """The answer once its headers are here, whatever its status is but a redirect.

        They may take ``seconds``, which ``option`` sets.

        Raises:
            AttemptFailed: the server can't be reached, is slow, or sends no HTTP.
        """
        limit = self._loop.time() + seconds
        until = limit if deadline is None else min(limit, deadline)
        url, given = f"{address.base}/{path}", {**address.headers, **headers}
        try:
            response = await self._ask("POST", url, given, body, until)
        except Unreachable:
            raise unreachable(where) from None
        except TimeoutError:
            if until == deadline:
                raise out_of_time(where, begun=False) from None
            raise slow(where, seconds, option=option, begun=False) from None
        except Garbled:
            raise broken(where, "does not speak HTTP", begun=False) from None
        except Cut:
            raise cut(where, begun=False) from None
        encoding = response.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            response.close()
            raise broken(where, "sent a compressed answer that nobody asked for", begun=False)
        if 300 <= response.status < 400:
            response.close()
            raise of_status(where, response.status, b"", wait=0.0)
        return response

    async def get(
        self, where: Where, url: str, headers: Mapping[str, str], *, seconds: float = LOOK
    ) -> tuple[int, bytes]:
        """Status and body of a small answer.

        Raises:
            AttemptFailed: as :meth:`post`, or the answer is too long.
        """
        response: Response | None = None
        try:
            until = self._loop.time() + seconds
            response = await self._ask("GET", url, headers, b"", until)
            body = await whole(where, response, LONGEST_BODY, deadline=until, seconds=seconds)
            return response.status, body
        except Unreachable:
            raise unreachable(where) from None
        except TimeoutError:
            raise slow(where, seconds, option="headersTimeout", begun=False) from None
        except Garbled:
            raise broken(where, "does not speak HTTP", begun=False) from None
        except Cut:
            raise cut(where, begun=False) from None
        finally:
            if response is not None:
                response.close()


async def block(
    where: Where,
    response: Response,
    *,
    seconds: float,
    deadline: float | None,
    begun: bool,
) -> bytes:
    """The bytes that come next, b"" at the end.

    Raises:
        AttemptFailed: none came for ``seconds``, or the connection broke.
    """
    now = response.loop.time()
    limit = now + seconds
    until = limit if deadline is None else min(limit, deadline)
    if now >= until:  # data that lies ready would never let a timer fire
        raise out_of_time(where, begun=begun)
    try:
        if ready := response.read_nowait():
            return ready
        if response.at_eof():
            return b""
        return await response.read(until)
    except TimeoutError:
        if until == deadline:
            raise out_of_time(where, begun=begun) from None
        raise slow(where, seconds, option="idleTimeout", begun=begun) from None
    except HttpError:
        raise cut(where, begun=begun) from None


async def whole(
    where: Where,
    response: Response,
    longest: int,
    *,
    seconds: float,
    deadline: float | None,
) -> bytes:
    """A body that must not be longer than ``longest`` bytes.

    Raises:
        AttemptFailed: as :func:`block`, or it is longer.
    """
    parts: list[bytes] = []
    size = 0
    while part := await block(where, response, seconds=seconds, deadline=deadline, begun=False):
        size += len(part)
        if size > longest:
            response.close()
            raise broken(where, f"sent more than {longest:,} bytes", begun=False)
        parts.append(part)
    return b"".join(parts)


async def refused(where: Where, response: Response, *, wait: float) -> AttemptFailed:
    """What an answer that is no success means, after at most :data:`LOOK` seconds of reading it.

    The connection is given back where the answer was short, else closed.
    """
    told = response.headers.get("retry-after", "")
    until = asyncio.get_running_loop().time() + LOOK
    parts: list[bytes] = []
    try:
        while sum(map(len, parts)) < LONGEST_ERROR:
            part = await block(where, response, seconds=LOOK, deadline=until, begun=False)
            if not part:
                break
            parts.append(part)
    except AttemptFailed:
        parts.append(b"")  # the status alone says enough
    finally:
        response.close()
    return of_status(where, response.status, b"".join(parts), wait=wait, retry_after=told)
