"""Download one file from a model hub over HTTP, resuming what an earlier try left."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from threading import Event
from typing import Final
from urllib.parse import urlsplit

import httpx

from .catalogue import HubFile
from .failures import DownloadStopped, Mismatch, SourceFailed
from .partial import BLOCK, Partial

HUB: Final = "https://huggingface.co"
TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
"""Seconds: a hub that can't be reached is given up quickly, so that the next source is tried."""
BARREN_TRIES: Final = 3
"""Tries in a row that may bring no byte; one that brings some starts the count again."""


def endpoint(env: Mapping[str, str] = os.environ) -> str:
    """The hub's address: $HF_ENDPOINT, as all of the hub's own tools read it."""
    return (env.get("HF_ENDPOINT") or HUB).rstrip("/")


def download(
    source: HubFile,
    partial: Partial,
    *,
    hub: str,
    stop: Event,
    report: Callable[[int], None],
    pause: float = 1.0,
) -> None:
    """Bring ``partial`` to the file's size; ``report`` gets the bytes that are there.

    ``pause`` is the time in seconds between tries.

    Raises:
        SourceFailed: the hub can't be reached, refuses, or breaks off again and again.
        Mismatch: it sends more than the file's size.
        DownloadStopped: ``stop`` was set.
    """
    url = f"{hub}/{source.repository}/resolve/{source.revision}/{source.filename}"
    host = urlsplit(hub).hostname or hub
    tries = 0
    begun = False
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
        while partial.size < source.size:
            before = partial.size
            try:
                _once(client, url, source, partial, stop, report)
                reason = f"{host} broke off the download"
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                reason = f"{host} can't be reached"
                if not begun:
                    raise SourceFailed(reason) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = f"{host} broke off the download ({type(error).__name__})"
            progressed = partial.size > before
            begun = begun or progressed
            tries = 0 if progressed else tries + 1
            if tries >= BARREN_TRIES:
                raise SourceFailed(reason)
            if partial.size < source.size and stop.wait(pause):
                raise DownloadStopped


def _once(
    client: httpx.Client,
    url: str,
    source: HubFile,
    partial: Partial,
    stop: Event,
    report: Callable[[int], None],
) -> None:
    # Compressed bytes could be neither counted nor resumed.
    headers = {"Accept-Encoding": "identity"}
    if partial.size:
        headers["Range"] = f"bytes={partial.size}-"
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 200:
            # Also the answer of a server that ignores the Range header.
            partial.truncate(0)
        elif not _continues(response, partial.size):
            raise SourceFailed(f"{urlsplit(url).hostname} answered {response.status_code}")
        for block in response.iter_raw(BLOCK):
            if stop.is_set():
                raise DownloadStopped
            partial.write(block)
            if partial.size > source.size:
                partial.truncate(0)
                raise Mismatch(f"{source.filename} is larger than it should be")
            report(partial.size)


def _continues(response: httpx.Response, offset: int) -> bool:
    """Whether it is a part of the file, and begins where we left off."""
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return response.status_code == 206 and found is not None and int(found[1]) == offset
