"""``clawdbot plugins``: against plugins that lie in a folder as pip leaves them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from clawdcore.cli import cli, plugins_pip
from clawdcore.cli.plugins_pip import NotInstalled, distribution

GOOD = """
from pydantic import BaseModel, Field
from clawdcore import Needs, hookimpl

class Options(BaseModel):
    city: str = Field("Oslo", description="Where you are.")

@hookimpl
def options_model():
    return Options

@hookimpl
def needs():
    return Needs(hosts=("api.example.org",), keeps="your city", chats="private")

@hookimpl
def register_commands(register):
    @register("sun")
    async def sun(message):
        "Say when the sun rises"
        return "at six"
"""
CONFIG = """{
  // mine
  plugins: [
    "good", // the sun
  ],
}
"""


class Place:
    """A folder with two plugins and a configuration, and the command run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "clawdbot.json"
        self.install("good", GOOD)
        self.install("broken", "raise RuntimeError('no')\n")
        self.config.write_text(CONFIG)

    def install(self, name: str, source: str, requires: str = "clawdcore>=0.1") -> None:
        (self.folder / f"clawdbot_{name}.py").write_text(source)
        info = self.folder / f"clawdbot_{name}-1.2.dist-info"
        info.mkdir()
        about = (
            f"Metadata-Version: 2.1\nName: clawdbot-{name}\nVersion: 1.2\nSummary: It is {name}\n"
            f"Requires-Dist: {requires}\n"
        )
        (info / "METADATA").write_text(about)
        (info / "entry_points.txt").write_text(f"[clawdbot]\n{name} = clawdbot_{name}\n")

    def run(self, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clawdcore", "plugins", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "HOME": str(self.folder)},
            input=answer,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_list_shows_what_is_on_what_it_adds_and_what_is_broken(place: Place) -> None:
    result = place.run("list")
    assert (result.returncode, result.stderr) == (0, "")
    *plugins, last = result.stdout.splitlines()
    assert last.startswith("What each has cost is not known: no bot answers at http://127.0.0.1:")
    lines = {line.split()[1]: line for line in plugins}
    assert lines["good"].split() == ["on", "good", "1.2", "/sun"]
    assert lines["broken"].startswith("off")
    assert "can't be imported" in lines["broken"]
    found = {each["name"]: each for each in json.loads(place.run("list", "--json").stdout)}
    assert found["good"]["hooks"] == ["needs", "options_model", "register_commands"]
    assert (found["good"]["on"], found["broken"]["on"]) == (True, False)
    assert found["good"]["distribution"] == "clawdbot-good"


def test_info_says_what_it_needs_and_which_options_it_takes(place: Place) -> None:
    said = place.run("info", "good").stdout
    for words in (
        "good 1.2: It is good",
        "/sun: Say when the sun rises",
        "reaches: api.example.org",
        "keeps: your city",
        "chats: private",
        "city (default 'Oslo'): Where you are.",
    ):
        assert words in said, said
    assert "can't be used" in place.run("info", "broken").stdout
    assert "is not installed" in place.run("info", "gone").stderr


def test_disable_and_enable_change_the_one_entry_and_keep_the_rest(place: Place) -> None:
    place.config.chmod(0o640)
    result = place.run("disable", "good")
    assert "good is off" in result.stdout, result.stderr
    text = place.config.read_text()
    assert '{ "name": "good", "enabled": false }, // the sun' in text
    assert "// mine" in text
    assert stat.S_IMODE(place.config.stat().st_mode) == 0o640
    assert "off in clawdbot.json already" in place.run("disable", "good").stdout
    assert place.run("enable", "good").returncode == 0
    assert place.config.read_text() == CONFIG


def test_what_is_not_installed_can_not_be_switched_on(place: Place) -> None:
    result = place.run("enable", "goood")
    assert result.returncode == 1
    assert "Did you mean 'good'?" in result.stderr
    assert place.config.read_text() == CONFIG


def test_a_file_that_can_not_be_used_is_not_touched(place: Place) -> None:
    place.config.write_text("{ plugnis: [] }")
    result = place.run("disable", "good")
    assert result.returncode == 1
    assert "plugins" in result.stderr
    assert place.config.read_text() == "{ plugnis: [] }"


def test_without_a_file_one_is_written_for_its_owner_alone(place: Place) -> None:
    place.config.unlink()
    assert place.run("enable", "good").returncode == 0
    assert stat.S_IMODE(place.config.stat().st_mode) == 0o600
    text = place.config.read_text()
    assert text == '{\n  "plugins": ["chat", "translate", "good"]\n}\n'


def test_install_shows_its_command_and_asks(place: Place) -> None:
    result = place.run("install", "translate", "acme-plugin==2", answer="n\n")
    assert result.returncode == 130
    first = result.stdout.splitlines()[0]
    assert "pip install" in first
    assert first.endswith("clawdbot-translate acme-plugin==2")


def test_what_a_plugin_needs_is_shown_when_it_is_switched_on_and_installed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = ["  reaches: api.example.org", "  keeps: your city", "  chats: private"]
    place.run("disable", "good")
    assert place.run("enable", "good").stdout.splitlines()[1:] == needs
    monkeypatch.syspath_prepend(str(place.folder))
    monkeypatch.setattr(plugins_pip, "run", lambda arguments, yes: place.install("newest", GOOD))
    said = CliRunner().invoke(cli, ["plugins", "install", "newest", "--yes"]).output
    assert said.splitlines() == [
        "newest is installed, and off. To switch it on: clawdbot plugins enable newest",
        *needs,
    ]


def test_what_looks_like_an_option_is_not_passed_on() -> None:
    with pytest.raises(NotInstalled, match="is an option"):
        distribution("--index-url=http://evil.example.net")
    assert distribution("vllm") == "clawdbot-vllm"
    assert distribution("./mine") == "./mine"


def test_remove_names_the_distribution(place: Place) -> None:
    result = place.run("remove", "good", answer="n\n")
    assert "clawdbot-good" in result.stdout.splitlines()[0]
    assert "is not installed" in place.run("remove", "gone").stderr


def test_one_that_was_made_for_another_version_is_not_loaded_and_says_so(place: Place) -> None:
    place.install("future", GOOD, requires="clawdcore>=9,<10")
    line = next(each for each in place.run("list").stdout.splitlines() if "future" in each)
    assert "was made for clawdcore <10,>=9" in line
    assert "pip install -U clawdcore clawdbot-future" in line
