"""``clawdbot monitor`` against a server that says what the gateway says."""

from __future__ import annotations

import fcntl
import json
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawdcore.backend import Replica
from clawdcore.gateway.machine import Used
from clawdcore.gateway.status import Lately, numbers
from clawdcore.vitals import Queue, Vitals

PATIENCE = 60.0


def said(server: str = "main", *, waiting: int = 0, up: bool = True) -> bytes:
    """The gateway's JSON, of one server."""
    queue = Queue(
        server=server,
        limit=4,
        ceiling=8,
        bound=128,
        running=1,
        waiting={"control": 0, "direct": waiting, "group": 0, "media": 0},
        accepted=1,
        finished=0,
        refused={},
        replicas=(Replica(name="127.0.0.1:8000", up=up),),
    )
    used = Used(cpu=10, memory=20, disk=30)
    return msgspec.json.encode(numbers(Vitals(uptime=1, queues=(queue,)), Lately(), used, 0))


class Stub(ThreadingHTTPServer):
    """Answers every call with ``body``; keeps what was asked and with which token."""

    body = b""
    url = ""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Answering)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.calls: list[tuple[str, str | None]] = []


class _Answering(BaseHTTPRequestHandler):
    server: Stub

    def do_GET(self) -> None:
        self.server.calls.append((self.path, self.headers["authorization"]))
        self.send_response(200)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def gateway(body: bytes, port: int = 0) -> Iterator[Stub]:
    with Stub(port) as stub:
        stub.body = body
        thread = threading.Thread(target=stub.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield stub
        finally:
            stub.shutdown()
            thread.join()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, and nobody else can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def test_once_shows_a_block_without_colours(clawdbot: Any) -> None:
    with gateway(said()) as stub:
        done = clawdbot("monitor", "--url", stub.url, "--once")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"ClawdBot at {stub.url}: ok")
    assert "\x1b" not in done.stdout
    assert stub.calls == [("/metrics?format=json", None)]


def test_once_ends_with_3_where_an_alert_is_active(clawdbot: Any) -> None:
    with gateway(said(waiting=51)) as stub:
        done = clawdbot("monitor", "--url", stub.url, "--once")
        assert done.returncode == 3
        assert "ALERT  51 requests wait, more than 50" in done.stdout
        stub.body = said(up=False)
        done = clawdbot("monitor", "--url", stub.url, "--once", "--json")
    assert done.returncode == 3
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["alerts"] == [{"kind": "replica", "subject": "main 127.0.0.1:8000"}]


def test_address_token_and_thresholds_come_from_the_configuration(
    clawdbot: Any, tmp_path: Path
) -> None:
    with gateway(said(waiting=3, up=False)) as stub:
        alerts = {"queue": 3, "replicas": False}
        auth = {"token": "a-secret"}
        values = {"gateway": {"port": stub.server_port, "auth": auth, "alerts": alerts}}
        file = tmp_path / "own.json"
        file.write_text(json.dumps(values))
        assert clawdbot("monitor", "-c", file, "--once").returncode == 0
        # Another address must not learn the secret.
        assert clawdbot("monitor", "-c", file, "--url", stub.url, "--once").returncode == 0
        clawdbot("monitor", "--url", stub.url, "--once", CLAWDBOT_TOKEN="given")
    assert [token for _, token in stub.calls] == ["Bearer a-secret", None, "Bearer given"]


def test_no_bot_is_one_line_with_the_fix(clawdbot: Any, nobody: str) -> None:
    for options in ([], ["--once"], ["--json"], ["--once", "--json"]):
        done = clawdbot("monitor", "--url", nobody, *options)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"clawdbot: no bot answers at {nobody}. "
            "Start it with `clawdbot run`, or name its address with --url.\n"
        )


@contextmanager
def watching(
    environment: dict[str, str], folder: Path, *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "clawdcore", "monitor", "--interval", "0.2", *arguments],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[str], text: str) -> str:
    """The first line of its output with ``text``; fails when the output ends before."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"{text!r} never came")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_json_goes_on_while_nobody_answers_and_ends_well(
    environment: dict[str, str], tmp_path: Path, end: signal.Signals
) -> None:
    with (
        gateway(said()) as stub,
        watching(environment, tmp_path, "--url", stub.url, "--json") as process,
    ):
        assert json.loads(until(process, "queues"))["alerts"] == []
        stub.body = b"[]"
        assert list(json.loads(until(process, "error"))) == ["error"]
        stub.body = said("again")
        assert json.loads(until(process, "again"))["queues"][0]["server"] == "again"
        process.send_signal(end)
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_without_a_terminal_blocks_are_printed_one_below_the_other(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with gateway(said()) as stub, watching(environment, tmp_path, "--url", stub.url) as process:
        assert "\x1b" not in until(process, "main")
        stub.body = said("another")
        assert "\x1b" not in until(process, "another")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_on_a_terminal_it_follows_says_what_is_lost_and_comes_back(sit_down: Any) -> None:
    with ExitStack() as first:
        stub = first.enter_context(gateway(said()))
        port = stub.server_port
        with sit_down("monitor", "--url", stub.url, "--interval", "0.2") as player:
            player.until("server      main")
            stub.body = said(waiting=60)
            player.until("ALERT  60 requests wait")
            first.close()
            player.until("LOST   no bot answers")
            with gateway(said("again"), port):
                player.until("server      again")
                player.type("\x03")
                assert player.ended() == 0
            assert "Traceback" not in player.seen


def resize(player: Any, lines: int, columns: int) -> None:
    size = struct.pack("HHHH", lines, columns, 0, 0)
    fcntl.ioctl(player._terminal, termios.TIOCSWINSZ, size)


def test_it_follows_the_size_of_the_window(sit_down: Any) -> None:
    with gateway(said(waiting=60)) as stub, sit_down("monitor", "--url", stub.url) as player:
        resize(player, 40, 80)
        player.until("ALERT  60 requests wait, more than 50")
        resize(player, 40, 30)
        player.until("ALERT  60 requests wait, more \r\nthan 50")
        player.type("\x03")
        assert player.ended() == 0
