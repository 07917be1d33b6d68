"""From the options to a reader."""

from __future__ import annotations

from typing import Final

from .local import Bounds, LocalReader
from .options import OcrOptions
from .reading import Reader
from .wire import Setup

MEGA: Final = 1_000_000
MINUTE: Final = 60.0
RECOGNISERS: Final = {
    "auto": "clawdbot_ocr.auto:Auto",
    "rapidocr": "clawdbot_ocr.rapid:RapidOcr",
    "tesseract": "clawdbot_ocr.tesseract:Tesseract",
}


def reader(options: OcrOptions) -> Reader:
    """The reader that the options want. Nothing is started before the first picture."""
    languages = tuple(options.languages)
    return LocalReader(
        Setup(RECOGNISERS[options.engine], languages),
        Bounds(
            max_bytes=round(options.max_megabytes * MEGA),
            max_pixels=round(options.max_megapixels * MEGA),
            max_pages=options.max_pages,
            line=options.line,
            seconds=options.seconds,
            idle=options.idle_minutes * MINUTE,
        ),
        # Native code of rapidocr may die at a picture, or on a processor that it isn't made for.
        spare=Setup(RECOGNISERS["tesseract"], languages) if options.engine == "auto" else None,
    )
