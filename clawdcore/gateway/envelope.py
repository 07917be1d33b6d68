"""What the gateway must know of a call's body; the rest of it goes on unread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec

from .problems import Problem, wrong_json

MOST_TOKENS: Final = 1 << 24
"""Generated tokens that may be asked for; beyond every model, and below any overflow."""
PICTURE_TOKENS: Final = 1000
"""What a picture counts for, whatever its bytes: vision models make 250 to 1,600 of one."""
BYTES_PER_TOKEN: Final = 4
"""Of JSON around English text; other scripts have fewer characters a token, and more bytes."""

Tokens = Annotated[int, msgspec.Meta(ge=1, le=MOST_TOKENS)]


class Envelope(msgspec.Struct, frozen=True):
    """The fields that decide where a call goes, and how much it takes."""

    model: str
    stream: bool | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    user: str | None = None
    priority: msgspec.Raw = msgspec.Raw()

    @property
    def output_tokens(self) -> int:
        """The most that may come out, 0 where nobody said."""
        most = self.max_output_tokens or self.max_completion_tokens or self.max_tokens or 0
        return most * (self.n or 1)


_DECODER: Final = msgspec.json.Decoder(Envelope)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SPOKEN: Final = ("messages", "input")


def open_envelope(body: bytes) -> Envelope:
    """Read the envelope of a body.

    Raises:
        Problem: 400, saying where it is wrong.
    """
    try:
        envelope = _DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise wrong_json(error) from None
    if not envelope.model:
        raise Problem(
            400,
            "model is empty; GET /v1/models lists what is served.",
            code="invalid_value",
            param="model",
        )
    return envelope


def readdressed(body: bytes, envelope: Envelope, model: str) -> bytes:
    """The body for the server's own name of the model; the same one where nothing differs.

    ``priority`` is taken out: it is the queue's to give, not the caller's.
    """
    if envelope.model == model and not envelope.priority:
        return body
    fields = _FIELDS.decode(body)
    fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    fields.pop("priority", None)
    return msgspec.json.encode(fields)


def prompt_tokens(body: bytes) -> int:
    """About how many tokens go in; a picture counts as a picture, not by its bytes.

    Raises:
        Problem: 400, for a picture or file that would have to be fetched.
    """
    # A name may be written with escapes, and then only a full reading finds it.
    if b"_url" not in body and b"\\u" not in body:
        return len(body) // BYTES_PER_TOKEN
    pictures = size = 0
    for where, url in _urls(body):
        if not url.startswith("data:"):
            raise Problem(
                400,
                f"{where} is not a data URL; nothing is fetched here. "
                "Send the bytes as data:image/…;base64,…",
                code="invalid_value",
                param=where,
            )
        pictures += 1
        size += len(url)
    return max(0, len(body) - size) // BYTES_PER_TOKEN + pictures * PICTURE_TOKENS


def _urls(body: bytes) -> Iterator[tuple[str, str]]:
    """Each URL in what is said, with the path of its field."""
    try:
        whole: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise wrong_json(error) from None
    waiting: list[tuple[str, Any]] = [(name, whole.get(name)) for name in _SPOKEN]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(f"{where}[{index}]", each) for index, each in enumerate(value)]
        elif isinstance(value, dict):
            for name, each in value.items():
                if not name.endswith("_url"):
                    # Only our own words may be quoted: other names are the caller's.
                    known = name in ("content", "output")
                    waiting.append((f"{where}.{name}" if known else where, each))
                    continue
                url = each.get("url") if isinstance(each, dict) else each
                if isinstance(url, str):
                    yield f"{where}.{name}" if name == "image_url" else where, url
