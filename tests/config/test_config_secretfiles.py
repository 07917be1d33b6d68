"""Secrets in files of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from clawdcore.config import ConfigProblems, parse

TOKEN = '{ channels: { telegram: { botToken: { file: "%s" } } } }'


def secret_file(folder: Path, data: bytes, mode: int = 0o600) -> Path:
    file = folder / "secret"
    file.write_bytes(data)
    file.chmod(mode)
    return file


def token(folder: Path, name: str = "secret") -> SecretStr | None:
    config = parse(TOKEN % name, env={}, file=folder / "clawdbot.json")
    return config.channels.telegram.bot_token


def problem(text: str, folder: Path) -> str:
    with pytest.raises(ConfigProblems) as caught:
        parse(text, env={}, file=folder / "clawdbot.json")
    [only] = caught.value.problems
    return f"{only.what} {only.fix}"


@pytest.mark.parametrize("data", [b"1:abc", b"1:abc\n", b"1:abc\r\n", b"1:abc\n\n"])
def test_the_secret_is_the_files_text_without_the_line_break(tmp_path: Path, data: bytes) -> None:
    secret_file(tmp_path, data)
    assert token(tmp_path) == SecretStr("1:abc")
    assert token(tmp_path, str(tmp_path / "secret")) == SecretStr("1:abc")


def test_the_home_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    secret_file(tmp_path, b"1:abc")
    assert token(tmp_path / "elsewhere", "~/secret") == SecretStr("1:abc")


def test_every_secret_can_be_in_a_file(tmp_path: Path) -> None:
    secret_file(tmp_path, b"hush")
    config = parse(
        """{ channels: { telegram: { botToken: { file: "secret" },
               webhook: { url: "https://a", secret: { file: "secret" } } } },
             gateway: { auth: { token: { file: "${DIR}/secret" } } },
             models: { providers: { vllm: { apiKey: { file: "secret" } } } } }""",
        env={"DIR": str(tmp_path)},
        file=tmp_path / "clawdbot.json",
    )
    hush = SecretStr("hush")
    assert config.channels.telegram.bot_token == hush
    assert config.channels.telegram.webhook.secret == hush
    assert config.gateway.auth.token == hush
    assert config.models.providers["vllm"].api_key == hush


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty. Write the secret into it."),
        (b"\n", "is empty. Write the secret into it."),
        (b"\xff\xfe", "is not UTF-8 text. Save it as UTF-8."),
        (b"x" * 70_000, "is larger than 64 KiB. Give the path of the secret alone."),
    ],
)
def test_a_file_without_a_secret_is_told(tmp_path: Path, data: bytes, why: str) -> None:
    secret_file(tmp_path, data)
    line = problem(TOKEN % "secret", tmp_path)
    assert line == f'the secret file "secret" of channels.telegram.botToken {why}'


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert "does not exist. Create it" in problem(TOKEN % "nothing", tmp_path)
    assert "can't be read" in problem(TOKEN % ".", tmp_path)
    assert "can't be read" in problem(TOKEN % ("x" * 5000), tmp_path)


def test_a_pipe_without_writer_does_not_hang_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "secret")
    assert "is no regular file" in problem(TOKEN % "secret", tmp_path)


@pytest.mark.parametrize(
    ("mode", "noted"), [(0o600, False), (0o640, False), (0o644, True), (0o660, True), (0o604, True)]
)
def test_a_file_that_others_can_use_is_noted(tmp_path: Path, mode: int, noted: bool) -> None:
    secret_file(tmp_path, b"1:abc", mode)
    config = parse(TOKEN % "secret", env={}, file=tmp_path / "clawdbot.json")
    assert bool(config.notes) is noted
    if noted:
        assert config.notes[0] == (
            'the secret file "secret" of channels.telegram.botToken is open to other users '
            f"(mode {mode:04o}); close it with: chmod 600."
        )


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("{}", "names no file"),
        ("{ file: 5 }", "names no file"),
        ('{ file: "" }', ".file is empty"),
        ('{ file: "secret", mode: 1 }', "channels.telegram.botToken.mode is no key here"),
    ],
)
def test_only_a_path_makes_a_secret_file(tmp_path: Path, written: str, why: str) -> None:
    secret_file(tmp_path, b"1:abc")
    assert why in problem(f"{{channels: {{telegram: {{botToken: {written}}}}}}}", tmp_path)


def test_a_path_in_an_unset_variable_turns_the_secret_off(tmp_path: Path) -> None:
    config = parse(TOKEN % "${WHERE}/token", env={}, file=tmp_path / "clawdbot.json")
    assert config.channels.telegram.bot_token is None
    assert "botToken needs the environment variable WHERE" in config.notes[0]


def test_a_secret_with_spaces_inside_is_refused(tmp_path: Path) -> None:
    secret_file(tmp_path, b"1:abc\ndef")
    assert "channels.telegram.botToken holds a space" in problem(TOKEN % "secret", tmp_path)
