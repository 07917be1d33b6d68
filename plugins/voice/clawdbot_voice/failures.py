"""Why a recording was not written down. No text here quotes anything of it.

::

    VoiceError
    ├── Unhearable          the recording is to blame; another engine would not help
    │   ├── NotAudio        no sound can be decoded from the file
    │   ├── NoSpeech        nobody speaks in it
    │   ├── TooLong         it lasts longer than is taken (``seconds``)
    │   └── TooLarge        it has more bytes than are taken (``size``)
    └── EngineFailed        the engine is to blame; the next one is asked
        ├── WeightsMissing  the model is not on this machine
        ├── NotInstalled    the engine's package is not
        ├── EngineCrashed   its process died
        ├── EngineSlow      it gave no sign of life in its time
        ├── EngineBusy      it has more recordings in line than it takes
        └── FileRefused     a server takes no such request: its settings, or the recording
"""

from __future__ import annotations

from typing import Final

from clawdcore import ClawdBotError


class VoiceError(ClawdBotError):
    """A recording was not written down."""


class Unhearable(VoiceError):
    """The recording is to blame."""


class NotAudio(Unhearable):
    """No sound can be decoded from the file: empty, damaged, or something else."""


class NoSpeech(Unhearable):
    """Nobody speaks in it, as far as can be heard."""


class TooLong(Unhearable):
    """It lasts ``seconds``, which is more than is taken; 0 where only that is known."""

    def __init__(self, what: str, *, seconds: float = 0.0) -> None:
        super().__init__(what)
        self.seconds = seconds


class TooLarge(Unhearable):
    """It has ``size`` bytes, which is more than is taken."""

    def __init__(self, what: str, *, size: int) -> None:
        super().__init__(what)
        self.size = size


class EngineFailed(VoiceError):
    """The engine is to blame."""


class WeightsMissing(EngineFailed):
    """The model is not on this machine."""


class NotInstalled(EngineFailed):
    """The engine's package is not installed."""


class EngineCrashed(EngineFailed):
    """Its process died, by a crash of native code or a signal."""


class EngineSlow(EngineFailed):
    """It gave no sign of life in its time."""


class EngineBusy(EngineFailed):
    """It has more recordings in line than it takes."""


class FileRefused(EngineFailed):
    """A server takes no such request, and doesn't say whether the file is to blame.

    Servers answer alike (400, 415, 422) for a damaged file, a model that they don't have,
    and a field that they don't know. So the next engine is asked; what all engines refuse
    is :class:`NotAudio`.
    """


CODES: Final[dict[str, type[VoiceError]]] = {
    "not_audio": NotAudio,
    "no_speech": NoSpeech,
    "too_long": TooLong,
    "weights_missing": WeightsMissing,
    "not_installed": NotInstalled,
    "engine_failed": EngineFailed,
}
"""What the engine's process calls the errors that it tells of."""


def code_of(error: VoiceError) -> str:
    """The code of an error's class, or of the nearest class above it that has one."""
    names = {kind: code for code, kind in CODES.items()}
    return next((names[kind] for kind in type(error).__mro__ if kind in names), "engine_failed")
