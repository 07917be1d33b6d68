"""Even light over a page: shadows of a hand and the dark side of a photo taken out."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageFilter

SIDE: Final = 400
"""Pixels; light changes slowly, and is seen as well in a picture made so small."""
LETTER: Final = 9
"""Pixels of that picture; around the ink of a letter there is paper within so many."""
SOFT: Final = 12
"""Pixels of that picture over which the light found is smoothed."""


def evened(grey: Image.Image) -> Image.Image:
    """The page over its own paper: each pixel by the brightest around it, 255 for paper."""
    small = grey.reduce(max(1, max(grey.size) // SIDE))
    paper = small.filter(ImageFilter.MaxFilter(LETTER)).filter(ImageFilter.GaussianBlur(SOFT))
    light = np.asarray(paper.resize(grey.size), np.float32)
    values = np.asarray(grey, np.float32) / np.maximum(light, 1) * 255
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
