"""What can go wrong while a model is fetched."""

from __future__ import annotations

from clawdcore import ModelFileMissing


class DownloadCorrupt(ModelFileMissing):
    """What was downloaded is not what the catalogue pins, twice in a row."""


class DownloadStopped(Exception):
    """The caller asked to stop; what was downloaded stays for the next time."""


class SourceFailed(Exception):
    """One source can't give the file; the next is tried. The text says why."""


class Mismatch(SourceFailed):
    """A source gave other bytes than the pinned ones; they were removed."""
