"""``clawdbot demo`` on a terminal, played through a pseudo-terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

Config = Callable[..., Path]
SitDown = Callable[..., AbstractContextManager[Any]]


def test_answers_appear_while_they_are_written_and_ctrl_d_ends(
    sit_down: SitDown, config: Config, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    file = config(gate=str(gate))
    with sit_down("demo", "--config", file) as player:
        assert "Model: echoes/echo" in player.until("you › ")
        player.type("first | second\n")
        player.until("clawd_bot › first")
        gate.write_text("open")
        assert player.until("you › ").strip().startswith("second")
        player.type("/help\n")
        assert "/start – Say hello" in player.until("you › ")
        player.type("\x04")
        assert player.ended() == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_is_typed_while_the_bot_writes_is_kept_below_its_answer(
    sit_down: SitDown, config: Config, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    file = config(gate=str(gate))
    with sit_down("demo", "--config", file) as player:
        player.until("you › ")
        player.type("first | second\n")
        player.until("clawd_bot › first")
        player.type("typ")
        player.until("you › typ")
        gate.write_text("open")
        player.until("… second\r\nyou › typ")
        player.type("ed\n")
        assert "clawd_bot › typed" in player.until("clawd_bot › typed")
        player.type("\x03")
        assert player.ended() == 0


def test_a_group_shows_who_speaks_and_whom_the_bot_answers(
    sit_down: SitDown, config: Config, tmp_path: Path
) -> None:
    with sit_down("demo", "--group", "--config", config()) as player:
        player.until("Ada › ")
        player.type("nobody is asked\n")
        assert "clawd_bot" not in player.until("Ada › ").partition("\n")[2]
        player.type("bob: @bot here?\n")
        player.until("clawd_bot → Bob › ")
        player.until("Bob › ")
        player.type("/as mei\n")
        player.until("Mei › ")
        player.type("\x04")
        assert player.ended() == 0


def test_a_bot_that_dies_ends_the_prompt(sit_down: SitDown, config: Config, tmp_path: Path) -> None:
    with sit_down("demo", "--config", config()) as player:
        player.until("you › ")
        player.type("/crash\n")
        player.until("clawdbot: the bot ended by SIGKILL")
        assert player.ended() == 1


def test_sigterm_ends_it_and_its_folder(sit_down: SitDown, config: Config, tmp_path: Path) -> None:
    with sit_down("demo", "--config", config()) as player:
        player.until("you › ")
        player.process.send_signal(signal.SIGTERM)
        assert player.ended() == 128 + signal.SIGTERM
    assert list((tmp_path / "tmp").iterdir()) == []
