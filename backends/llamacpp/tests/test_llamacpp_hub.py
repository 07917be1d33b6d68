from __future__ import annotations

import dataclasses
import hashlib
import socket
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from clawdbot_llamacpp import hub as hub_module
from clawdbot_llamacpp.catalogue import HubFile
from clawdbot_llamacpp.failures import DownloadStopped, Mismatch, SourceFailed
from clawdbot_llamacpp.partial import Partial


def download(hub: Any, source: HubFile, folder: Path, **others: Any) -> bytes:
    target = folder / source.filename
    with Partial(target) as partial:
        given: dict[str, Any] = {"stop": Event(), "report": lambda done: None, "pause": 0.0}
        hub_module.download(source, partial, hub=hub.url, **(given | others))
        partial.finish(source)
    return target.read_bytes()


def test_a_file_comes_whole_and_the_partial_is_gone(
    hub: Any, hub_file: HubFile, tmp_path: Path
) -> None:
    done: list[int] = []
    data = download(hub, hub_file, tmp_path, report=done.append)
    assert hashlib.sha256(data).hexdigest() == hub_file.sha256
    assert done[-1] == hub_file.size
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.gguf"]


def test_a_broken_connection_is_continued_where_it_broke(
    hub: Any, hub_file: HubFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "BLOCK", 500)
    hub.break_after = [1000, 700]
    data = download(hub, hub_file, tmp_path)
    assert hashlib.sha256(data).hexdigest() == hub_file.sha256
    assert hub.ranges == ["", "bytes=1000-", "bytes=1500-"]


def test_what_an_earlier_run_left_is_continued(hub: Any, hub_file: HubFile, tmp_path: Path) -> None:
    left = hub.files["us/tiny/resolve/r1/tiny.gguf"][:1234]
    (tmp_path / "tiny.gguf.partial").write_bytes(left)
    data = download(hub, hub_file, tmp_path)
    assert hashlib.sha256(data).hexdigest() == hub_file.sha256
    assert hub.ranges == ["bytes=1234-"]


def test_a_hub_may_send_us_to_another_server_and_the_range_goes_along(
    hub: Any, hub_file: HubFile, tmp_path: Path
) -> None:
    data = hub.files.pop("us/tiny/resolve/r1/tiny.gguf")
    hub.files["blobs/1"] = data
    hub.redirects["us/tiny/resolve/r1/tiny.gguf"] = f"{hub.url}/blobs/1?signed=yes"
    (tmp_path / "tiny.gguf.partial").write_bytes(data[:100])
    assert download(hub, hub_file, tmp_path) == data
    assert hub.ranges == ["bytes=100-", "bytes=100-"]


def test_a_server_that_ignores_ranges_is_taken_from_the_start(
    hub: Any, hub_file: HubFile, tmp_path: Path
) -> None:
    (tmp_path / "tiny.gguf.partial").write_bytes(b"x" * 100)
    hub.ignores_ranges = True
    data = download(hub, hub_file, tmp_path)
    assert hashlib.sha256(data).hexdigest() == hub_file.sha256


def test_a_complete_partial_is_not_asked_for_again(
    hub: Any, hub_file: HubFile, tmp_path: Path
) -> None:
    (tmp_path / "tiny.gguf.partial").write_bytes(hub.files["us/tiny/resolve/r1/tiny.gguf"])
    download(hub, hub_file, tmp_path)
    assert hub.ranges == []


def test_a_refusal_names_the_status(hub: Any, hub_file: HubFile, tmp_path: Path) -> None:
    hub.statuses = [403]
    with pytest.raises(SourceFailed, match=r"127\.0\.0\.1 answered 403"):
        download(hub, hub_file, tmp_path)


def test_a_hub_that_brings_nothing_three_times_is_given_up(
    hub: Any, hub_file: HubFile, tmp_path: Path
) -> None:
    hub.break_after = [0] * 10
    with pytest.raises(SourceFailed, match="broke off the download"):
        download(hub, hub_file, tmp_path)
    assert len(hub.ranges) == hub_module.BARREN_TRIES


def test_an_unreachable_hub_is_given_up_at_the_first_try(hub_file: HubFile, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses connections

        class Nowhere:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(SourceFailed, match="can't be reached"):
            download(Nowhere, hub_file, tmp_path, pause=60.0)


def test_more_bytes_than_the_file_has_are_refused(
    hub: Any, hub_file: HubFile, tmp_path: Path
) -> None:
    shorter = dataclasses.replace(hub_file, size=2000)
    with pytest.raises(Mismatch):
        download(hub, shorter, tmp_path)


def test_a_stop_leaves_what_came_for_the_next_time(
    hub: Any, hub_file: HubFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "BLOCK", 500)
    stop = Event()
    with pytest.raises(DownloadStopped):
        download(hub, hub_file, tmp_path, stop=stop, report=lambda done: stop.set())
    assert (tmp_path / "tiny.gguf.partial").stat().st_size == 500
    download(hub, hub_file, tmp_path)
    assert hub.ranges[-1] == "bytes=500-"


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, "https://huggingface.co"),
        ({"HF_ENDPOINT": ""}, "https://huggingface.co"),
        ({"HF_ENDPOINT": "https://mirror.example/"}, "https://mirror.example"),
    ],
)
def test_the_endpoint_is_the_hubs_own_variable(env: dict[str, str], expected: str) -> None:
    assert hub_module.endpoint(env) == expected
