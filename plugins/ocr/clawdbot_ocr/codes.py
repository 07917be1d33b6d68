"""What the engine's process calls the errors that it tells of."""

from __future__ import annotations

from typing import Final

from .failures import EngineFailed, NotInstalled, NotPicture, OcrError, TooManyPixels
from .wire import Answer

CODES: Final[dict[str, type[OcrError]]] = {
    "not_picture": NotPicture,
    "too_many_pixels": TooManyPixels,
    "not_installed": NotInstalled,
    "engine_failed": EngineFailed,
}


def told(error: OcrError) -> Answer:
    """The answer that tells of an error, by its class or the nearest class that has a code."""
    names = {kind: code for code, kind in CODES.items()}
    code = next((names[kind] for kind in type(error).__mro__ if kind in names), "engine_failed")
    pixels = error.pixels if isinstance(error, TooManyPixels) else 0
    return Answer(error=code, figure=pixels, fix=error.fix)


def heard(answer: Answer) -> OcrError:
    """The error that an answer tells of."""
    kind = CODES.get(answer.error, EngineFailed)
    if kind is TooManyPixels:
        return TooManyPixels("The picture has too many pixels.", pixels=answer.figure)
    if kind is NotPicture:
        return NotPicture("No picture can be decoded from the file.")
    what = "is not installed" if kind is NotInstalled else "failed"
    return kind(f"The text recognition engine {what}.", fix=answer.fix)
