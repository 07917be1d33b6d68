"""Files of all kinds, whole and damaged; what cannot be read is told, never half read."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pillow_heif import register_heif_opener

from clawdbot_ocr.decoding import Pages
from clawdbot_ocr.failures import NotPicture, TooManyPixels, Unreadable

KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "HEIF")


def two_halves(mode: str = "RGB", size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Dark to the left, light to the right."""
    picture = Image.new("L", size, 0)
    picture.paste(255, (size[0] // 2, 0, *size))
    return picture.convert(mode)


def file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    register_heif_opener()
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def decoded(data: bytes, *, max_pixels: int = 1_000_000, max_pages: int = 1) -> list[Image.Image]:
    return list(Pages(data, max_pixels=max_pixels, max_pages=max_pages))


def grey(page: Image.Image, x: int, y: int) -> int:
    value = page.convert("L").getpixel((x, y))
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_decoded(kind: str) -> None:
    (page,) = decoded(file(two_halves(), kind))
    assert page.mode == "RGB"
    assert page.size == (64, 32)
    assert grey(page, 8, 16) < 60
    assert grey(page, 56, 16) > 200


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_every_mode_becomes_rgb_with_its_contrast(mode: str) -> None:
    if mode in {"I;16", "I", "F"}:
        values = np.asarray(two_halves("L")).astype(np.uint16) * 200
        picture = Image.fromarray(values).convert(mode)
    else:
        picture = two_halves("RGB").convert(mode)
    (page,) = decoded(file(picture, "PNG" if mode in {"1", "L", "P", "I;16"} else "TIFF"))
    assert page.mode == "RGB"
    assert grey(page, 8, 16) < 60
    assert grey(page, 56, 16) > 200


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_is_white(mode: str) -> None:
    picture = Image.new("RGBA", (64, 32), (0, 0, 0, 0))
    picture.paste((20, 20, 20, 255), (0, 0, 32, 32))
    (page,) = decoded(file(picture.convert(mode), "TIFF" if mode == "PA" else "PNG"))
    assert grey(page, 8, 16) < 60
    assert grey(page, 56, 16) == 255


def test_a_transparent_colour_of_a_palette_is_white() -> None:
    picture = two_halves("P")
    (page,) = decoded(file(picture, "PNG", transparency=picture.getpixel((8, 16))))
    assert grey(page, 8, 16) == 255


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_the_camera_says_which_way_up_it_was_held(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    (page,) = decoded(file(two_halves(), kind, exif=exif.tobytes()))
    assert page.size == (32, 64)
    assert grey(page, 16, 8) < 60
    assert grey(page, 16, 56) > 200


def test_a_damaged_note_about_the_camera_harms_nothing() -> None:
    for exif in (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0nonsense"):
        (page,) = decoded(file(two_halves(), "JPEG", exif=exif))
        assert page.size == (64, 32)


def pages(*sizes: tuple[int, int]) -> bytes:
    drawn = [Image.new("L", size, 90) for size in sizes]
    return file(drawn[0], "TIFF", save_all=True, append_images=drawn[1:])


def test_pages_are_decoded_in_order_up_to_the_bound() -> None:
    data = pages((10, 10), (11, 10), (12, 10), (13, 10))
    found = Pages(data, max_pixels=1_000, max_pages=3)
    assert [page.size for page in found] == [(10, 10), (11, 10), (12, 10)]
    assert found.more == 1
    assert len(decoded(data, max_pages=9)) == 4


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_taken(kind: str) -> None:
    frames = [Image.new("L", (20, 20), value) for value in (10, 100, 200)]
    data = file(frames[0], kind, save_all=True, append_images=frames[1:])
    found = Pages(data, max_pixels=1_000, max_pages=5)
    assert [grey(page, 10, 10) < 60 for page in found] == [True]
    assert found.more == 0


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises so much; nothing of it is there."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(1_001, 1_000), (20_000, 20_000), (2**31 - 1, 1)])
def test_too_many_pixels_are_told_before_anything_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(TooManyPixels) as caught:
        decoded(bomb(*size))
    assert caught.value.pixels == size[0] * size[1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_bound_is_the_last_size_that_is_taken(kind: str) -> None:
    data = file(two_halves(), kind)
    assert decoded(data, max_pixels=64 * 32)
    with pytest.raises(TooManyPixels):
        decoded(data, max_pixels=64 * 32 - 1)


def test_a_later_page_has_the_same_bound() -> None:
    found = iter(Pages(pages((10, 10), (50, 50)), max_pixels=100, max_pages=2))
    assert next(found).size == (10, 10)
    with pytest.raises(TooManyPixels) as caught:
        next(found)
    assert caught.value.pixels == 2_500


def test_pillows_own_bound_is_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(TooManyPixels):
        decoded(bomb(30_000, 30_000))
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_file_is_no_picture(kind: str) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    data = file(Image.fromarray(noise), kind)
    for part in (0.02, 0.3, 0.6, 0.9):
        with pytest.raises(NotPicture):
            decoded(data[: round(part * len(data))])


OTHERS: Sequence[bytes] = (
    b"",
    b"\0" * 5_000,
    b"%PDF-1.4 nonsense",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    b"GIF89a nonsense",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0\x00\x10JFIF",
    b"II*\0\xff\xff\xff\xff",
    b"Just words.",
)


@pytest.mark.parametrize("data", OTHERS)
def test_what_is_no_picture_is_told(data: bytes) -> None:
    with pytest.raises(NotPicture) as caught:
        decoded(data)
    assert "words" not in str(caught.value)


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12))
def test_damage_anywhere_is_told_or_gives_whole_pages(kind: str, seed: int, count: int) -> None:
    source = np.random.default_rng(seed)
    data = bytearray(file(two_halves(), kind))
    for place in source.integers(0, len(data), count):
        data[place] = source.integers(0, 256)
    try:
        found = decoded(bytes(data), max_pixels=100_000, max_pages=3)
    except Unreadable:
        return
    assert all(page.mode == "RGB" and min(page.size) > 0 for page in found)
