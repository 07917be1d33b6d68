"""How many words voice engines get wrong, and how long they take, on speech of espeak-ng.

``python -m bench.quality_parts.voice`` prints a table. What is not installed is left out,
and says so.
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

from clawdbot_voice.choosing import local
from clawdbot_voice.decoding import RATE, decode
from clawdbot_voice.engines import Engine
from clawdbot_voice.failures import NoSpeech
from clawdbot_voice.fetch import fetch
from clawdbot_voice.options import VoiceOptions
from clawdbot_voice.speech import Recording
from clawdbot_voice.weights import Kind, models_folder
from clawdcore import ClawdBotError

KINDS: Final[tuple[Kind, ...]] = ("faster-whisper", "openai-whisper")
SENTENCES: Final = {
    "en": (
        "Good morning. The meeting starts in the big room on the second floor.",
        "Can you please buy milk, bread and two bottles of water on your way home?",
        "The train to the airport was late because of the heavy rain last night.",
        "I will call you back tomorrow after lunch, when I know more about the price.",
        "My sister lives in a small house near the river with her three children.",
    ),
    "es": (
        "Buenos días. La reunión empieza en la sala grande del segundo piso.",
        "¿Puedes comprar leche, pan y dos botellas de agua de camino a casa?",
        "El tren al aeropuerto llegó tarde por la fuerte lluvia de anoche.",
        "Te llamo mañana después de comer, cuando sepa más sobre el precio.",
        "Mi hermana vive en una casa pequeña cerca del río con sus tres hijos.",
    ),
}
VOICES: Final = {"en": "en-us", "es": "es"}
SPEED: Final = 145
"""Words a minute, as people speak."""


def figures() -> dict[str, float]:
    """``wer_ENGINE_LANGUAGE`` (0 is perfect) and ``rtf_ENGINE`` (seconds a second of speech)."""
    command = shutil.which("espeak-ng")
    if command is None:
        print("voice: left out, espeak-ng is not installed (apt install espeak-ng)")
        return {}
    spoken = {
        language: [_spoken(command, VOICES[language], text) for text in texts]
        for language, texts in SENTENCES.items()
    }
    found: dict[str, float] = {}
    print(f"{'engine':<16}{'WER en':>8}{'WER es':>8}{'real time':>11}")
    for kind in KINDS:
        try:
            found |= _of(kind, spoken)
        except ClawdBotError as error:
            print(f"{kind:<16}  left out: {error}")
    return found


def _of(kind: Kind, spoken: dict[str, list[bytes]]) -> dict[str, float]:
    name = kind.replace("-", "_")
    if kind == "openai-whisper" and importlib.util.find_spec("whisper") is None:
        print(f"{kind:<16}  left out: it is not installed here")
        return {}
    path = fetch(kind, "base", models_folder())
    options = VoiceOptions.model_validate({"engines": [kind], "modelPath": str(path)})
    every = [data for recordings in spoken.values() for data in recordings]
    texts, took = asyncio.run(_heard(local(kind, options), every))
    found: dict[str, float] = {}
    for language, sentences in SENTENCES.items():
        mine, texts = texts[: len(sentences)], texts[len(sentences) :]
        found[f"wer_{name}_{language}"] = word_error_rate(sentences, mine)
    length = sum(len(decode(data, most=60)) / RATE for data in every)
    found[f"rtf_{name}"] = took / length
    print(kind.ljust(16) + "".join(f"{value:8.2f}" for value in found.values()))
    return found


async def _heard(made: Engine, recordings: Sequence[bytes]) -> tuple[list[str], float]:
    """The texts, and the seconds that all took, loading the model left out."""
    try:
        await _text(made, recordings[0])
        began = time.perf_counter()
        texts = [await _text(made, data) for data in recordings]
        return texts, time.perf_counter() - began
    finally:
        await made.close()


async def _text(made: Engine, data: bytes) -> str:
    try:
        async with aclosing(made.listen(Recording(data, "audio/wav"))) as pieces:
            return " ".join([piece.text async for piece in pieces])
    except NoSpeech:
        return ""


def _spoken(command: str, voice: str, text: str) -> bytes:
    arguments = [command, "-v", voice, "-s", str(SPEED), "--stdout", text]
    done = subprocess.run(arguments, capture_output=True, check=True)
    return done.stdout


def word_error_rate(wanted: Sequence[str], got: Sequence[str]) -> float:
    """Words put in, left out and changed, over the words wanted, of all texts together."""
    pairs = [(_words(one), _words(other)) for one, other in zip(wanted, got, strict=True)]
    return sum(_distance(one, other) for one, other in pairs) / sum(len(one) for one, _ in pairs)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    row = list(range(len(other) + 1))
    for i, word in enumerate(one, 1):
        before, row = row, [i]
        for j, each in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != each)))
    return row[-1]


if __name__ == "__main__":
    figures()
