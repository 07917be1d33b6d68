"""HTTP to the servers: one session, direct connections, and named failures. The only IO of calls.

No proxy of the environment is used, no redirect followed, no cookie kept, and no
compressed answer taken: bytes that come are bytes that count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from io import BytesIO
from typing import Final

import aiohttp

from .failures import AttemptFailed, Where, broken, cut, of_status, out_of_time, slow, unreachable
from .servers import Address

CONNECT: Final = 5.0
"""Seconds for a connection to be made."""
KEEP_ALIVE: Final = 4.0
"""Seconds that an idle connection is kept; vLLM's server closes them after 5."""
LONGEST_ERROR: Final = 1 << 16
"""Bytes of a refusal that are looked at."""
LONGEST_BODY: Final = 1 << 23
"""Bytes of an answer that is read whole: a list of models, a transcript, metrics."""
LARGE: Final = 1 << 20
"""Bytes of a body above which aiohttp wants a file, to send it piece by piece."""
LOOK: Final = 2.0
"""Seconds for /health and /metrics."""


class Client:
    """Asks servers. Made and closed inside a running loop."""

    def __init__(self) -> None:
        # No limit: a limit would make requests wait in here, where nobody counts them.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT),
            headers={"User-Agent": "clawdbot", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._session.close()

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
    ) -> aiohttp.ClientResponse:
        """The answer once its headers are here, whatever its status is but a redirect.

        They may take ``seconds``, which ``option`` sets.

        Raises:
            AttemptFailed: the server can't be reached, is slow, or sends no HTTP.
        """
        loop = asyncio.get_running_loop()
        limit = loop.time() + seconds
        until = limit if deadline is None else min(limit, deadline)
        try:
            async with asyncio.timeout_at(until):
                response = await self._session.post(
                    f"{address.base}/{path}",
                    data=BytesIO(body) if len(body) > LARGE else body,
                    headers={**address.headers, **headers},
                    allow_redirects=False,
                )
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError):
            raise unreachable(where) from None
        except TimeoutError:
            if until == deadline:
                raise out_of_time(where, begun=False) from None
            raise slow(where, seconds, option=option, begun=False) from None
        except aiohttp.ClientResponseError:
            raise broken(where, "does not speak HTTP", begun=False) from None
        except (aiohttp.ClientError, OSError):
            raise cut(where, begun=False) from None
        encoding = response.headers.get("Content-Encoding", "identity")
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
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.get(url, headers=headers, allow_redirects=False) as response,
            ):
                body = await whole(where, response, LONGEST_BODY, deadline=None, seconds=seconds)
                return response.status, body
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError):
            raise unreachable(where) from None
        except TimeoutError:
            raise slow(where, seconds, option="headersTimeout", begun=False) from None
        except aiohttp.ClientResponseError:
            raise broken(where, "does not speak HTTP", begun=False) from None
        except (aiohttp.ClientError, OSError):
            raise cut(where, begun=False) from None


async def block(
    where: Where,
    response: aiohttp.ClientResponse,
    *,
    seconds: float,
    deadline: float | None,
    begun: bool,
) -> bytes:
    """The bytes that come next, b"" at the end.

    Raises:
        AttemptFailed: none came for ``seconds``, or the connection broke.
    """
    content = response.content
    now = asyncio.get_running_loop().time()
    limit = now + seconds
    until = limit if deadline is None else min(limit, deadline)
    if now >= until:  # data that lies ready would never let a timer fire
        raise out_of_time(where, begun=begun)
    try:
        if ready := content.read_nowait():
            return ready
        if content.at_eof():
            return b""
        async with asyncio.timeout_at(until):
            return await content.readany()
    except aiohttp.ClientPayloadError:
        raise cut(where, begun=begun) from None
    except TimeoutError:
        if until == deadline:
            raise out_of_time(where, begun=begun) from None
        raise slow(where, seconds, option="idleTimeout", begun=begun) from None
    except (aiohttp.ClientError, OSError):
        raise cut(where, begun=begun) from None


async def whole(
    where: Where,
    response: aiohttp.ClientResponse,
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


async def refused(where: Where, response: aiohttp.ClientResponse, *, wait: float) -> AttemptFailed:
    """What an answer that is no success means, after at most :data:`LOOK` seconds of reading it.

    The connection is given back where the answer was short, else closed.
    """
    told = response.headers.get("Retry-After", "")
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
