"""Whether the bot has a gateway: asked for, by default, or not at all."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest

from clawdcore.cli import serve
from clawdcore.config import parse
from clawdcore.errors import PortTaken


def test_it_is_left_out_when_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def listen(host: str, port: int) -> NoReturn:
        raise AssertionError("nobody asked for it")

    monkeypatch.setattr(serve, "listen", listen)
    assert serve._listen(parse("{gateway: {enabled: false}}", env={})) == []


def test_a_taken_port_stops_the_start_only_where_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def taken(host: str, port: int) -> NoReturn:
        raise PortTaken(f"the gateway can't listen on {host}:{port}.", fix="Free it.")

    monkeypatch.setattr(serve, "listen", taken)
    assert serve._listen(parse("{}", env={})) == []
    assert "note: no gateway: the gateway can't listen on 127.0.0.1:18780." in (
        capsys.readouterr().err
    )
    with pytest.raises(PortTaken):
        serve._listen(parse("{gateway: {port: 18780}}", env={}))


def test_a_free_port_is_listened_on() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    [listener] = serve._listen(parse(f"{{gateway: {{port: {port}}}}}", env={}))
    with listener:
        assert listener.getsockname() == ("127.0.0.1", port)
