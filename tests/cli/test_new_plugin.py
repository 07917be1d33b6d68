"""``clawdbot new-plugin``: what it asks, what it writes, and what it refuses."""

from __future__ import annotations

import ast
import os
import subprocess
import tomllib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.cli.new_plugin_names import LONGEST, checked, module, one_line
from clawdcore.cli.new_plugin_steps import Wishes, make
from clawdcore.cli.new_plugin_text import Draft, texts
from clawdcore.errors import ClawdBotError
from clawdcore.hooks.command import NAME as COMMAND

Clawdbot = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass
class Scripted:
    """Answers from a list; fails when asked more than it has."""

    texts: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    asks: bool = True

    def text(self, question: str) -> str:
        self.asked.append(question)
        return self.texts.pop(0)

    def secret(self, question: str) -> str:
        raise AssertionError

    def confirm(self, question: str, *, default: bool) -> bool:
        raise AssertionError

    def choose(self, question: str, choices: Sequence[str]) -> int:
        raise AssertionError


def draft(**given: Any) -> Draft:
    usual: dict[str, Any] = {
        "name": "weather",
        "description": "Tells the weather",
        "author": "Ada",
        "backend": False,
        "year": 2026,
        "core": "0.1.0",
    }
    return Draft(**{**usual, **given})


def project(**given: Any) -> dict[str, Any]:
    found = {str(path): text for path, text in texts(draft(**given)).items()}
    result: dict[str, Any] = tomllib.loads(found["pyproject.toml"])["project"]
    return result


@pytest.mark.parametrize("name", ["weather", "a", "my-2nd-idea", "json", "a" * LONGEST])
def test_good_names(name: str) -> None:
    assert checked(name, ()) == name
    assert checked(f"clawdbot-{name}", ()) == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "can't be the name"),
        ("Weather", r"a letter first: weather\."),
        ("my_idea", r": my-idea\."),
        ("2nd", r": nd\."),
        ("a--b", r": a-b\."),
        ("-", r"a letter first\."),
        ("../etc", "etc"),
        ("天气", "can't be the name"),
        ("a\n", "can't be the name"),
        ("a" * (LONGEST + 1), "can't be the name"),
        ("Start", r"a letter first\."),
        ("translate", "ClawdBot's own"),
        ("clawdbot-vllm", "backend of ClawdBot's own"),
        ("core", "the bot itself"),
        ("help", "the bot itself"),
        ("here", "installed here.*pip uninstall clawdbot-here"),
    ],
)
def test_bad_names_are_told_in_one_line_with_the_fix(name: str, told: str) -> None:
    with pytest.raises(ClawdBotError, match=told) as raised:
        checked(name, {"here"})
    assert "\n" not in str(raised.value)
    assert raised.value.fix


@given(st.text(max_size=60) | st.from_regex(r"[a-zA-Z0-9-]{1,40}", fullmatch=True))
def test_a_name_that_is_taken_makes_a_module_and_a_command(given: str) -> None:
    try:
        name = checked(given, ())
    except ClawdBotError as error:
        assert "\n" not in str(error)
        return
    assert module(name).isidentifier()
    assert COMMAND.fullmatch(module(name).removeprefix("clawdbot_"))
    assert checked(name, ()) == name


PRINTED = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1)


@given(description=PRINTED, author=PRINTED, backend=st.booleans())
def test_any_words_give_files_that_can_be_read(
    description: str, author: str, backend: bool
) -> None:
    found = project(description=description, author=author, backend=backend)
    assert found["description"] == description
    assert all(value in author for value in found["authors"][0].values())
    for path, text in texts(draft(description=description, author=author)).items():
        if path.suffix == ".py":
            ast.parse(text)
        elif path.name == "README.md":
            assert description in text


@pytest.mark.parametrize("backend", [False, True])
def test_the_same_draft_gives_the_same_files_and_no_placeholder_is_left(backend: bool) -> None:
    first, again = (texts(draft(backend=backend)) for _ in range(2))
    assert first == again
    for path, text in first.items():
        assert "$" not in text.replace("${{ matrix.python }}", "").replace("${VARIABLE}", ""), path
        assert text == "" or text.endswith("\n"), path
        assert "\r" not in text
    assert {"README.md", "LICENSE", "CHANGELOG.md", ".gitignore"} <= set(map(str, first))


def test_it_depends_on_the_versions_that_promise_what_it_uses() -> None:
    assert "clawdcore>=0.3,<0.4" in project(core="0.3.2")["dependencies"]
    assert "clawdcore>=2.5,<3" in project(core="2.5.0")["dependencies"]
    assert "clawdcore>=1.0,<2" in project(core="1.0.0rc1")["dependencies"]


def test_an_author_may_have_an_address() -> None:
    assert project(author="Ada <a@b.org>")["authors"] == [{"name": "Ada", "email": "a@b.org"}]
    assert project(author="Ada <nothing>")["authors"] == [{"name": "Ada <nothing>"}]
    licence = texts(draft(author="Ada", year=2031))
    assert any("(c) 2031 Ada\n" in text for text in licence.values())


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "a\x7f", "a" * 11])
def test_what_does_not_fit_in_a_line_is_refused(text: str) -> None:
    with pytest.raises(ClawdBotError, match=r"one line of 1 to 10"):
        one_line("It", text, 10)


def test_what_is_missing_is_asked_again_until_it_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asker = Scripted(["Weather!", "weather", "Tells the weather", "a" * 101, "Ada"])
    make(Wishes(), asker, year=2026, installed=())
    told = capsys.readouterr().out
    assert "a letter first: weather." in told
    assert "The author must be one line" in told
    assert told.splitlines()[-3:] == [
        "  cd clawdbot-weather",
        "  pip install --group dev -e .",
        "  pytest",
    ]
    found = tomllib.loads(Path("clawdbot-weather/pyproject.toml").read_text())["project"]
    assert (found["description"], found["authors"]) == ("Tells the weather", [{"name": "Ada"}])


def test_what_is_given_is_not_asked(tmp_path: Path) -> None:
    into = tmp_path / "its place"
    wishes = Wishes(name="weather", description="D", author="A", into=into)
    make(wishes, Scripted(), year=2026, installed=())
    assert (into / "clawdbot_weather" / "__init__.py").is_file()
    assert not (into / "clawdbot_weather" / "backend.py").exists()


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    for name in ("empty", "full", "file", "link"):
        place = tmp_path / name
        if name == "file":
            place.write_text("mine")
        elif name == "link":
            place.symlink_to(tmp_path / "nowhere")
        else:
            place.mkdir()
        if name == "full":
            (place / "README.md").write_text("mine")
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ClawdBotError, match=r"left as it is\. .*--into"):
            make(Wishes(name="weather", into=place), Scripted(), year=2026, installed=())
        assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "full" / "README.md").read_text() == "mine"


def test_a_folder_that_can_not_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = Wishes(name="weather", description="D", author="A", into=tmp_path / "no" / "where")
    with pytest.raises(ClawdBotError, match=r"can't be written \(no such file.*--into"):
        make(wishes, Scripted(), year=2026, installed=())
    assert list(tmp_path.iterdir()) == []

    def full(*_: object, **__: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_text", full)
    wishes = Wishes(name="weather", description="D", author="A", into=tmp_path / "here")
    with pytest.raises(ClawdBotError, match=r"can't be written \(no space left"):
        make(wishes, Scripted(), year=2026, installed=())
    assert list(tmp_path.iterdir()) == []


def test_a_module_that_is_installed_is_not_shadowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clawdbot_quite_new.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ClawdBotError, match="module clawdbot_quite_new is installed"):
        make(Wishes(name="quite-new"), Scripted(), year=2026, installed=())


def test_without_a_terminal_it_says_what_is_missing(clawdbot: Clawdbot, tmp_path: Path) -> None:
    refused = clawdbot("new-plugin", "weather", "--author", "Ada")
    assert refused.returncode == 2
    assert "no terminal to ask on for --description" in refused.stderr
    assert clawdbot("new-plugin", "--yes").returncode == 2
    wrong = clawdbot("new-plugin", "translate", "--yes")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("clawdbot: 'translate' is a plugin of ClawdBot's own.")
    given = ("--author", "Ada", "--description", "D", "--into", "x")
    assert clawdbot("new-plugin", "weather", *given).returncode == 0
    again = clawdbot("new-plugin", "weather", *given)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == (
        "clawdbot: x exists and was left as it is. Choose another folder with --into.\n"
    )


def test_on_a_terminal_it_asks(
    sit_down: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> None:
    with sit_down("new-plugin", "--backend", "--author", "Ada") as player:
        player.until("clawdbot-weather: ")
        player.type("my-model\n")
        player.until("in one line")
        player.until(": ")
        player.type("\n")
        player.until("pytest")
        assert player.ended() == 0
    found = tomllib.loads((tmp_path / "clawdbot-my-model" / "pyproject.toml").read_text())
    assert found["project"]["description"] == "A model backend for ClawdBot"
