"""The API audio/transcriptions: the form that is sent, and its answer. No IO here."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from typing import Final

import msgspec

from clawdcore import Audio, Transcript

PATH: Final = "audio/transcriptions"
ENDINGS: Final = {"audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/mp4": ".m4a"}
"""Names that servers tell formats by; mimetypes has other ones for these."""


class _Spent(msgspec.Struct):
    seconds: float | None = None


class _Answer(msgspec.Struct):
    text: str
    language: str | None = None
    duration: float | None = None
    usage: _Spent | None = None


def form(audio: Audio, model: str, boundary: str) -> tuple[str, bytes]:
    """Content type and body (RFC 7578). ``boundary`` must not occur in the audio."""
    fields = {"model": model, "response_format": "json", "language": audio.language}
    parts = [_field(boundary, fields)]
    kind = audio.mime.partition(";")[0].strip()
    ending = ENDINGS.get(kind) or mimetypes.guess_extension(kind) or ""
    parts.append(
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="speech{ending}"\r\n'
        f"Content-Type: {kind}\r\n\r\n".encode()
    )
    parts += [audio.data, f"\r\n--{boundary}--\r\n".encode()]
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def _field(boundary: str, fields: Mapping[str, str]) -> bytes:
    return "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
        if value
    ).encode()


def decode(body: bytes) -> Transcript:
    """The answer of ``response_format`` json; vLLM tells the length as usage.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    answer = msgspec.json.decode(body, type=_Answer)
    spent = answer.usage.seconds if answer.usage is not None else None
    return Transcript(
        text=answer.text, language=answer.language or "", seconds=answer.duration or spent or 0.0
    )
