"""Temporary files: private, in memory where possible, and never left for long."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from clawdcore.scratch import Scratch, memory_backed, private_tmp, variables, wipe


def mounts(folder: Path, *lines: str) -> Path:
    path = folder / "mounts"
    path.write_text("\n".join(("/dev/root / ext4 rw 0 0", *lines)) + "\n")
    return path


def base(root: Path, number: str = "") -> Path:
    return root / f"clawdbot-{os.getuid()}{number}"


def made(root: Path) -> Scratch:
    return private_tmp((), fallback=root)


def test_it_is_private_and_goes_with_its_owner(tmp_path: Path) -> None:
    scratch = made(tmp_path)
    for folder in (scratch.path, scratch.path.parent, scratch.part()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert scratch.path.parent == base(tmp_path)
    (scratch.path / "picture.png").write_bytes(b"x")
    scratch.close()
    scratch.close()
    assert not scratch.path.exists()


def test_programs_and_this_process_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", tempfile.tempdir)
    environment = {"TMP": "/elsewhere", "HOME": "/home"}
    scratch = made(tmp_path)
    scratch.use(environment)
    assert environment == {"HOME": "/home"} | variables(scratch.path)
    assert set(variables(scratch.path)) == {"TMPDIR", "TMP", "TEMP"}
    assert Path(tempfile.mkdtemp()).parent == scratch.path
    scratch.close()
    assert tempfile.tempdir is None


def test_the_next_one_wipes_what_the_dead_left_and_nothing_of_the_living(tmp_path: Path) -> None:
    living = made(tmp_path)
    (living.path / "kept").touch()
    dead = base(tmp_path) / "999-abcdefgh"
    (dead / "w1").mkdir(parents=True)
    (dead / "w1" / "picture.png").write_bytes(b"x")
    other = made(tmp_path)
    assert not dead.exists()
    assert (living.path / "kept").exists()
    living.close()
    other.close()


def test_it_goes_at_the_exit_of_its_process(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from clawdcore.scratch import private_tmp\n"
        "private_tmp((), fallback=pathlib.Path(sys.argv[1])).use()\n"
        "import tempfile; print(tempfile.mkdtemp())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert Path(said.stdout.strip()).is_relative_to(tmp_path)
    assert list(base(tmp_path).iterdir()) == []


def test_a_name_that_is_a_link_or_open_to_others_is_not_used(tmp_path: Path) -> None:
    root = tmp_path / "root"
    target = tmp_path / "target"
    root.mkdir()
    target.mkdir()
    (target / "theirs").mkdir()
    base(root).symlink_to(target)
    base(root, "-1").mkdir()
    base(root, "-1").chmod(0o777)
    scratch = made(root)
    assert scratch.path.parent == base(root, "-2")
    assert (target / "theirs").exists()
    scratch.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
def test_a_name_taken_by_another_user_is_not_used(tmp_path: Path) -> None:
    base(tmp_path).mkdir(mode=0o700)
    os.chown(base(tmp_path), 65534, 65534)
    scratch = made(tmp_path)
    assert scratch.path.parent == base(tmp_path, "-1")
    scratch.close()


def test_all_names_taken_is_an_error_that_says_where(tmp_path: Path) -> None:
    for number in ("", *(f"-{n}" for n in range(1, 8))):
        base(tmp_path, number).touch()
    with pytest.raises(PermissionError, match="taken by others"):
        made(tmp_path)


def test_memory_is_taken_where_it_is_and_its_want_is_told(tmp_path: Path) -> None:
    shm = tmp_path / "shm"
    disk = tmp_path / "disk"
    shm.mkdir()
    disk.mkdir()
    listed = mounts(tmp_path, f"tmpfs {shm} tmpfs rw 0 0")
    in_memory = private_tmp([tmp_path / "none", shm], fallback=disk, mounts=listed)
    assert in_memory.path.is_relative_to(shm)
    assert in_memory.warning == ""
    in_memory.close()
    on_disk = private_tmp([disk], fallback=disk, mounts=listed)
    assert "may touch the disk" in on_disk.warning
    assert on_disk.warning.count("\n") == 0
    on_disk.close()


def test_of_mounts_at_one_place_the_last_counts_and_of_places_the_deepest(tmp_path: Path) -> None:
    inner = tmp_path / "in ner"
    inner.mkdir()
    quoted = str(inner).replace(" ", r"\040")
    over = mounts(tmp_path, f"tmpfs {quoted} tmpfs rw 0 0", f"tmpfs {tmp_path} ext4 rw 0 0")
    assert memory_backed(inner, over)
    assert not memory_backed(tmp_path, over)
    hidden = mounts(tmp_path, f"tmpfs {quoted} tmpfs rw 0 0", f"/dev/sda {quoted} ext4 rw 0 0")
    assert not memory_backed(inner, hidden)
    assert not memory_backed(inner, tmp_path / "no such list")


def test_a_file_system_that_is_too_small_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = mounts(tmp_path, f"tmpfs {tmp_path} tmpfs rw 0 0")
    assert memory_backed(tmp_path, listed)
    monkeypatch.setattr("clawdcore.scratch.LEAST", 2**80)
    assert not memory_backed(tmp_path, listed)


def test_wiping_follows_no_link(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(kept)
    assert wipe(folder)
    assert wipe(folder)
    assert (kept / "file").exists()
