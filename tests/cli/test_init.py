"""``clawdbot init``: what it asks, what it writes, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from clawdcore import config as configuration
from clawdcore.cli.init_servers import Server
from clawdcore.cli.init_steps import Wishes, set_up
from clawdcore.errors import ClawdBotError, ConfigValueError, TokenRefused
from clawdcore.hooks.loader import Loader
from clawdcore.testing.botapi import BotApiServer

TOKEN = "12345:GOOD_token"
NOWHERE = "http://127.0.0.1:1"
VLLM = Server("vllm", "http://127.0.0.1:8000/v1", ("big", "small"))


@dataclass
class Scripted:
    """Answers from lists; fails when asked more than it has."""

    secrets: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    confirms: list[bool] = field(default_factory=list)
    choices: list[int] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    asks: bool = True

    def text(self, question: str) -> str:
        return self.texts.pop(0)

    def secret(self, question: str) -> str:
        return self.secrets.pop(0)

    def confirm(self, question: str, *, default: bool) -> bool:
        return self.confirms.pop(0)

    def choose(self, question: str, choices: Sequence[str]) -> int:
        self.offered = list(choices)
        return self.choices.pop(0)


@dataclass
class Unasked(Scripted):
    asks: bool = False

    def secret(self, question: str) -> str:
        return ""

    def text(self, question: str) -> str:
        return ""

    def confirm(self, question: str, *, default: bool) -> bool:
        return default

    def choose(self, question: str, choices: Sequence[str]) -> int:
        return 0


def knowing(*names: str) -> Loader:
    return Loader({name: [EntryPoint(name, "nothing", "clawdbot")] for name in names})


ALL = ("chat", "translate", "llamacpp", "vllm")
Init = Callable[..., configuration.Config]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """Runs it in an empty folder; returns what it wrote, loaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN", raising=False)

    def run(
        asker: Any,
        *,
        servers: Sequence[Server] = (),
        installed: Sequence[str] = ALL,
        output: str = "clawdbot.json",
        **wishes: Any,
    ) -> configuration.Config:
        async def find() -> list[Server]:
            return list(servers)

        set_up(Wishes(output=Path(output), **wishes), asker, find, knowing(*installed))
        return configuration.load(Path(output))

    return run


def with_server(work: Callable[[BotApiServer], None]) -> None:
    async def main() -> None:
        async with BotApiServer(TOKEN) as server:
            await asyncio.to_thread(work, server)

    asyncio.run(main())


def test_a_token_is_checked_asked_again_and_kept_in_a_file_of_its_own(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(server: BotApiServer) -> None:
        asker = Scripted(secrets=["nonsense", "12345:BAD", TOKEN], texts=["who", "77"])
        config = init(asker, api_root=server.root)
        telegram = config.channels.telegram
        assert telegram.bot_token is not None
        assert telegram.bot_token.get_secret_value() == TOKEN
        assert telegram.api_root == server.root
        assert telegram.owner == 77

    with_server(work)
    secret = tmp_path / "telegram-token"
    assert secret.read_text() == f"{TOKEN}\n"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert "GOOD" not in (tmp_path / "clawdbot.json").read_text()
    told = capsys.readouterr().out
    assert "that is not a bot token" in told
    assert "refused the bot token" in told
    assert "The token is that of @clawd_bot." in told
    assert "write to @clawd_bot" in told
    assert "GOOD" not in told and "BAD" not in told


def test_without_a_token_the_variable_is_used_later(
    init: Init, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = init(Scripted(secrets=[""], texts=[""]))
    assert config.channels.telegram.bot_token is None
    assert config.channels.telegram.owner is None
    assert "${TELEGRAM_BOT_TOKEN}" in (tmp_path / "clawdbot.json").read_text()
    assert not (tmp_path / "telegram-token").exists()
    steps = capsys.readouterr().out.partition("Next:")[2]
    assert "export TELEGRAM_BOT_TOKEN=" in steps
    assert "pip install" not in steps


def test_a_token_of_the_environment_is_checked_and_not_written(
    init: Init, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def work(server: BotApiServer) -> None:
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
        init(Unasked(), api_root=server.root)
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "12345:BAD")
        with pytest.raises(TokenRefused):
            init(Unasked(), api_root=server.root, output="other.json")

    with_server(work)
    assert "GOOD" not in (tmp_path / "clawdbot.json").read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["clawdbot.json"]


def test_a_token_file_is_referred_to(init: Init, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    config = init(Unasked(), token_file=Path("token"), api_root=NOWHERE)
    assert config.channels.telegram.bot_token is not None
    assert config.channels.telegram.bot_token.get_secret_value() == TOKEN
    assert '{ file: "token" }' in (tmp_path / "clawdbot.json").read_text()


def test_without_a_network_a_token_may_be_used_unchecked(
    init: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    asker = Scripted(secrets=[TOKEN], confirms=[True], texts=[""])
    config = init(asker, api_root=NOWHERE)
    assert config.channels.telegram.bot_token is not None
    assert "could not be checked" in capsys.readouterr().out
    with pytest.raises(ClawdBotError, match="can't be reached"):
        init(Scripted(secrets=[TOKEN], confirms=[False]), api_root=NOWHERE, output="b.json")


def test_a_server_that_answers_is_offered_with_the_embedded_model(init: Init) -> None:
    asker = Scripted(secrets=[""], texts=[""], choices=[1])
    config = init(asker, servers=[VLLM])
    assert config.agents.defaults.model.primary == "vllm/small"
    assert config.models.providers["vllm"].base_urls == ["http://127.0.0.1:8000/v1"]
    assert [offer.partition(" ")[0].rstrip(",") for offer in asker.offered] == [
        "vllm/big",
        "vllm/small",
        configuration.DEFAULT_MODEL,
    ]


def test_a_server_without_its_backend_is_mentioned_with_the_install_line(
    init: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Server("ollama", "http://127.0.0.1:11434/v1", ("q",))
    config = init(Unasked(), servers=[other], installed=["chat", "llamacpp"])
    assert config.agents.defaults.model.primary == configuration.DEFAULT_MODEL
    told = capsys.readouterr().out
    assert "http://127.0.0.1:11434/v1" in told
    assert "pip install clawdbot-vllm" in told


def test_a_server_that_wants_a_key_is_told_how_to_use_it(
    init: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = Server("vllm", "http://127.0.0.1:8000/v1", (), wants_key=True)
    init(Unasked(), servers=[locked])
    assert "--api-key-variable NAME" in capsys.readouterr().out


def test_options_answer_everything(init: Init, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_KEY", "k-12345")
    config = init(
        Unasked(),
        model="gpu/big",
        base_url="http://gpu:8000/v1",
        api_key_variable="VLLM_KEY",
        owner=5,
    )
    gpu = config.models.providers["gpu"]
    assert config.agents.defaults.model.primary == "gpu/big"
    assert gpu.base_urls == ["http://gpu:8000/v1"]
    assert gpu.api_key is not None
    assert gpu.api_key.get_secret_value() == "k-12345"
    assert config.channels.telegram.owner == 5


def test_what_is_not_installed_is_left_out_or_named(
    init: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    config = init(Unasked(), installed=["chat"])
    assert [plugin.name for plugin in config.plugins] == ["chat"]
    assert "pip install clawdbot-llamacpp\n" in capsys.readouterr().out
    init(Unasked(), installed=[], output="b.json")
    assert "pip install clawdbot-chat clawdbot-translate clawdbot-llamacpp\n" in (
        capsys.readouterr().out
    )


def test_nothing_is_replaced_unless_asked_for(init: Init, tmp_path: Path) -> None:
    file = tmp_path / "clawdbot.json"
    file.write_text("{}")
    for asker in (Unasked(), Scripted(confirms=[False])):
        with pytest.raises(ClawdBotError, match=r"left as it is\. .*--force"):
            init(asker)
        assert file.read_text() == "{}"
    init(Unasked(), force=True)
    assert "agents" in file.read_text()


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"model": "vllm/x"}, "not configured.*--base-url"),
        ({"model": "x"}, "must look like"),
        ({"base_url": "http://x/v1"}, "needs --model"),
        ({"model": "vllm/x", "base_url": "gpu:8000"}, "no web address"),
        ({"api_root": "ftp://x"}, "no web address"),
        ({"token_file": Path("none")}, "can't be read"),
        ({"output": "none/clawdbot.json"}, "can't be written"),
    ],
)
def test_what_can_not_be_used_writes_nothing(
    init: Init, tmp_path: Path, wishes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ClawdBotError, match=told) as raised:
        init(Unasked(), **wishes)
    assert isinstance(raised.value, ConfigValueError) or "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_the_token_is_not_shown(
    sit_down: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> None:
    with sit_down("init", "--api-root", NOWHERE, "--model", "llamacpp/small") as player:
        player.until("later): ")
        player.type(f"{TOKEN}\n")
        seen = player.until("Use it unchecked? [Y/n]: ")
        player.type("\n")
        seen += player.until("in a chat): ")
        player.type("\n")
        seen += player.until("Next:")
        assert player.ended() == 0
    assert "GOOD" not in seen
    assert (tmp_path / "telegram-token").read_text() == f"{TOKEN}\n"


def test_without_a_terminal_it_needs_to_be_told_not_to_ask(
    clawdbot: Callable[..., Any], tmp_path: Path
) -> None:
    refused = clawdbot("init")
    assert refused.returncode == 2
    assert "Add --yes" in refused.stderr
    assert not (tmp_path / "clawdbot.json").exists()
    done = clawdbot("init", "--yes", "--model", "llamacpp/small", "-o", "bot.json")
    assert done.returncode == 0
    assert "clawdbot run --config bot.json" in done.stdout
    assert (tmp_path / "bot.json").exists()
    again = clawdbot("init", "--yes", "--model", "llamacpp/small", "-o", "bot.json")
    assert again.returncode == 1
    assert again.stderr.startswith("clawdbot: bot.json exists and was left as it is.")
