"""The engine tesseract: its program, with pictures on its input and text on its output.

pytesseract is not used, since it writes each picture to a file.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image

from .failures import EngineFailed, NotInstalled
from .light import evened
from .recogniser import Seen
from .scripts import LATIN, in_order, of_script
from .upright import tilt

NAME: Final = "tesseract"
ONE_THREAD: Final = {"OMP_THREAD_LIMIT": "1"}
"""Its four threads wait for each other: with one it is faster, see FAQ of tesseract."""
PIXELS: Final = 9_000_000
"""A page is made so small: A4 at 300 dots an inch, as tesseract likes its letters."""
SMALL: Final = 100_000
"""A page with fewer pixels is made twice as wide and high: letters of 10 pixels are then 20.
Larger pages are read worse when they are enlarged."""
TURNED: Final = 1.5
"""Orientation confidence from which on a page is turned; wrong ones were below 1."""
WRITTEN: Final = 2.0
"""Script confidence from which on it is believed: wrong ones were below 1, Cyrillic above 3."""
OSD: Final = "osd"


@dataclass(frozen=True, slots=True)
class Orientation:
    """``degrees`` by which a page is to be turned clockwise, and the ``script`` on it, if known."""

    degrees: int = 0
    script: str = ""


class Tesseract:
    """A :class:`~clawdbot_ocr.recogniser.Recogniser`."""

    def __init__(self, languages: Sequence[str] = ("eng",)) -> None:
        """Of ``languages`` those are used whose data is here.

        Raises:
            NotInstalled: tesseract is not here, or knows none of the languages.
        """
        program = shutil.which(NAME)
        if program is None:
            raise NotInstalled("tesseract is not installed.", fix="apt install tesseract-ocr")
        self._program = program
        here = self._run(b"", "--list-langs").split()
        self.languages = in_order(each for each in languages if each in here)
        self._osd = OSD in here
        if not self.languages:
            raise NotInstalled(
                f"tesseract has no data for {', '.join(languages)}.",
                fix="apt install " + " ".join(f"tesseract-ocr-{_package(it)}" for it in languages),
            )

    def read(self, page: Image.Image) -> Seen:
        """As :meth:`Recogniser.read`."""
        grey = evened(fitting(page.convert("L")))
        found = self._orientation(grey)
        if found.degrees:
            grey = grey.rotate(-found.degrees, expand=True)
        angle = tilt(grey)
        if angle:
            grey = grey.rotate(
                angle, expand=True, fillcolor=_paper(grey), resample=Image.Resampling.BICUBIC
            )
        languages = self._knowing(found.script)
        text = self._run(_file(grey), "stdin", "stdout", "-l", "+".join(languages))
        return Seen(tidy(text), NAME)

    def script(self, page: Image.Image) -> str:
        """The script on a page, "" where that can't be said."""
        return self._orientation(evened(fitting(page.convert("L")))).script

    def _orientation(self, grey: Image.Image) -> Orientation:
        if not self._osd:
            return Orientation()
        try:
            said = self._run(_file(grey), "stdin", "stdout", "-l", OSD, "--psm", "0")
        except EngineFailed:  # there is too little on the page
            return Orientation()
        return orientation(said)

    def _knowing(self, script: str) -> Sequence[str]:
        """The languages of a script and what stands between its words; all, if it isn't known."""
        beside = ("Han",) if script == LATIN else ()
        found = {each for name in (script, *beside) for each in of_script(self.languages, name)}
        if not of_script(self.languages, script):
            return self.languages
        return [each for each in self.languages if each in found or each == "eng"]

    def _run(self, given: bytes, *arguments: str) -> str:
        """What the program says.

        Raises:
            EngineFailed: it failed.
        """
        done = subprocess.run(  # noqa: S603 - a program of the owner, options of ours
            [self._program, *arguments],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD},
            check=False,
        )
        if done.returncode:
            raise EngineFailed("tesseract failed.")
        return done.stdout.decode("utf-8", "replace")


def orientation(said: str) -> Orientation:
    """What tesseract says of a page (``--psm 0``)."""
    values = dict(re.findall(r"^([A-Z][a-z ]+): *(\S+)", said, re.MULTILINE))
    turned = float(values.get("Orientation confidence", "0")) >= TURNED
    written = float(values.get("Script confidence", "0")) >= WRITTEN
    return Orientation(
        int(values.get("Rotate", "0")) if turned else 0,
        values.get("Script", "") if written else "",
    )


def tidy(text: str) -> str:
    """Without the form feed at the end, spaces at ends of lines, and more than one empty line."""
    lines = [line.rstrip() for line in text.replace("\f", "\n").splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def fitting(page: Image.Image) -> Image.Image:
    """The page in a size that tesseract reads well."""
    pixels = page.width * page.height
    if pixels < SMALL:
        return page.resize((page.width * 2, page.height * 2), Image.Resampling.LANCZOS)
    scale = math.sqrt(PIXELS / pixels)
    if scale >= 1:
        return page
    size = (max(1, int(page.width * scale)), max(1, int(page.height * scale)))
    return page.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _paper(grey: Image.Image) -> int:
    """The commonest shade."""
    shades = grey.histogram()
    return shades.index(max(shades))


def _file(grey: Image.Image) -> bytes:
    """PNG, which tesseract decodes from memory; other formats it may put into a file."""
    target = BytesIO()
    grey.save(target, "PNG", compress_level=1)
    return target.getvalue()


def _package(language: str) -> str:
    return language.replace("_", "-")
