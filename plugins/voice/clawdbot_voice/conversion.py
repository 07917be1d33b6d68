"""Whisper weights of CTranslate2 (``model.bin``) as the ``.pt`` file of openai-whisper.

Both hold the same numbers: CTranslate2 has queries, keys and values in one matrix. The
layout of ``model.bin`` is that of its version 6 (OpenNMT/CTranslate2, ``model_spec.py``).
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

VERSION: Final = 6
TYPES: Final[dict[int, type[np.generic]]] = {
    0: np.float32,
    1: np.int8,
    2: np.int16,
    3: np.int32,
    4: np.float16,
}
"""CTranslate2's numbers of types."""
Array = NDArray[np.generic]
Named = Iterator[tuple[str, Array]]
HALVES: Final = {"weight": "gamma", "bias": "beta"}
"""What CTranslate2 calls the two vectors of a layer norm."""


def to_pt(folder: Path, target: Path) -> None:
    """Write ``target`` from ``folder/model.bin``, whose weights must not be quantized.

    Raises:
        ImportError: PyTorch is not installed.
        ValueError: the file is something else.
    """
    with (folder / "model.bin").open("rb") as file:
        try:
            arrays = dict(_variables(file))
            state = dict(_state(arrays))
        except (KeyError, struct.error) as error:
            raise ValueError("this is no whisper model of CTranslate2") from error
    torch: Any = importlib.import_module("torch")
    tensors = {name: torch.from_numpy(np.ascontiguousarray(each)) for name, each in state.items()}
    torch.save({"dims": _dims(arrays, state), "model_state_dict": tensors}, target)


def _variables(file: BinaryIO) -> Named:
    def number(layout: str) -> int:
        return int(struct.unpack(layout, file.read(struct.calcsize(layout)))[0])

    def word() -> str:
        return file.read(number("<H")).rstrip(b"\0").decode("ascii", "replace")

    if number("<I") != VERSION or word() != "WhisperSpec":
        raise ValueError("this is no whisper model of CTranslate2, version 6")
    number("<I")  # its revision
    for _ in range(number("<I")):
        name = word()
        shape = [number("<I") for _ in range(number("<B"))]
        kind = TYPES[number("<B")]
        yield name, np.frombuffer(file.read(number("<I")), dtype=kind).reshape(shape)


def _state(arrays: dict[str, Array]) -> Named:
    for side in ("encoder", "decoder"):
        yield f"{side}.positional_embedding", arrays[f"{side}/position_encodings/encodings"]
        for layer in range(_layers(arrays, side)):
            yield from _block(arrays, f"{side}/layer_{layer}", f"{side}.blocks.{layer}", side)
    yield "decoder.token_embedding.weight", arrays["decoder/embeddings/weight"]
    yield from _norm(arrays, "encoder/layer_norm", "encoder.ln_post")
    yield from _norm(arrays, "decoder/layer_norm", "decoder.ln")
    for name in ("conv1", "conv2"):
        yield from _linear(arrays, f"encoder/{name}", f"encoder.{name}")


def _block(arrays: dict[str, Array], old: str, new: str, side: str) -> Named:
    yield from _attention(arrays, f"{old}/self_attention", f"{new}.attn", ("query", "key", "value"))
    yield from _linear(arrays, f"{old}/self_attention/linear_1", f"{new}.attn.out")
    yield from _norm(arrays, f"{old}/self_attention/layer_norm", f"{new}.attn_ln")
    if side == "decoder":
        cross = f"{old}/attention"
        yield from _linear(arrays, f"{cross}/linear_0", f"{new}.cross_attn.query")
        yield from _attention(arrays, cross, f"{new}.cross_attn", ("key", "value"), "linear_1")
        yield from _linear(arrays, f"{cross}/linear_2", f"{new}.cross_attn.out")
        yield from _norm(arrays, f"{cross}/layer_norm", f"{new}.cross_attn_ln")
    yield from _linear(arrays, f"{old}/ffn/linear_0", f"{new}.mlp.0")
    yield from _linear(arrays, f"{old}/ffn/linear_1", f"{new}.mlp.2")
    yield from _norm(arrays, f"{old}/ffn/layer_norm", f"{new}.mlp_ln")


def _attention(
    arrays: dict[str, Array], old: str, new: str, roles: tuple[str, ...], name: str = "linear_0"
) -> Named:
    for half in ("weight", "bias"):
        parts = np.split(arrays[f"{old}/{name}/{half}"], len(roles))
        for role, part in zip(roles, parts, strict=True):
            if (role, half) != ("key", "bias"):  # openai-whisper has none; here it is zeros
                yield f"{new}.{role}.{half}", part


def _linear(arrays: dict[str, Array], old: str, new: str) -> Named:
    for half in ("weight", "bias"):
        yield f"{new}.{half}", arrays[f"{old}/{half}"]


def _norm(arrays: dict[str, Array], old: str, new: str) -> Named:
    for half, name in HALVES.items():
        yield f"{new}.{half}", arrays[f"{old}/{name}"]


def _layers(arrays: dict[str, Array], side: str) -> int:
    return len({name.split("/")[1] for name in arrays if name.startswith(f"{side}/layer_")} - NORM)


NORM: Final = {"layer_norm"}


def _dims(arrays: dict[str, Array], state: dict[str, Array]) -> dict[str, int]:
    vocabulary, width = state["decoder.token_embedding.weight"].shape
    return {
        "n_mels": state["encoder.conv1.weight"].shape[1],
        "n_audio_ctx": state["encoder.positional_embedding"].shape[0],
        "n_audio_state": state["encoder.conv1.weight"].shape[0],
        "n_audio_head": int(arrays["encoder/num_heads"]),
        "n_audio_layer": _layers(arrays, "encoder"),
        "n_vocab": vocabulary,
        "n_text_ctx": state["decoder.positional_embedding"].shape[0],
        "n_text_state": width,
        "n_text_head": int(arrays["decoder/num_heads"]),
        "n_text_layer": _layers(arrays, "decoder"),
    }
