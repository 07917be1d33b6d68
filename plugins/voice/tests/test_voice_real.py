"""The real model on speech of espeak-ng; `python -m clawdbot_voice` fetches it."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable
from difflib import SequenceMatcher
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import pytest

from clawdbot_voice import Voice
from clawdbot_voice.choosing import local
from clawdbot_voice.failures import NoSpeech
from clawdbot_voice.fetch import fetch
from clawdbot_voice.options import VoiceOptions
from clawdbot_voice.speech import Recording
from clawdbot_voice.weights import Kind, models_folder
from clawdcore import ClawdBotError
from clawdcore.testing import Harness

pytestmark = pytest.mark.real
LIMIT = 600.0
"""Seconds after which a test fails; a recording takes one to ten."""
ENGLISH = "Good morning. The meeting starts in the big room. Please bring a cup of coffee."
STORY = (
    "In the morning my grandmother walks to the market and buys fresh apples for the children.",
    "After breakfast we take the yellow bus to the museum in the middle of the old town.",
    "There is a big elephant made of stone at the entrance, and everybody takes a picture of it.",
    "At noon we sit down in the garden behind the building and eat our sandwiches.",
    "My brother plays the guitar while the other visitors listen and drink cold lemonade.",
    "Then it begins to rain, so we run to the library, where it is warm and quiet.",
    "I read a book about a captain who sails around the world with seven friends.",
    "In the evening we go to the theater and see a funny play about a doctor.",
    "On the way home we buy chocolate for our mother, because tomorrow is her birthday.",
    "Before I go to sleep I open the window and look at the moon above the mountains.",
)
KEYS = (
    *("grandmother", "museum", "elephant", "garden", "guitar"),
    *("library", "captain", "theater", "chocolate", "window"),
)
"""A word of each sentence that is nowhere else."""
SPANISH = "Buenos días. La reunión empieza en la sala grande. Muchas gracias y hasta mañana."


@pytest.fixture(scope="module")
def speak(sounds: Any) -> Callable[[str, str], bytes]:
    """``speak("es", "Hola")``: a voice message (ogg/opus)."""
    command = shutil.which("espeak-ng")
    if command is None:
        pytest.skip("espeak-ng is not installed (apt install espeak-ng)")

    def spoken(voice: str, text: str) -> bytes:
        done = subprocess.run(
            [command, "-v", voice, "-s", "145", "--stdout", text], capture_output=True, check=True
        )
        with av.open(BytesIO(done.stdout)) as container:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
            frames = [
                each for frame in container.decode(audio=0) for each in resampler.resample(frame)
            ]
        samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
        return bytes(sounds.file(samples))

    return spoken


@pytest.fixture(scope="module", params=get_args(Kind))
def options(request: pytest.FixtureRequest) -> VoiceOptions:
    """Options of one engine whose model is here."""
    kind: Kind = request.param
    if kind == "openai-whisper" and importlib.util.find_spec("whisper") is None:
        pytest.skip("openai-whisper is not installed: PyTorch needs an environment of its own")
    try:
        path = fetch(kind, "base", models_folder())
    except ClawdBotError as error:
        pytest.skip(f"no speech model: {error}")
    return VoiceOptions.model_validate({"engines": [kind], "modelPath": str(path)})


def listened(options: VoiceOptions, *recordings: bytes) -> list[tuple[str, str]]:
    """Language and text of each recording, "" where nobody speaks; one engine hears all."""

    async def work() -> list[tuple[str, str]]:
        made = local(kind_of(options), options)
        found = []
        try:
            async with asyncio.timeout(LIMIT):
                for data in recordings:
                    try:
                        pieces = [piece async for piece in made.listen(Recording(data))]
                        words = " ".join(piece.text for piece in pieces)
                        found.append((pieces[0].language, words))
                    except NoSpeech:
                        found.append(("", ""))
        finally:
            await made.close()
        return found

    return asyncio.run(work())


def kind_of(options: VoiceOptions) -> Kind:
    """The one engine of the options."""
    (name,) = options.engines
    assert name != "server"
    return name


def likeness(text: str, spoken: str) -> float:
    """How much of the words is the same, 0 to 1."""
    return SequenceMatcher(None, _words(text), _words(spoken)).ratio()


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def test_english_and_spanish_are_told_apart_and_written_down(
    options: VoiceOptions, speak: Callable[[str, str], bytes]
) -> None:
    english, spanish = listened(options, speak("en-us", ENGLISH), speak("es", SPANISH))
    assert english[0] == "en"
    assert spanish[0] == "es"
    assert likeness(english[1], ENGLISH) > 0.8
    assert likeness(spanish[1], SPANISH) > 0.6


def test_silence_noise_and_music_become_no_words(options: VoiceOptions, sounds: Any) -> None:
    generator = np.random.default_rng(7)
    noise = (generator.standard_normal(15 * 48_000) * 0.1).astype(np.float32)
    chord = sum(sounds.tone(15, loud=0.1, pitch=pitch) for pitch in (220.0, 277.2, 329.6))
    melody = np.concatenate([sounds.tone(0.4, pitch=p) for p in (262, 294, 330, 349, 392) * 6])
    files = [sounds.file(each) for each in (sounds.tone(15, loud=0), noise, chord, melody)]
    files.append(sounds.voice(15))
    assert listened(options, *files) == [("", "")] * 5


def test_long_speech_with_pauses_keeps_its_order(
    options: VoiceOptions, speak: Callable[[str, str], bytes]
) -> None:
    parts = [f"This is part number {number}. {ENGLISH}" for number in ("one", "two", "three")]
    (found,) = listened(options, speak("en-us", " ... ".join(parts * 2)))
    places = [found[1].casefold().find(f"number {number}") for number in ("one", "two", "three")]
    assert -1 not in places
    assert places == sorted(places)


def test_minutes_of_speech_become_one_message_without_lost_or_doubled_sentences(
    options: VoiceOptions, speak: Callable[[str, str], bytes]
) -> None:
    if kind_of(options) != "faster-whisper":
        pytest.skip("minutes of speech take openai-whisper too long for a test")
    data = speak("en-us", " ".join(STORY * 3))
    asked = options.model_copy(update={"threads": 1}).model_dump(by_alias=True, mode="json")
    config = {"plugins": [{"name": "voice", "options": asked}]}
    with Harness([Voice()], config=config, network=True) as bot:
        assert not bot.report.disabled
        said = bot.say(voice=data)
        assert len(bot.sent) == 1
    heading, _, text = said.partition("\n\n")
    minutes, _, seconds = heading.removeprefix("🎙 English · ").partition(":")
    assert 60 * int(minutes) + int(seconds) >= 140
    assert likeness(text, " ".join(STORY * 3)) > 0.85
    heard = [sentence for word in _words(text) for sentence, key in enumerate(KEYS) if word == key]
    assert heard == [*range(len(KEYS))] * 3


def test_nothing_is_written_to_the_disk(
    options: VoiceOptions,
    speak: Callable[[str, str], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    listened(options, speak("en-us", ENGLISH))
    assert list(tmp_path.iterdir()) == []
