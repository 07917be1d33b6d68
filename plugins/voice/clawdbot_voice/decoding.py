"""Sound from the bytes of a file, in memory: 16,000 samples a second, one channel.

Runs in the engine's process: the files are strangers', and the decoders native code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from numpy.typing import NDArray

from .failures import NotAudio, TooLong

RATE: Final = 16_000
"""Samples a second, as whisper models take them."""
Samples = NDArray[np.float32]

FORMATS: Final = (
    "ogg,mp3,mov,mp4,m4a,3gp,matroska,webm,wav,w64,flac,aac,amr,amrnb,amrwb,aiff,caf,asf,avi,ac3,au"
)
"""Containers that are opened. Playlists and lists of files are not among them: those name
other files and addresses, which would be opened too."""
BROKEN: Final = (av.error.FFmpegError, ValueError, IndexError, EOFError, OverflowError)
"""What PyAV raises for files that it can't make sense of."""


def decode(data: bytes, *, most: float) -> Samples:
    """The sound of the first audio stream, between -1 and 1.

    A file that ends too early gives what is there of it.

    Raises:
        NotAudio: there is no sound in it that can be decoded.
        TooLong: it lasts longer than ``most`` seconds.
    """
    if not data:
        raise NotAudio("The file is empty.")
    try:
        container = av.open(
            BytesIO(data),
            mode="r",
            options={"format_whitelist": FORMATS, "protocol_whitelist": "none"},
            metadata_errors="ignore",
        )
    except BROKEN as error:
        raise NotAudio("The file is no sound that can be decoded.") from error
    with closing(container):
        if not container.streams.audio:
            raise NotAudio("There is no sound in the file.")
        told = (container.duration or 0) / av.time_base
        if told > most:
            raise TooLong("The recording is too long.", seconds=told)
        return _samples(container, most)


def _samples(container: InputContainer, most: float) -> Samples:
    parts: list[Samples] = []
    count = 0
    for part in _resampled(container):
        parts.append(part)
        count += len(part)
        if count > most * RATE:  # whatever the file said of itself
            raise TooLong("The recording is too long.")
    if not count:
        raise NotAudio("No sound of the file can be decoded.")
    return np.nan_to_num(np.concatenate(parts), posinf=0.0, neginf=0.0)


def _resampled(container: InputContainer) -> Iterator[Samples]:
    resampler: AudioResampler | None = None
    shape: tuple[str, str, int] | None = None
    for frame in _frames(container):
        found = (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or found != shape:  # a stream may change in its middle
            if resampler is not None:
                yield from _arrays(resampler, None)
            resampler, shape = AudioResampler(format="flt", layout="mono", rate=RATE), found
        frame.pts = None
        yield from _arrays(resampler, frame)
    if resampler is not None:
        yield from _arrays(resampler, None)


def _arrays(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Samples]:
    try:
        frames = resampler.resample(frame)
    except BROKEN:
        return
    for each in frames:
        yield each.to_ndarray().reshape(-1).astype(np.float32, copy=False)


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """What can be decoded; damaged packets are passed over."""
    packets = container.demux(container.streams.audio[0])
    while True:
        try:
            packet = next(packets, None)
        except BROKEN:  # the file ends or is damaged here
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except BROKEN:
            continue
        for frame in frames:
            if isinstance(frame, AudioFrame):
                yield frame
