"""Files with sound, engines whose process hears without a model, and a bot with the plugin."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, aclosing
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from clawdbot_voice import Voice
from clawdbot_voice.engines import Engine, Engines
from clawdbot_voice.local import LocalEngine
from clawdbot_voice.speech import Heard, Recording
from clawdbot_voice.wire import Setup
from clawdcore.testing import Harness

HERE = Path(__file__).parent
RATE = 48_000
Sound = NDArray[np.float32]


class Sounds:
    """Makes sounds, and files of them with PyAV."""

    @staticmethod
    def tone(seconds: float, *, loud: float = 0.3, pitch: float = 440.0) -> Sound:
        """A sine; ``loud`` 0 for silence."""
        time = np.arange(round(seconds * RATE)) / RATE
        return (loud * np.sin(2 * np.pi * pitch * time)).astype(np.float32)

    @staticmethod
    def file(
        samples: Sound, *, container: str = "ogg", codec: str = "libopus", rate: int = RATE
    ) -> bytes:
        """A file of one channel, as Telegram's voice messages are unless said otherwise."""
        target = BytesIO()
        with av.open(target, "w", format=container) as output:
            stream: Any = output.add_stream(codec, rate=rate)
            stream.layout = "mono"
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="fltp", layout="mono")
            frame.sample_rate = RATE
            resampler = av.AudioResampler(
                format=stream.format.name,
                layout="mono",
                rate=rate,
                frame_size=stream.codec_context.frame_size or None,
            )
            for each in (*resampler.resample(frame), *resampler.resample(None)):
                output.mux(stream.encode(each))
            output.mux(stream.encode(None))
        return target.getvalue()

    def voice(self, seconds: float, *, loud: float = 0.3) -> bytes:
        """A voice message: a tone of so many seconds."""
        return self.file(self.tone(seconds, loud=loud))

    @staticmethod
    def silent_film() -> bytes:
        """A video without sound."""
        target = BytesIO()
        with av.open(target, "w", format="mp4") as output:
            stream: Any = output.add_stream("mpeg4", rate=10)
            stream.width = stream.height = 32
            stream.pix_fmt = "yuv420p"
            for _ in range(5):
                picture = np.zeros((32, 32, 3), np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            output.mux(stream.encode(None))
        return target.getvalue()


@pytest.fixture(scope="session")
def sounds() -> Sounds:
    """Sounds and files of them."""
    return Sounds()


@pytest.fixture
def make_engine() -> Callable[..., LocalEngine]:
    """``make_engine("hangs", line=0)``: a real process, with a recogniser of its own.

    How that behaves: see voice_recogniser.py. To be made where a loop runs, and closed.
    """

    def make(behaviour: str = "hears", **given: Any) -> LocalEngine:
        bounds: dict[str, Any] = {"line": 8, "most": 60.0, "patience": 60.0, "idle": 600.0}
        setup = Setup("voice_recogniser:Fake", behaviour)
        env = {"PYTHONPATH": str(HERE)}
        return LocalEngine("fake", lambda: setup, env=env, **(bounds | given))

    return make


class FakeEngine:
    """Hears what a test says; an error in the list is raised."""

    def __init__(self, *pieces: Heard | Exception, name: str = "fake") -> None:
        self.name = name
        self.pieces = list(pieces)
        self.recordings: list[Recording] = []
        self.left = 0
        self.closed = False

    async def listen(self, recording: Recording) -> AsyncGenerator[Heard, None]:
        """As :meth:`Engine.listen`."""
        self.recordings.append(recording)
        whole = False
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
            whole = True
        finally:
            self.left += not whole

    async def close(self) -> None:
        """As :meth:`Engine.close`."""
        self.closed = True


@pytest.fixture
def fake_engine() -> type[FakeEngine]:
    """``fake_engine(Heard("Hello", "en", 1, 1))``."""
    return FakeEngine


async def heard(engine: Engine | Engines, recording: Recording) -> list[Heard]:
    """All that an engine hears."""
    async with aclosing(engine.listen(recording)) as pieces:
        return [piece async for piece in pieces]


@pytest.fixture
def hear() -> Callable[..., Any]:
    """``await hear(engine, recording)``: all pieces."""
    return heard


class Bot(Harness):
    """A harness with the plugin, its options, and engines that tests make up."""

    def __init__(self, options: dict[str, Any], engines: list[FakeEngine], **others: Any) -> None:
        self.voice = Voice(engine=lambda name, options, context: engines[0])
        super().__init__(
            [*others.pop("before", ()), self.voice, *others.pop("after", ())],
            config={"plugins": [{"name": "voice", "options": options}]},
            **others,
        )


@pytest.fixture
def make_bot() -> Iterator[Callable[..., Bot]]:
    """``make_bot(engine, auto=False)``: a bot whose only engine is ``engine``."""
    with ExitStack() as stack:

        def make(engine: FakeEngine, others: dict[str, Any] | None = None, **options: Any) -> Bot:
            bot = stack.enter_context(Bot(options, [engine], **(others or {})))
            assert not bot.report.disabled
            return bot

        yield make
