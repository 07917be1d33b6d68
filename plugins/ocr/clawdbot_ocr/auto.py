"""The engine by the script of a page, of those that are here."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from .failures import NotInstalled
from .rapid import RapidOcr
from .recogniser import Seen
from .scripts import RAPID, script_of
from .tesseract import Tesseract


class Auto:
    """A :class:`~clawdbot_ocr.recogniser.Recogniser`: rapidocr, else tesseract.

    rapidocr reads all that it knows better (docs/adr/0016-ocr-engines.md). Where tesseract
    has the data for a language in another script, it is asked for each page's script first,
    and reads what is written in one of those.
    """

    def __init__(self, languages: Sequence[str] = ("eng",)) -> None:
        """Load what is here.

        Raises:
            NotInstalled: neither engine is.
        """
        self._rapid: RapidOcr | None = None
        self._tesseract: Tesseract | None = None
        try:
            self._rapid = RapidOcr(languages)
        except NotInstalled:
            self._tesseract = Tesseract(languages)
        else:
            self._tesseract = _or_none(languages)
        known = self._tesseract.languages if self._tesseract is not None else ()
        self._foreign = frozenset(script_of(each) for each in known) - RAPID

    def read(self, page: Image.Image) -> Seen:
        """As :meth:`Recogniser.read`."""
        if self._tesseract is not None and (self._rapid is None or self._is_foreign(page)):
            return self._tesseract.read(page)
        assert self._rapid is not None
        return self._rapid.read(page)

    def _is_foreign(self, page: Image.Image) -> bool:
        if self._tesseract is None or not self._foreign:
            return False
        return self._tesseract.script(page) in self._foreign


def _or_none(languages: Sequence[str]) -> Tesseract | None:
    try:
        return Tesseract(languages)
    except NotInstalled:
        return None
