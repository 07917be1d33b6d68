from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawdbot_voice.decoding import RATE, decode
from clawdbot_voice.failures import NotAudio, TooLong


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("ogg", "libopus", 48_000),
        ("mp3", "libmp3lame", 44_100),
        ("wav", "pcm_s16le", 8_000),
        ("flac", "flac", 48_000),
        ("mp4", "aac", 44_100),
    ],
)
def test_files_of_every_usual_kind_become_16_khz(
    container: str, codec: str, rate: int, sounds: Any
) -> None:
    file = sounds.file(sounds.tone(2), container=container, codec=codec, rate=rate)
    samples = decode(file, most=10)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(2 * RATE, rel=0.1)
    assert 0.2 < np.abs(samples).max() < 0.5


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 5000, b"OggS" + b"\xff" * 500, b"<html>not found</html>" * 50],
    ids=["empty", "zeros", "ogg's name only", "text"],
)
def test_what_is_no_sound_is_told_as_such(data: bytes) -> None:
    with pytest.raises(NotAudio):
        decode(data, most=10)


def test_a_film_without_sound_and_a_head_without_a_body_are_no_sound(sounds: Any) -> None:
    for data in (sounds.silent_film(), sounds.voice(1)[:40]):
        with pytest.raises(NotAudio):
            decode(data, most=10)


def test_a_truncated_file_gives_what_is_there(sounds: Any) -> None:
    whole = sounds.voice(8)
    samples = decode(whole[: len(whole) // 2], most=10)
    assert 2 * RATE < len(samples) < 7 * RATE


def test_too_long_a_recording_is_refused_by_what_it_says_of_itself(sounds: Any) -> None:
    with pytest.raises(TooLong) as caught:
        decode(sounds.voice(5), most=3)
    assert caught.value.seconds == pytest.approx(5, abs=0.2)


def test_too_long_a_recording_is_refused_whatever_it_says_of_itself(sounds: Any) -> None:
    # A stream of frames says nothing of its length.
    with pytest.raises(TooLong):
        decode(sounds.file(sounds.tone(5), container="adts", codec="aac", rate=44_100), most=3)


def test_a_playlist_opens_no_other_file(tmp_path: Path, sounds: Any) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(sounds.file(sounds.tone(1), container="wav", codec="pcm_s16le"))
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{other}\n#EXT-X-ENDLIST\n"
    for playlist in (hls, f"ffconcat version 1.0\nfile '{other}'\n"):
        with pytest.raises(NotAudio):
            decode(playlist.encode(), most=10)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_file_gives_sound_or_a_reason(data: st.DataObject, sounds: Any) -> None:
    damaged = bytearray(sounds.voice(1))
    for _ in range(data.draw(st.integers(1, 20))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        samples = decode(bytes(damaged), most=10)
    except (NotAudio, TooLong):
        return
    assert 0 < len(samples) <= 11 * RATE
    assert np.isfinite(samples).all()
