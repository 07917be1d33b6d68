"""Recognisers for the engine's process in tests: they tell of the page what can be counted.

How one behaves is said by the name of its class, as tests cannot talk to the process.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from clawdbot_ocr.failures import EngineFailed, NotInstalled
from clawdbot_ocr.recogniser import Seen

NAME = "fake"


class Reads:
    """The size of the page and the shade of its middle; "" for a white one."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = languages

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        os.write(1, b"what a library prints must not come between the records")
        shade = page.convert("L").getpixel((page.width // 2, page.height // 2))
        return Seen("" if shade == 255 else f"{page.width}x{page.height} {shade}", NAME)


class Languages(Reads):
    """The languages that it is to know."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        return Seen("+".join(self.languages), NAME)


class Hangs(Reads):
    """Native code that never comes back."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        time.sleep(3600)
        return super().read(page)


class Starts(Reads):
    """A program that hangs; an empty file in the temporary folder has its process id as name."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        with subprocess.Popen(["sleep", "3600"]) as program:
            (Path(os.environ["TMPDIR"]) / str(program.pid)).touch()
            program.wait()
        return super().read(page)


class Crashes(Reads):
    """Native code that dies at pictures with a black middle."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        seen = super().read(page)
        if seen.text.endswith(" 0"):
            os.abort()
        return seen


class Spare(Reads):
    """Another engine."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        return Seen(super().read(page).text, "spare")


class Raises(Reads):
    """A library that quotes what it read."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        sys.stderr.write("secret words\n")
        sys.stderr.flush()
        raise ValueError("secret words")


class Refuses(Reads):
    """An engine that fails, and says so."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        raise EngineFailed("secret words")


class Missing(Reads):
    """An engine that is not here."""

    def __init__(self, languages: Sequence[str]) -> None:
        raise NotInstalled("none", fix="apt install it")


class Broken(Reads):
    """An engine whose weights are damaged."""

    def __init__(self, languages: Sequence[str]) -> None:
        raise RuntimeError("secret words")


class Asks(Reads):
    """A library that asks a network; what became of it."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        with socket.socket() as asked:
            try:
                asked.connect(("127.0.0.1", 9))
            except ConnectionRefusedError:
                return Seen("it was let out", NAME)
            except ConnectionError:
                return Seen("it was held back", NAME)
        return Seen("it was let out", NAME)


class Writes(Reads):
    """A library that keeps what it read in a file of the temporary folder."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        try:
            (Path(os.environ["TMPDIR"]) / "kept").write_bytes(page.tobytes())
        except OSError:
            return Seen("it was held back", NAME)
        return Seen("it was let out", NAME)


class Dumps(Reads):
    """A program that does the same, and what the file has then."""

    def read(self, page: Image.Image) -> Seen:
        """What is said above."""
        kept = Path(os.environ["TMPDIR"]) / "kept"
        with kept.open("wb") as target:
            done = subprocess.run(["cat"], input=page.tobytes(), stdout=target, check=False)
        return Seen(f"{done.returncode != 0} {kept.stat().st_size}", NAME)
