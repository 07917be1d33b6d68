"""How many words voice engines get wrong, and how long they take, on speech of espeak-ng.

``python -m bench.quality_parts.voice`` prints a table. openai-whisper is measured in the
environment that tools/whisper/install makes, where this one has none. What is not installed is
left out, and says so.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
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
VOICES: Final = {"en-us": "en", "es": "es", "es-419": "es"}
"""espeak-ng's voices, and the language of each: Spanish of Spain and of Latin America."""
SPEED: Final = 145
"""Words a minute, as people speak."""
APART: Final = Path(__file__).resolve().parents[2] / ".venv" / "whisper" / "bin" / "python"
"""The Python of the environment that tools/whisper/install makes."""
MOST: Final = 420.0
"""Seconds for the figures of another environment; they take one minute."""


class LeftOut(Exception):
    """An engine can't be measured here; the text says why."""


def figures(kinds: Sequence[Kind] = KINDS) -> dict[str, float]:
    """``wer_ENGINE_VOICE`` (0 is perfect) and ``rtf_ENGINE`` (seconds a second of speech)."""
    if shutil.which("espeak-ng") is None:
        print("voice: left out, espeak-ng is not installed (apt install espeak-ng)")
        return {}
    found: dict[str, float] = {}
    titles = "".join(f"{f'WER {voice}':>12}" for voice in VOICES)
    print(f"{'engine':<16}{titles}{'real time':>12}")
    for kind in kinds:
        try:
            mine = _of(kind) if _here(kind) else elsewhere(kind)
        except (ClawdBotError, LeftOut) as error:
            print(f"{kind:<16}  left out: {error}", flush=True)
            continue
        print(kind.ljust(16) + "".join(f"{each:12.2f}" for each in mine.values()), flush=True)
        found |= mine
    return found


def _here(kind: Kind) -> bool:
    return kind != "openai-whisper" or importlib.util.find_spec("whisper") is not None


def elsewhere(kind: Kind, python: Path = APART) -> dict[str, float]:
    """The figures of an engine, measured by another environment's Python.

    Raises:
        LeftOut: there is no such environment, or it can't measure it.
    """
    if not python.is_file():
        raise LeftOut(
            "neither this environment nor .venv/whisper has it; run tools/whisper/install"
        )
    command = [str(python), str(Path(__file__).resolve()), "--json", "--only", kind]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MOST)
    except subprocess.TimeoutExpired:
        raise LeftOut(f".venv/whisper did not measure it within {MOST:g} s") from None
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise LeftOut(f".venv/whisper failed (exit {done.returncode}); run tools/whisper/install")
    found: dict[str, float] = json.loads(lines[-1])
    if not found:
        raise LeftOut(lines[-2].partition("left out: ")[2] if len(lines) > 1 else "no figures")
    return found


def _of(kind: Kind) -> dict[str, float]:
    name = kind.replace("-", "_")
    path = fetch(kind, "base", models_folder())
    options = VoiceOptions.model_validate({"engines": [kind], "modelPath": str(path)})
    spoken = {
        voice: [_spoken(voice, text) for text in SENTENCES[language]]
        for voice, language in VOICES.items()
    }
    every = [data for recordings in spoken.values() for data in recordings]
    texts, took = asyncio.run(_heard(local(kind, options), every))
    found = {f"wer_{name}_{voice.replace('-', '_')}": rate for voice, rate in _rates(texts).items()}
    length = sum(len(decode(data, most=60)) / RATE for data in every)
    return {**found, f"rtf_{name}": took / length}


def _rates(texts: Sequence[str]) -> Mapping[str, float]:
    """The word error rate of each voice; ``texts`` are those of all voices, one by one."""
    rates: dict[str, float] = {}
    at = 0
    for voice, language in VOICES.items():
        wanted = SENTENCES[language]
        rates[voice] = word_error_rate(wanted, texts[at : at + len(wanted)])
        at += len(wanted)
    return rates


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


def _spoken(voice: str, text: str) -> bytes:
    arguments = ["espeak-ng", "-v", voice, "-s", str(SPEED), "--stdout", text]
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


def main() -> None:
    """Print the table; with ``--json`` a last line of figures for other programs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = figures(given.only)
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
