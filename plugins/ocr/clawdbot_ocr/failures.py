"""Why a picture was not read. No text here quotes anything of it.

::

    OcrError
    ├── Unreadable          the picture is to blame; another engine would not help
    │   ├── NotPicture      no picture can be decoded from the file
    │   ├── NoText          it has no text
    │   ├── TooManyPixels   it has more pixels than are taken (``pixels``)
    │   └── TooLarge        it has more bytes than are taken (``size``)
    └── EngineFailed        the engine is to blame; the next one is asked
        ├── NotInstalled    the engine's program, package or language data is not here
        ├── EngineCrashed   its process died
        ├── EngineSlow      it took longer than it may
        └── EngineBusy      it has more pictures in line than it takes
"""

from __future__ import annotations

from clawdcore import ClawdBotError


class OcrError(ClawdBotError):
    """A picture was not read."""


class Unreadable(OcrError):
    """The picture is to blame."""


class NotPicture(Unreadable):
    """No picture can be decoded from the file: empty, damaged, or something else."""


class NoText(Unreadable):
    """It has no text, as far as can be seen."""


class TooManyPixels(Unreadable):
    """It has ``pixels`` (width x height, of one page), which is more than is taken."""

    def __init__(self, what: str, *, pixels: int) -> None:
        super().__init__(what)
        self.pixels = pixels


class TooLarge(Unreadable):
    """It has ``size`` bytes, which is more than is taken."""

    def __init__(self, what: str, *, size: int) -> None:
        super().__init__(what)
        self.size = size


class EngineFailed(OcrError):
    """The engine is to blame."""


class NotInstalled(EngineFailed):
    """The engine's program, package or language data is not here."""


class EngineCrashed(EngineFailed):
    """Its process died, by a crash of native code or a signal."""


class EngineSlow(EngineFailed):
    """It took longer than it may."""


class EngineBusy(EngineFailed):
    """It has more pictures in line than it takes."""
