"""`make release`: every file says the new version, or nothing changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
KEPT = ("CHANGELOG.md", "pyproject.toml", "tools/release.py", "clawdcore/__init__.py", "changelog")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that a release changes, in a folder of their own."""
    if find_spec("towncrier") is None:
        pytest.skip("towncrier is not installed here; it comes with make setup")
    for name in (*KEPT, *(str(file.relative_to(ROOT)) for file in distributions(ROOT))):
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return tmp_path


def distributions(root: Path) -> list[Path]:
    return sorted([*root.glob("plugins/*/pyproject.toml"), *root.glob("backends/*/pyproject.toml")])


def release(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "tools" / "release.py"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def everything(root: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("version", "fits", "not_yet"),
    [("0.2.0", "0.2.7", "0.3.0"), ("1.4.0", "1.9.0", "2.0.0"), ("0.3.0rc1", "0.3.0rc1", "0.4.0")],
)
def test_every_distribution_gets_the_version_and_needs_its_series(
    copy: Path, version: str, fits: str, not_yet: str
) -> None:
    done = release(copy, version)
    assert done.returncode == 0, done.stderr
    assert f"git tag v{version}" in done.stdout
    assert f'__version__ = "{version}"' in (copy / "clawdcore/__init__.py").read_text()
    files = distributions(copy)
    assert files
    for file in files:
        project = tomllib.loads(file.read_text())["project"]
        assert project["version"] == version
        [core] = [Requirement(name) for name in project["dependencies"] if "clawdcore" in name]
        assert core.specifier.contains(fits, prereleases=True)
        assert not core.specifier.contains(not_yet)
    assert [file.name for file in (copy / "changelog").iterdir()] == ["README.md"]
    assert f"## {version} (" in (copy / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["0.0.9"], "must come after"),
        (["v0.2"], "no version like 0.2.0"),
        ([], "give one version"),
        (["0.2.0", "0.3.0"], "give one version"),
    ],
)
def test_what_can_not_be_released_changes_nothing(
    copy: Path, arguments: list[str], said: str
) -> None:
    before = everything(copy)
    done = release(copy, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert everything(copy) == before


def test_the_same_version_is_not_released_twice(copy: Path) -> None:
    assert release(copy, "0.2.0").returncode == 0
    again = release(copy, "0.2.0")
    assert again.returncode == 1
    assert "must come after" in again.stderr


def test_a_release_that_changes_nothing_is_none(copy: Path) -> None:
    for file in (copy / "changelog").glob("+*.md"):
        file.unlink()
    done = release(copy, "0.2.0")
    assert done.returncode == 1
    assert "no fragment" in done.stderr


def test_all_distributions_say_the_same_version_and_fit_together() -> None:
    core = (ROOT / "clawdcore/__init__.py").read_text().split('__version__ = "')[1].split('"')[0]
    for file in distributions(ROOT):
        project = tomllib.loads(file.read_text())["project"]
        assert project["version"] == core, file
        [needed] = [Requirement(name) for name in project["dependencies"] if "clawdcore" in name]
        assert str(needed.specifier), f"{file} needs the series of the core that it is made for"
        assert needed.specifier.contains(core, prereleases=True), file


def test_the_release_workflow_asks_for_no_password_and_checks_the_tag() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text()
    assert "id-token: write" in text
    assert "secrets." not in text
    assert "--trusted-publishing always" in text
    assert "clawdcore/__init__.py" in text
    for command in (".ci/run", "make dist", "make docs"):
        assert f"run: {command}" in text
