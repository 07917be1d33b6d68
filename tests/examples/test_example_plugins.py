"""The example plugins, each as its author would try it: alone, in its own folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = sorted(file.parent for file in EXAMPLES.glob("*/pyproject.toml"))


def run(folder: Path, tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of this Python in the folder, with its package to be found."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "MYPY_CACHE_DIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


def test_there_are_a_plugin_and_a_backend() -> None:
    assert [folder.name for folder in FOLDERS] == ["clawdbot-openai", "clawdbot-water"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_tests_pass(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


@pytest.mark.parametrize("tool", ["ruff", "mypy"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_is_clean_and_typed(folder: Path, tool: str, tmp_path: Path) -> None:
    if find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed here; it comes with make setup")
    arguments = ["check", "--no-cache"] if tool == "ruff" else []
    done = run(folder, tmp_path, tool, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_is_a_distribution_that_can_be_published(folder: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    name = folder.name.removeprefix("clawdbot-")
    assert project["name"] == folder.name
    assert list(project["entry-points"]["clawdbot"]) == [name]
    assert any(each.startswith("clawdcore>=") for each in project["dependencies"])
    for file in ("README.md", "LICENSE", "CHANGELOG.md", f"clawdbot_{name}/py.typed"):
        assert (folder / file).is_file()
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {folder.name}")
