"""The demo's processes, when they don't start as they should."""

from __future__ import annotations

import sys

import pytest

from clawdcore.cli import demo_processes
from clawdcore.cli.demo_processes import Processes
from clawdcore.errors import ClawdBotError


def test_a_server_that_does_not_start_is_told_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dying = [sys.executable, "-c", "import sys; sys.exit('port 1 is taken')"]
    monkeypatch.setattr(demo_processes, "python", lambda: dying)
    with (
        Processes() as processes,
        pytest.raises(ClawdBotError, match=r"did not start: port 1 is taken\. .*--debug"),
    ):
        processes.start_server()


def test_a_server_that_ends_later_is_noticed() -> None:
    with Processes() as processes:
        control = processes.start_server()
        assert processes.trouble() == ""
        assert processes._server is not None
        processes._server.terminate()
        processes._server.wait()
        assert processes.trouble() == "the local Telegram server ended."
        with pytest.raises(ClawdBotError, match="does not answer"):
            control.events(0, 0.0)
