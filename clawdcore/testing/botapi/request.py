"""From an HTTP request to a call: the four ways in which a bot may pass parameters.

Source: core.telegram.org/bots/api#making-requests (query string, urlencoded,
JSON, multipart/form-data).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from .errors import JSON, ApiError, bad_request

MAX_PARTS = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a call."""

    name: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose parameters have the types that the method asks for."""

    method: str
    values: JSON
    uploads: dict[str, Upload]

    def get(self, name: str, default: T) -> T:
        """The parameter's value, or ``default``, which has the parameter's type."""
        return cast(T, self.values.get(name, default))


async def read_parameters(request: web.Request) -> tuple[JSON, dict[str, Upload]]:
    """Raw parameters (strings, or JSON values) and files.

    Raises:
        ApiError: 400 for a body that can't be read, 413 for one that is too large.
    """
    given: JSON = dict(request.query)
    uploads: dict[str, Upload] = {}
    try:
        if request.content_type == "application/json":
            given |= _json_object(await request.read())
        elif request.content_type == "application/x-www-form-urlencoded":
            body = (await request.read()).decode()
            given |= dict(parse_qsl(body, keep_blank_values=True, errors="strict"))
        elif request.content_type == "multipart/form-data":
            await _read_multipart(request, given, uploads)
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
    except (ValueError, RecursionError, AssertionError, LookupError, HttpProcessingError):
        raise bad_request("can't parse the request body") from None
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413, "Request Entity Too Large") from None
    return given, uploads


def _json_object(body: bytes) -> JSON:
    if not body.strip():
        return {}
    value: Any = json.loads(body)
    if not isinstance(value, dict):
        raise bad_request("can't parse JSON object: expected an Object")
    return value


async def _read_multipart(request: web.Request, given: JSON, uploads: dict[str, Upload]) -> None:
    reader = await request.multipart()
    left = request.client_max_size
    for _ in range(MAX_PARTS):
        part = await reader.next()
        if part is None:
            return
        if not isinstance(part, BodyPartReader) or not part.name:
            raise bad_request("can't parse the request body")
        data = bytearray()
        while chunk := await part.read_chunk():
            left -= len(chunk)
            if left < 0:
                raise ApiError(413, "Request Entity Too Large")
            data.extend(chunk)
        if part.filename is None:
            given[part.name] = data.decode()
        else:
            mime = part.headers.get("Content-Type", "application/octet-stream")
            uploads[part.name] = Upload(part.filename, mime, bytes(data))
    raise bad_request("too many parts")
