"""Pictures of text, drawn and photographed, for the tests of real engines and for the bench.

Nothing here is random from run to run: noise comes of a fixed seed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FOLDERS: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"))
LATIN: Final = ("DejaVuSans.ttf",)
HAN: Final = ("wqy-zenhei.ttc", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc")
NEEDED: Final = "apt install fonts-dejavu-core fonts-wqy-zenhei"
"""Where the fonts come from on Debian."""

ENGLISH: Final = (
    "The museum opens at nine and closes at six.",
    "Tickets cost 12.50 euros, children pay half.",
    "Please leave bags and coats at the entrance.",
    "Photographs are welcome, but without a flash.",
    "The next guided tour starts in 15 minutes.",
    "Write to visit@museum.example for groups.",
)
CHINESE: Final = (
    "博物馆上午九点开门,下午六点关门。",
    "门票五十元,儿童半价优惠。",
    "请把背包和外套存放在入口处。",
    "欢迎拍照,但是请不要使用闪光灯。",
    "下一次讲解将在十五分钟后开始。",
)
MIXED: Final = (
    "Opening hours 开放时间",
    "Monday to Friday 9:00 - 18:00",
    "门票 Ticket: 50 元",
    "请勿触摸展品 Please do not touch",
    "出口 Exit",
)
RUSSIAN: Final = (
    "Музей открывается в девять часов утра.",
    "Билет стоит двести рублей, дети бесплатно.",
    "Пожалуйста, оставьте сумки у входа.",
    "Фотографировать можно, но без вспышки.",
)


def font(names: Sequence[str], size: int) -> ImageFont.FreeTypeFont:
    """The first of the fonts that is on this machine, ``size`` in pixels.

    Raises:
        FileNotFoundError: none is.
    """
    for name in names:
        for folder in FOLDERS:
            for found in sorted(folder.rglob(name)):
                return ImageFont.truetype(str(found), size)
    raise FileNotFoundError(f"none of the fonts {', '.join(names)} is here ({NEEDED})")


def page(
    lines: Sequence[str],
    *,
    fonts: Sequence[str] = LATIN,
    size: int = 30,
    ink: tuple[int, int, int] = (20, 20, 20),
    paper: tuple[int, int, int] = (255, 255, 255),
) -> Image.Image:
    """The lines one under the other, with a margin around."""
    drawn = font(fonts, size)
    margin, step = 2 * size, round(size * 1.7)
    width = max(round(drawn.getlength(line)) for line in lines) + 2 * margin
    picture = Image.new("RGB", (width, step * len(lines) + 2 * margin), paper)
    draw = ImageDraw.Draw(picture)
    for index, line in enumerate(lines):
        draw.text((margin, margin + index * step), line, font=drawn, fill=ink)
    return picture


def noisy(picture: Image.Image, *, strength: float = 40.0) -> Image.Image:
    """Grain of so many steps of 255 (standard deviation)."""
    grain = np.random.default_rng(11).normal(0, strength, (picture.height, picture.width, 1))
    return _of(np.asarray(picture, np.float64) * 0.85 + 20 + grain)


def tilted(picture: Image.Image, degrees: float = 8.0) -> Image.Image:
    """Turned counter-clockwise by a small angle, on white."""
    return picture.rotate(
        degrees, expand=True, fillcolor=(255, 255, 255), resample=Image.Resampling.BICUBIC
    )


def turned(picture: Image.Image, degrees: int) -> Image.Image:
    """Turned clockwise by a multiple of 90 degrees."""
    return picture.rotate(-degrees, expand=True)


def uneven(picture: Image.Image) -> Image.Image:
    """Lit from one corner: 100 % of the light there, 35 % in the opposite one."""
    down, right = np.mgrid[0 : picture.height, 0 : picture.width]
    away = (right / picture.width + down / picture.height) / 2
    return _of(np.asarray(picture, np.float64) * (1 - 0.65 * away)[..., None])


def photographed(picture: Image.Image) -> Image.Image:
    """A sheet on a brown table, seen at an angle, in uneven light, a bit out of focus, as JPEG."""
    width, height = picture.size
    table = Image.new("RGB", (width + 160, height + 160), (94, 66, 44))
    table.paste(picture, (80, 80))
    right, bottom = width + 160.0, height + 160.0
    corners = [(0.0, 0.0), (right, 30.0), (right - 50, bottom), (40.0, bottom - 40)]
    seen = table.transform(
        table.size,
        Image.Transform.PERSPECTIVE,
        _perspective(corners, table.size),
        resample=Image.Resampling.BICUBIC,
        fillcolor=(94, 66, 44),
    )
    seen = noisy(uneven(seen).filter(ImageFilter.GaussianBlur(0.8)), strength=9)
    return Image.open(BytesIO(jpeg(seen, 55)))


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    """A JPEG file of it."""
    return file(picture, "JPEG", quality=quality)


def file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A file of it, of a format by Pillow's name."""
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


@dataclass(frozen=True)
class Case:
    """A picture and what is written on it."""

    lines: Sequence[str]
    picture: Image.Image

    @property
    def text(self) -> str:
        """The lines, each in a row."""
        return "\n".join(self.lines)


def cases() -> dict[str, list[Case]]:
    """Pictures of each kind that engines are measured with.

    Raises:
        FileNotFoundError: a font is missing.
    """
    english = Case(ENGLISH, page(ENGLISH))
    chinese = Case(CHINESE, page(CHINESE, fonts=HAN))
    mixed = Case(MIXED, page(MIXED, fonts=HAN))
    both = (english, chinese)
    return {
        "clean": [english],
        "noisy": [Case(it.lines, noisy(it.picture)) for it in both],
        "tilted": [
            Case(it.lines, tilted(it.picture, degrees)) for it in both for degrees in (8, -8)
        ],
        "turned": [
            Case(it.lines, turned(it.picture, degrees)) for it in both for degrees in (90, 180, 270)
        ],
        "chinese": [chinese],
        "mixed": [mixed],
        "photographed": [Case(it.lines, photographed(it.picture)) for it in both],
        "small": [Case(ENGLISH, page(ENGLISH, size=12)), Case(ENGLISH, page(ENGLISH, size=9))],
        "russian": [Case(RUSSIAN, page(RUSSIAN)), Case(RUSSIAN, photographed(page(RUSSIAN)))],
    }


def character_error_rate(wanted: str, got: str) -> float:
    """Characters put in, left out and changed, over the characters wanted; 0 is perfect.

    Line breaks count as spaces, several spaces as one, wide forms as narrow ones.
    """
    one, other = _plain(wanted), _plain(got)
    row = list(range(len(other) + 1))
    for i, character in enumerate(one, 1):
        before, row = row, [i]
        for j, each in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (character != each)))
    return row[-1] / len(one)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _of(values: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _perspective(
    corners: Sequence[tuple[float, float]], size: tuple[int, int]
) -> tuple[float, ...]:
    """Pillow's eight numbers of the perspective that shows a whole picture between ``corners``.

    Corners go from the upper left one clockwise. The numbers a to h map a place (x, y) of
    what is seen to ((ax + by + c) / (gx + hy + 1), (dx + ey + f) / (gx + hy + 1)).
    """
    width, height = size
    sources = ((0, 0), (width, 0), (width, height), (0, height))
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, sources, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
        values.extend((u, v))
    return tuple(np.linalg.solve(np.array(rows, float), np.array(values, float)).tolist())
