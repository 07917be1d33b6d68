"""Engines in their order: the next takes over, and what failed rests."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from clawdbot_translate.engines.contract import EngineFailed, RefusedByEngine
from clawdbot_translate.engines.model import Model
from clawdbot_translate.languages import Language
from clawdbot_translate.translation import Job
from clawdbot_translate.translator import NoEngine, Translator
from clawdcore import Audio, BackendUnavailable, Chunk, ModelInfo, Request, Transcript

FRENCH, ENGLISH = Language.parse("fr"), Language.parse("en")
Answers = Callable[[str], str]


class Plain:
    """An engine that answers what ``answers`` makes of a text, or raises what it raises."""

    where = ""

    def __init__(self, name: str, answers: Answers, *, limit: int = 1000) -> None:
        self.name = name
        self.limit = limit
        self.answers = answers
        self.asked: list[list[str]] = []

    async def languages(self) -> frozenset[str]:
        return frozenset({"fr"})

    async def translate(self, texts: Sequence[str], source: str, target: Language) -> list[str]:
        self.asked.append(list(texts))
        return [self.answers(text) for text in texts]

    async def close(self) -> None:
        """Nothing is open."""


class Models:
    """A model that gives one answer, or raises."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer: Any = answer

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        if isinstance(self.answer, Exception):
            raise self.answer
        yield Chunk(self.answer, "stop")

    async def complete(self, request: Request) -> str:
        return ""

    async def transcribe(self, audio: Audio) -> Transcript:
        raise AssertionError("a translation hears nothing")

    async def info(self) -> ModelInfo:
        raise AssertionError("nobody asks for this")


def rot(text: str) -> str:
    """Other letters, in the same places."""
    return codecs.encode(text, "rot13")


def broken(name: str) -> Plain:
    def fail(text: str) -> str:
        raise EngineFailed(name, "is down")

    return Plain(name, fail)


def french(name: str = "plain") -> Plain:
    return Plain(name, lambda text: f"« fr {text} »")


def translated(translator: Translator, text: str, target: Language = FRENCH) -> str:
    async def whole() -> str:
        job = Job(text, target, target)
        return "".join([piece async for piece in translator.pieces(job)])

    return asyncio.run(whole())


class Clock:
    """Seconds that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_next_engine_takes_over_and_the_first_rests() -> None:
    down, works, clock = broken("a"), french("b"), Clock()
    translator = Translator([down, works], clock)
    assert translated(translator, "good morning") == "« fr good morning »"
    assert translated(translator, "good night") == "« fr good night »"
    assert len(down.asked) == 1
    clock.now = 6.0
    translated(translator, "good day")
    assert len(down.asked) == 2


def test_when_all_fail_their_names_and_the_time_are_told() -> None:
    translator = Translator([broken("a"), broken("b")], Clock())
    for _ in range(2):  # and so while both rest
        with pytest.raises(NoEngine) as caught:
            translated(translator, "good morning")
        assert caught.value.names == ("a", "b") and caught.value.seconds == 5.0


def test_an_engine_without_the_language_is_passed_over_and_does_not_rest() -> None:
    def refuse(text: str) -> str:
        raise RefusedByEngine("a", "has no French")

    picky, works = Plain("a", refuse), french("b")
    translator = Translator([picky, works], Clock())
    translated(translator, "one")
    translated(translator, "two")
    assert len(picky.asked) == 2


def test_the_model_that_fails_gives_way_to_a_plain_engine() -> None:
    down = Model(Models(BackendUnavailable("down.")))
    assert translated(Translator([down, french()], Clock()), "hello there") == "« fr hello there »"
    with pytest.raises(BackendUnavailable):
        translated(Translator([down], Clock()), "hello there")


def test_a_model_that_echoes_twice_gives_way_and_does_not_rest() -> None:
    echo = Model(Models("the last bus leaves at eleven"))
    translator = Translator([echo, french()], Clock())
    text = "the last bus leaves at eleven"
    assert translated(translator, text) == f"« fr {text} »"
    with pytest.raises(NoEngine) as caught:
        translated(Translator([echo], Clock()), text)
    assert caught.value.names == ()


def test_the_ladders_cheaper_way_has_no_model_and_knows_who_rests() -> None:
    down = broken("b")
    whole = Translator([Model(Models("Bonjour à tous.")), down, french()], Clock())
    plain = whole.plain
    assert plain is not None and [engine.name for engine in plain.engines] == ["b", "plain"]
    translated(plain, "hello everybody")
    translated(plain, "hello again")
    assert len(down.asked) == 1
    resting = Translator([broken("b")], Clock())
    with pytest.raises(NoEngine):
        translated(resting, "hello")
    assert resting.plain is None
    assert Translator([Model(Models(""))], Clock()).plain is None


def test_a_plain_engine_keeps_lines_marks_links_and_emoji() -> None:
    text = "  - Hello @ada 👍\n\n2) see **https://example.org/a** {name}\n12:30\n"
    engine = french()
    assert translated(Translator([engine], Clock()), text) == (
        "  - « fr Hello @ada 👍 »\n\n2) « fr see **https://example.org/a** {name} »\n12:30\n"
    )
    (sent,) = engine.asked
    assert not any("ada" in each or "example" in each or "👍" in each for each in sent)


def test_where_an_engine_loses_a_mask_the_text_around_it_is_translated() -> None:
    def careless(text: str) -> str:
        return rot(text).replace("[1]", "").replace("[2]", "[ 2")

    engine = Plain("a", careless)
    text = "ask @ada about it, then tell @bob and go"
    assert translated(Translator([engine], Clock()), text) == (
        f"{rot('ask')} @ada {rot('about it, then tell')} @bob {rot('and go')}"
    )
    assert len(engine.asked) == 2


def test_what_holds_no_words_asks_nobody() -> None:
    engine = french()
    assert translated(Translator([engine], Clock()), "12:30 👍 https://example.org") == (
        "12:30 👍 https://example.org"
    )
    assert engine.asked == []


def test_long_texts_go_in_parts_that_the_engine_takes() -> None:
    engine = Plain("a", rot, limit=40)
    text = "One sentence is here. Another one follows it.\n\nAnd a third, in a new paragraph."
    assert translated(Translator([engine], Clock()), text) == rot(text)
    assert all(len(each) <= 40 for sent in engine.asked for each in sent)


def test_an_echo_goes_into_the_other_language() -> None:
    class Both(Plain):
        async def translate(self, texts: Sequence[str], source: str, target: Language) -> list[str]:
            return [text if target == FRENCH else f"{text} in English" for text in texts]

    async def whole() -> str:
        job = Job("bonjour à vous tous", FRENCH, ENGLISH)
        translator = Translator([Both("a", str)], Clock())
        return "".join([piece async for piece in translator.pieces(job)])

    assert asyncio.run(whole()) == "bonjour à vous tous in English"


def test_the_union_of_the_lists_leaves_out_who_cannot_be_asked() -> None:
    class Mute(Plain):
        async def languages(self) -> frozenset[str]:
            raise EngineFailed("b", "is down")

    translator = Translator([french("a"), Mute("b", str)], Clock())
    assert asyncio.run(translator.languages()) == {"fr"}
    known = asyncio.run(Translator([Model(Models("")), french()], Clock()).languages())
    assert len(known) > 100


def test_a_character_that_is_a_word_counts_three_for_the_model() -> None:
    class Counting(Models):
        lengths: list[int]

        async def generate(self, request: Request) -> AsyncIterator[Chunk]:
            self.lengths.append(len(request.turns[-1].content))
            yield Chunk(self.answer, "stop")

    for text, most in (("今天天气很好，我们去公园吧。" * 100, 400), ("a word here. " * 200, 1050)):
        into = ENGLISH if most == 400 else FRENCH
        models = Counting("This is a part." if into == ENGLISH else "C'est une partie du texte.")
        models.lengths = []
        translated(Translator([Model(models)], Clock()), text, into)
        assert len(models.lengths) > 1 and max(models.lengths) <= most
