"""Which way up a page is, from what was found on it; angles and light, from drawn bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from clawdbot_ocr.layout import Line, text_of
from clawdbot_ocr.light import evened
from clawdbot_ocr.upright import Box, tilt, turn


def boxes(width: float, height: float, flipped: bool, count: int = 3) -> list[Box]:
    return [Box(width, height, flipped)] * count


@pytest.mark.parametrize(
    ("found", "degrees"),
    [
        ([], 0),
        (boxes(300, 30, False), 0),
        (boxes(30, 300, False), 90),
        (boxes(300, 30, True), 180),
        (boxes(30, 300, True), 270),
        (boxes(30, 30, False), 0),
    ],
)
def test_a_page_is_turned_as_its_lines_stand(found: list[Box], degrees: int) -> None:
    assert turn(found) == degrees


def test_long_lines_count_for_more_than_many_short_ones() -> None:
    assert turn([*boxes(500, 30, False), *boxes(20, 40, True, 10)]) == 0
    assert turn([*boxes(500, 30, True), *boxes(40, 30, False, 10)]) == 180


@given(
    found=st.lists(
        st.builds(Box, st.floats(10, 900), st.floats(10, 900), st.booleans()), min_size=1
    )
)
def test_what_is_flipped_is_turned_half_round_more(found: list[Box]) -> None:
    other = [Box(box.width, box.height, not box.flipped) for box in found]
    assert {turn(found) % 180, turn(other) % 180} in ({0}, {90})
    assert turn(found) in (0, 90, 180, 270)


def bars(angle: float = 0.0) -> Image.Image:
    """Rows of words, turned counter-clockwise by an angle."""
    page = Image.new("L", (700, 500), 250)
    draw = ImageDraw.Draw(page)
    for row in range(8):
        for word in range(6):
            left = 60 + word * 100
            draw.rectangle((left, 50 + row * 50, left + 70 + row, 68 + row * 50), fill=20)
    return page.rotate(angle, expand=True, fillcolor=250, resample=Image.Resampling.BICUBIC)


@pytest.mark.parametrize("angle", [-12, -8, -3.5, 2, 5, 8, 14])
def test_the_tilt_is_found(angle: float) -> None:
    assert tilt(bars(angle)) == pytest.approx(-angle, abs=0.5)


def test_a_level_page_and_one_without_lines_are_left_alone() -> None:
    assert tilt(bars()) == 0.0
    assert tilt(Image.new("L", (300, 200), 200)) == 0.0
    assert tilt(Image.new("L", (1, 1), 200)) == 0.0


def test_a_shadow_is_taken_out_and_letters_stay() -> None:
    page = np.asarray(bars(), np.float32)
    shadow = np.linspace(1.0, 0.3, page.shape[1])
    dark = Image.fromarray((page * shadow).astype(np.uint8))
    even = np.asarray(evened(dark))
    assert np.median(even[:, :40]) > 235
    assert np.median(even[:, -40:]) > 235
    assert even[58, 80] < 60
    assert even[58, 580] < 60


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3)])
def test_pages_of_any_shape_can_be_lit(size: tuple[int, int]) -> None:
    assert evened(Image.new("L", size, 7)).size == size


# ---- the text of lines that were found


def line(text: str, left: float, middle: float, *, width: float = 100, angle: float = 0) -> Line:
    return Line(text, left, middle, width, 20, angle)


def test_rows_go_down_and_words_to_the_right() -> None:
    found = [line("c", 0, 60), line("b", 150, 13), line("a", 0, 10), line("d", 0, 90)]
    assert text_of(found) == "a b\nc\nd"


def test_blocks_are_an_empty_line_apart() -> None:
    assert text_of([line("a", 0, 10), line("b", 0, 40), line("c", 0, 100)]) == "a\nb\n\nc"


def test_rows_that_lean_into_each_other_stay_whole() -> None:
    angle = 0.15  # 8.6 degrees: the end of a row is lower than the begin of the next
    found = [
        line(f"{row}{word}", word * 300, 10 + row * 30 + word * 300 * np.tan(angle), angle=angle)
        for row in range(3)
        for word in range(3)
    ]
    assert text_of(found[::-1]) == "00 01 02\n10 11 12\n20 21 22"


def test_two_lines_one_above_the_other_are_never_one_row() -> None:
    assert text_of([line("a", 0, 10), line("b", 20, 17)]) == "a\nb"


def test_nothing_is_no_text() -> None:
    assert text_of([]) == ""
