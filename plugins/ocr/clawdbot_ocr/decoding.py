"""Pages from the bytes of a file, in memory: RGB, upright as the camera says, on white.

Runs in the engine's process: the files are strangers', and the decoders native code.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError
from pillow_heif import register_heif_opener

from .failures import NotPicture, TooManyPixels, Unreadable

FORMATS: Final = ("PNG", "JPEG", "WEBP", "TIFF", "HEIF")
"""Pillow's names of what is opened. Others of its formats start programs or are hardly sent."""
PAGED: Final = ("TIFF",)
"""Where a further frame is another page; elsewhere it is a thumbnail or an animation."""
WIDE: Final = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
"""Modes of one channel with more than eight bits, which Pillow would cut and not scale."""


class Pages:
    """The pages of a file, decoded one by one as they are asked for.

    Nothing is decoded that has more than ``max_pixels`` by its header, and no more than
    ``max_pages`` pages are. ``more`` is how many are left out, known at the end.
    """

    def __init__(self, data: bytes, *, max_pixels: int, max_pages: int = 1) -> None:
        self._data = data
        self._max_pixels = max_pixels
        self._max_pages = max_pages
        self.more = 0

    def __iter__(self) -> Iterator[Image.Image]:
        """Each page.

        Raises:
            NotPicture: nothing can be decoded from the file, or not all of a page.
            TooManyPixels: a page has more than are taken.
        """
        register_heif_opener()
        try:
            with _no_other_bound(), Image.open(BytesIO(self._data), formats=FORMATS) as picture:
                yield from self._pages(picture)
        except Unreadable:
            raise
        except UnidentifiedImageError as error:
            raise NotPicture("The file is no picture of a kind that is read.") from error
        except GeneratorExit:
            raise
        except Exception as error:  # Pillow raises nearly anything for damaged files
            raise NotPicture("The picture is damaged.") from error

    def _pages(self, picture: Image.Image) -> Iterator[Image.Image]:
        count = getattr(picture, "n_frames", 1) if picture.format in PAGED else 1
        self.more = max(0, count - self._max_pages)
        for index in range(min(count, self._max_pages)):
            if index:
                picture.seek(index)
            pixels = picture.width * picture.height
            if pixels > self._max_pixels:
                raise TooManyPixels("The picture has too many pixels.", pixels=pixels)
            yield _plain(picture)


def _plain(picture: Image.Image) -> Image.Image:
    picture.load()
    whole = _upright(_eight_bits(picture) if picture.mode in WIDE else picture)
    if whole.has_transparency_data:
        clear = whole.convert("RGBA")
        paper = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(paper, clear).convert("RGB")
    return whole if whole.mode == "RGB" else whole.convert("RGB")


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # noqa: BLE001 - a damaged note about the camera is no damaged picture
        return picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    lowest, highest = picture.convert("F").getextrema()
    assert isinstance(lowest, float)
    assert isinstance(highest, float)
    scale = 255 / (highest - lowest) if highest > lowest else 0.0
    return picture.convert("F").point(lambda value: value * scale - lowest * scale).convert("L")


@contextmanager
def _no_other_bound() -> Iterator[None]:
    """Pillow's own bound on pixels set aside, since ours can be told in its figure."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote what is in the file
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
