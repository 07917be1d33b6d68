from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from clawdbot_voice import conversion


def word(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def model(arrays: dict[str, np.ndarray], version: int = 6) -> bytes:
    """A model.bin with these arrays of float32."""
    head = struct.pack("<I", version) + word("WhisperSpec") + struct.pack("<II", 3, len(arrays))
    for name, array in arrays.items():
        shape = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        head += word(name) + shape + struct.pack("<BI", 0, array.nbytes) + array.tobytes()
    return head


@pytest.mark.parametrize("data", [b"", b"junk" * 10, model({}), model({}, version=5)])
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(ValueError, match="this is no whisper model"):
        conversion.to_pt(tmp_path, tmp_path / "model.pt")
    assert not (tmp_path / "model.pt").exists()


def test_queries_keys_and_values_are_taken_apart() -> None:
    weight = np.arange(12, dtype=np.float32).reshape(6, 2)
    arrays = {"a/linear_0/weight": weight, "a/linear_0/bias": np.arange(6, dtype=np.float32)}
    found = dict(conversion._attention(arrays, "a", "b", ("query", "key", "value")))
    assert set(found) == {
        *("b.query.weight", "b.key.weight", "b.value.weight", "b.query.bias", "b.value.bias")
    }
    assert found["b.key.weight"].tolist() == [[4, 5], [6, 7]]
    assert found["b.value.bias"].tolist() == [4, 5]
