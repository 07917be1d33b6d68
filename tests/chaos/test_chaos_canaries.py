"""The search for canaries: it must find each of them in each form."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from chaos_parts.canaries import Canaries, Search


def search(canaries: Canaries, folder: Path) -> Search:
    found = Search(canaries, 0.0, [folder], shared=())
    found.everywhere(disk_only=False)
    return found


@pytest.mark.parametrize("shift", range(4))
def test_every_form_is_found(tmp_path: Path, shift: int) -> None:
    canaries = Canaries()
    around = b"x" * shift
    photo = around + canaries.photo()
    text = f"{'x' * shift} some words {canaries.text}"
    writings = {
        "plain": text.encode(),
        "json": json.dumps({"text": text}).encode(),
        "utf-16": text.encode("utf-16"),
        "utf-16-be": text.encode("utf-16-be"),
        "base64": base64.b64encode(text.encode()),
        "photo": photo,
        "photo in base64": base64.b64encode(photo),
        "photo in hex": photo.hex().encode(),
        "voice": around + canaries.voice(),
        "voice in base64": base64.b64encode(around + canaries.voice()),
    }
    for name, data in writings.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "file").write_bytes(b"before" + data + b"after")
        assert search(canaries, folder).hits, name


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(Canaries().photo())
    found = Search(Canaries(), 0.0, [tmp_path], shared=())
    found.everywhere(disk_only=True)
    assert not found.hits


def test_a_file_that_was_unlinked_and_is_open_is_found(tmp_path: Path) -> None:
    canaries = Canaries()
    path = tmp_path / "gone"
    with path.open("w+b") as file:
        file.write(canaries.photo())
        file.flush()
        path.unlink()
        found = Search(canaries, 0.0, [])
        found.handles([Path(f"/proc/self/fd/{file.fileno()}")])
    if found.files:  # on a file system in memory nothing is on a disk
        assert found.hits
