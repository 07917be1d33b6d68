"""tools/whisper/install with a made-up uv: what goes wrong leaves the environment of before."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "tools" / "whisper" / "install"
UV = """#!/usr/bin/env bash
# A uv whose plan and whose installation end as the files beside it say.
here=$(dirname "$0")
echo "$*" >>"$here/calls"
if [ "$1" = venv ]; then
  place="${!#}"
  rm -rf "$place"
  mkdir -p "$place/bin"
  printf '#!/bin/sh\\n' >"$place/bin/python"
  chmod +x "$place/bin/python"
elif [[ "$*" == *--dry-run* ]]; then
  cat "$here/plan"
  ! grep -q "no version of" "$here/plan"
else
  exit "$(cat "$here/status")"
fi
"""
GOOD = " + torch==2.13.0+cpu"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with an environment that an older one of these files made."""
    if not SCRIPT.is_file():
        pytest.skip("the plugin is tested outside of the project's checkout")
    for name in ("tools/whisper", "plugins/voice", ".venv/bin", ".venv/whisper"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "tools/whisper/install")
    for name in ("tools/whisper/pins.txt", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_text("torch==2.13.0\n", encoding="utf-8")
    (tmp_path / "plugins/voice/pyproject.toml").touch()
    uv = tmp_path / ".venv/bin/uv"
    uv.write_text(UV, encoding="utf-8")
    uv.chmod(0o755)
    (tmp_path / ".venv/whisper/.ready").write_text("old", encoding="utf-8")
    (tmp_path / ".venv/whisper/old").touch()
    return tmp_path


def install(checkout: Path, *, plan: str = GOOD, status: int = 0) -> tuple[int, str]:
    """Exit code, and the last line that is printed."""
    (checkout / ".venv/bin/plan").write_text(f"{plan}\n", encoding="utf-8")
    (checkout / ".venv/bin/status").write_text(str(status), encoding="utf-8")
    temporary = checkout / "temporary"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        ["bash", str(checkout / "tools/whisper/install")],
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert list(temporary.iterdir()) == [], "it leaves temporary files"
    return done.returncode, (done.stdout.splitlines() or [""])[-1]


def kept(checkout: Path) -> bool:
    """Whether the environment of before is there, and nothing beside it."""
    environments = {each.name for each in (checkout / ".venv").iterdir()} - {"bin"}
    return environments == {"whisper"} and (checkout / ".venv/whisper/old").exists()


def test_packages_that_cannot_be_had_leave_the_old_one(checkout: Path) -> None:
    code, said = install(checkout, plan="Because there is no version of torch==2.13.0")
    assert code == 69
    assert "no version of torch" in said
    assert kept(checkout)


def test_so_does_a_torch_for_gpus_alone(checkout: Path) -> None:
    code, said = install(checkout, plan=" + torch==2.13.0")
    assert code == 69
    assert "CUDA" in said
    assert kept(checkout)


def test_so_does_an_installation_that_fails_half_way(checkout: Path) -> None:
    assert install(checkout, status=2)[0] == 2
    assert kept(checkout)


def test_so_does_one_that_was_killed_half_way_the_time_before(checkout: Path) -> None:
    (checkout / ".venv/whisper").rename(checkout / ".venv/whisper.before")
    (checkout / ".venv/whisper").mkdir()
    assert install(checkout, status=2)[0] == 2
    assert kept(checkout)


def test_what_works_takes_its_place_and_is_not_made_again(checkout: Path) -> None:
    assert install(checkout)[0] == 0
    assert {each.name for each in (checkout / ".venv").iterdir()} == {"bin", "whisper"}
    assert not (checkout / ".venv/whisper/old").exists()
    (checkout / ".venv/bin/calls").unlink()
    assert install(checkout)[0] == 0
    assert not (checkout / ".venv/bin/calls").exists()
