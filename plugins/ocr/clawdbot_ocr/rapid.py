"""The engine rapidocr: PP-OCR's models under onnxruntime. Chinese, Japanese, Latin, Greek."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .failures import NotInstalled
from .layout import Line, text_of
from .recogniser import Seen
from .upright import Box, turn

NAME: Final = "rapidocr"
MODELS: Final = {
    "Det.model_path": "PP-OCRv6_det_small.onnx",
    "Rec.model_path": "PP-OCRv6_rec_small.onnx",
    "Cls.model_path": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
"""The weights in rapidocr's wheel. They are named, since for others it asks a network."""
PIXELS: Final = 2_500_000
"""A page is made so small: 2,000 pixels of the longer side, as rapidocr does it, make the
letters of a long screenshot too small to be read. With 4 million the process took 1 GB."""
NARROWEST: Final = 8
"""A page longer than this many widths gets a margin: the detector scales the shorter side up
to 736 pixels, so that a thread of an ordinary size would fill the memory."""
SURE: Final = 0.5
"""Lines with less confidence are no text (rapidocr's own bound)."""
DOUBTFUL: Final = 0.8
"""A page that was turned and is read with less confidence is read as it came, too; lines that
are the right way up are read with 0.95 and more."""
FLIPPED: Final = 0.9
"""Confidence from which on the classifier is believed (rapidocr's own bound)."""

Pixels = NDArray[np.uint8]


class RapidOcr:
    """A :class:`~clawdbot_ocr.recogniser.Recogniser`."""

    def __init__(self, languages: Sequence[str] = ()) -> None:
        """It knows what it knows: ``languages`` changes nothing.

        Raises:
            NotInstalled: rapidocr, onnxruntime or its weights are not here.
        """
        try:
            from rapidocr import RapidOCR
            from rapidocr.main import RapidOCRError
        except ImportError as error:
            raise NotInstalled("rapidocr is not installed.") from error
        folder = _models()
        self._nothing: type[Exception] = RapidOCRError
        self._engine: Any = RapidOCR(
            params={
                **{name: str(folder / file) for name, file in MODELS.items()},
                "Global.log_level": "critical",
                "Global.max_side_len": PIXELS,  # the bound is ours, by area
                "EngineConfig.onnxruntime.intra_op_num_threads": threads(os.cpu_count() or 1),
            }
        )

    def read(self, page: Image.Image) -> Seen:
        """As :meth:`Recogniser.read`."""
        pixels: Pixels = np.ascontiguousarray(np.asarray(fitting(page))[:, :, ::-1])
        crops, places, flat = self._found(pixels)
        degrees = turn(flat)
        if not degrees:
            return Seen(text_of(self._lines(crops, places)[0]), NAME)
        upright = np.ascontiguousarray(np.rot90(pixels, degrees // 90))
        lines, confidence = self._lines(*self._found(upright)[:2])
        if confidence < DOUBTFUL:
            other, surer = self._lines(crops, places)
            lines = other if surer > confidence else lines
        return Seen(text_of(lines), NAME)

    def _found(self, pixels: Pixels) -> tuple[list[Pixels], Any, list[Box]]:
        """Each line's picture, laid flat, with its four corners on the page."""
        prepared, record = self._engine.preprocess_img(pixels)
        try:
            crops, found = self._engine.detect_and_crop(prepared, record)
            crops, classified = self._engine.cls_and_rotate(crops)
        except self._nothing:
            return [], [], []
        boxes = []
        for corners, (label, score) in zip(found.boxes, classified.cls_res, strict=True):
            width, height = _size(corners)
            boxes.append(Box(width, height, label == "180" and score > FLIPPED))
        return crops, found.boxes, boxes

    def _lines(self, crops: list[Pixels], places: Any) -> tuple[list[Line], float]:
        """What the lines say, and how sure that is on average (0 to 1)."""
        if not crops:
            return [], 0.0
        try:
            read = self._engine.recognize_txt(crops)
        except self._nothing:
            return [], 0.0
        lines = []
        for text, score, corners in zip(read.txts, read.scores, places, strict=True):
            if text.strip() and score >= SURE:
                width, height = _size(corners)
                left, middle = (corners[0] + corners[3]) / 2
                across, down = corners[1] - corners[0]
                angle = math.atan2(down, across)
                lines.append(Line(text.strip(), left, middle, width, height, angle))
        return lines, sum(read.scores) / len(read.scores)


def threads(processors: int) -> int:
    """How many of them to use: half, so that a picture leaves room for what is not one."""
    return max(1, processors // 2)


def fitting(page: Image.Image) -> Image.Image:
    """The page as rapidocr can take it: not too large, and not too thin."""
    narrowest = -(-max(page.size) // NARROWEST)
    if min(page.size) < narrowest:
        wide = Image.new("RGB", (max(page.width, narrowest), max(page.height, narrowest)), "white")
        wide.paste(page, ((wide.width - page.width) // 2, (wide.height - page.height) // 2))
        page = wide
    scale = math.sqrt(PIXELS / (page.width * page.height))
    if scale >= 1:
        return page
    size = (max(1, int(page.width * scale)), max(1, int(page.height * scale)))
    return page.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _models() -> Path:
    spec = find_spec("rapidocr")
    folder = Path(spec.origin or "").parent / "models" if spec is not None else Path()
    if not all((folder / name).is_file() for name in MODELS.values()):
        raise NotInstalled("rapidocr's weights are not where they should be.")
    return folder


def _size(corners: Any) -> tuple[float, float]:
    """Width and height; corners go from the upper left one clockwise."""
    return math.dist(corners[0], corners[1]), math.dist(corners[0], corners[3])
