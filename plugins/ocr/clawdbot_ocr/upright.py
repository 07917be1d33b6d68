"""Which way up a page is, and how much it is tilted.

A detector finds lines as boxes whichever way they go, and a classifier says of each line
whether it stands on its head; a page is what most of its lines are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TALL: Final = 1.5
"""A box so many times as high as wide is a line that goes up or down: from there on
rapidocr turns it by 90 degrees counter-clockwise, before its lines are classified."""
WIDEST: Final = 15.0
"""Degrees of tilt that are looked for; a page is hardly held worse, and is asked for again."""
COARSE: Final = 1.5
FINE: Final = 0.25
"""Degrees between two angles that are tried, first over all, then around the best."""
BETTER: Final = 1.1
"""How much more its best angle must stand out than none: straight pages are left alone."""
SIDE: Final = 600
"""Pixels; tilt shows as well in a picture made so small (its longer side)."""


@dataclass(frozen=True, slots=True)
class Box:
    """What a line covers: ``width`` and ``height`` in pixels, and whether it is ``flipped``.

    ``flipped`` is what a classifier says of the line after it was laid flat.
    """

    width: float
    height: float
    flipped: bool


def turn(boxes: Sequence[Box]) -> int:
    """The degrees (0, 90, 180, 270) by which a page is to be turned counter-clockwise.

    Each line votes by its length: a headline is surer than a page number.
    """
    tall = [box for box in boxes if box.height >= TALL * box.width]
    flat = [box for box in boxes if box.height < TALL * box.width]
    sideways = sum(box.height for box in tall) > sum(box.width for box in flat)
    votes = tall if sideways else flat
    length = [max(box.width, box.height) for box in votes]
    flipped = sum(each for each, box in zip(length, votes, strict=True) if box.flipped)
    upside_down = 2 * flipped > sum(length)
    return 90 * sideways + 180 * upside_down


def tilt(page: Image.Image) -> float:
    """The degrees by which a page is to be turned counter-clockwise so that its lines are level.

    Level lines leave rows without ink between them, so that the sums of the rows differ most
    from one to the next (the projection profile; Postl, 1986). 0.0 where no angle stands out.
    """
    grey = page.convert("L")
    grey = grey.reduce(max(1, max(grey.size) // SIDE))
    values = np.asarray(grey, np.float32)
    ink = Image.fromarray(np.clip(np.abs(values - np.median(values)), 0, 255).astype(np.uint8))
    rough = max(_steps(-WIDEST, WIDEST, COARSE), key=lambda angle: _sharpness(ink, angle))
    best = max(
        _steps(rough - COARSE, rough + COARSE, FINE), key=lambda angle: _sharpness(ink, angle)
    )
    return best if _sharpness(ink, best) > BETTER * _sharpness(ink, 0.0) else 0.0


def _sharpness(ink: Image.Image, angle: float) -> float:
    turned = ink.rotate(angle, resample=Image.Resampling.BILINEAR)
    rows: NDArray[np.float32] = np.asarray(turned, np.float32).sum(axis=1)
    return float((np.diff(rows) ** 2).sum())


def _steps(first: float, last: float, step: float) -> list[float]:
    return [first + step * index for index in range(round((last - first) / step) + 1)]
