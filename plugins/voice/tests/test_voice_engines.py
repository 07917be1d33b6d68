from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Any

import pytest

from clawdbot_voice.engines import Engines
from clawdbot_voice.failures import (
    EngineCrashed,
    EngineSlow,
    FileRefused,
    NotAudio,
    WeightsMissing,
)
from clawdbot_voice.speech import Heard, Recording

RECORDING = Recording(b"x")
HELLO = Heard("Hello.", "en", 1, 1)


def test_the_first_that_can_is_heard_and_the_others_are_not_asked(
    fake_engine: Any, hear: Any, caplog: pytest.LogCaptureFixture
) -> None:
    missing = WeightsMissing("There is no model.", fix="Fetch it.")
    first, second, third = fake_engine(missing), fake_engine(HELLO), fake_engine(HELLO)
    with caplog.at_level(logging.DEBUG, "clawdbot_voice"):
        assert asyncio.run(hear(Engines([first, second, third]), RECORDING)) == [HELLO]
    assert third.recordings == []
    said = [each.getMessage() for each in caplog.records if each.name.startswith("clawdbot")]
    assert said == ["speech engine fake: There is no model. Fetch it. (WeightsMissing)"]


def test_a_recording_that_is_to_blame_is_not_heard_twice(fake_engine: Any, hear: Any) -> None:
    first, second = fake_engine(NotAudio("a")), fake_engine(HELLO)
    with pytest.raises(NotAudio):
        asyncio.run(hear(Engines([first, second]), RECORDING))
    assert second.recordings == []


def test_a_server_that_refuses_the_file_is_followed_by_the_next(
    fake_engine: Any, hear: Any
) -> None:
    engines = Engines([fake_engine(FileRefused("a")), fake_engine(HELLO)])
    assert asyncio.run(hear(engines, RECORDING)) == [HELLO]


@pytest.mark.parametrize(
    ("failures", "told"),
    [
        ([FileRefused("a")], NotAudio),
        ([FileRefused("a"), FileRefused("b")], NotAudio),
        ([FileRefused("a"), NotAudio("b")], NotAudio),
        ([FileRefused("a"), WeightsMissing("b")], FileRefused),
        ([WeightsMissing("a"), FileRefused("b")], WeightsMissing),
    ],
)
def test_only_what_the_last_engine_refuses_too_is_no_audio(
    failures: list[Exception], told: type[Exception], fake_engine: Any, hear: Any
) -> None:
    made = [fake_engine(failure) for failure in failures]
    with pytest.raises(told) as caught:
        asyncio.run(hear(Engines(made), RECORDING))
    assert caught.type is told
    assert [len(engine.recordings) for engine in made] == [1] * len(made)


def test_after_the_first_words_no_other_is_asked(fake_engine: Any, hear: Any) -> None:
    first, second = fake_engine(HELLO, EngineCrashed("a")), fake_engine(HELLO)
    with pytest.raises(EngineCrashed):
        asyncio.run(hear(Engines([first, second]), RECORDING))
    assert second.recordings == []


def test_where_none_can_the_first_ones_reason_is_told(fake_engine: Any, hear: Any) -> None:
    engines = Engines([fake_engine(WeightsMissing("a")), fake_engine(EngineSlow("b"))])
    with pytest.raises(WeightsMissing):
        asyncio.run(hear(engines, RECORDING))


def test_who_leaves_early_is_left_and_all_are_closed(fake_engine: Any) -> None:
    engine = fake_engine(HELLO, HELLO)

    async def work() -> None:
        engines = Engines([engine])
        async with aclosing(engines.listen(RECORDING)) as pieces:
            await anext(pieces)
        assert engine.left == 1
        await engines.close()

    asyncio.run(work())
    assert engine.closed
