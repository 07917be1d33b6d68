"""What must not change goes unharmed through engines that are careless with it."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.engines.model import Model
from clawdbot_translate.languages import Language
from clawdbot_translate.plain import translate_plainly
from clawdbot_translate.protection import fixed, lost
from clawdbot_translate.translation import Job, NotTranslated
from clawdcore import Audio, Chunk, ModelInfo, Request, Transcript

FRENCH = Language.parse("fr")
PARTS = (
    *("https://example.org/a?b=1&c=d", "www.example.org/x", "ada@example.org", "@ada_l", "#news"),
    *("/help@bot", "`rm -r x`", "{0}", "{name}", "{}", "{0:.2f}", "${total}", "%s", "%d"),
    *("%1$s", "%.2f", "%(who)s", "[NAME]", "<b>", "</b>", "👍🏽", "🇫🇷", "👨‍👩‍👧", "**", "||"),
)
WORDS = st.sampled_from(["the", "last", "bus", "leaves", "at", "eleven", "你好", "été", "мир"])
TEXTS = st.lists(st.one_of(WORDS, st.sampled_from(PARTS)), min_size=1, max_size=14).map(" ".join)
MARK = re.compile(r"\[\d+\]")
Mangle = Callable[[str, random.Random], str]


def spaceless(text: str, chance: random.Random) -> str:
    return re.sub(r"\s*(\[\d+\])\s*", r"\1", text)


def spacious(text: str, chance: random.Random) -> str:
    return MARK.sub(lambda mark: f" [ {mark[0][1:-1]} ] ", text)


def wide(text: str, chance: random.Random) -> str:
    return MARK.sub(lambda mark: f"【{mark[0][1:-1]}】", text)


def cased(text: str, chance: random.Random) -> str:
    return text.upper() if chance.random() < 0.5 else text.title()


def shuffled(text: str, chance: random.Random) -> str:
    words = text.split()
    chance.shuffle(words)
    return " ".join(words)


def shuffled_and_stuck(text: str, chance: random.Random) -> str:
    return shuffled(text, chance).replace(" ", "")


def forgetful(text: str, chance: random.Random) -> str:
    return MARK.sub(lambda mark: mark[0] if chance.random() < 0.5 else "", text)


def doubling(text: str, chance: random.Random) -> str:
    return MARK.sub(lambda mark: mark[0] * chance.randint(1, 2), text)


def inventive(text: str, chance: random.Random) -> str:
    return f"{text} [{chance.randint(1, 99)}]"


MANGLES: tuple[Mangle, ...] = (
    *(spaceless, spacious, wide, cased, shuffled),
    *(shuffled_and_stuck, forgetful, doubling, inventive),
)


class Careless:
    """A plain engine that mangles what it is given."""

    name, limit, where = "a", 1000, ""

    def __init__(self, mangle: Mangle, seed: int) -> None:
        self.mangle = mangle
        self.chance = random.Random(seed)

    async def languages(self) -> frozenset[str]:
        return frozenset({"fr"})

    async def translate(self, texts: Sequence[str], source: str, target: Language) -> list[str]:
        return [self.mangle(text, self.chance) for text in texts]

    async def close(self) -> None:
        """Nothing is open."""


def parts(text: str) -> Counter[str]:
    return Counter(text[start:end] for start, end in fixed(text))


@pytest.mark.parametrize("mangle", MANGLES)
@given(text=TEXTS, seed=st.integers(0, 2**16))
def test_plain_engines_harm_no_fixed_part(mangle: Mangle, text: str, seed: int) -> None:
    answer = asyncio.run(translate_plainly(Careless(mangle, seed), text, "en", FRENCH))
    assert parts(answer) == parts(text)


def test_each_of_these_is_a_part_by_itself() -> None:
    for part in PARTS:
        assert list(parts(f"the {part} bus")) == [part]


class Models:
    """A model that answers a French sentence with some of the parts that it was given."""

    def __init__(self, text: str, chance: random.Random) -> None:
        self.text = text
        self.chance = chance

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        words = ["le", "dernier", "autobus", "part", "à", "onze", "heures", *parts(self.text)]
        some = [word for word in words if self.chance.random() < 0.7]
        self.chance.shuffle(some)
        yield Chunk("Voici " + " ".join(some), "stop")

    async def complete(self, request: Request) -> str:
        raise AssertionError("nobody asks for this")

    async def transcribe(self, audio: Audio) -> Transcript:
        raise AssertionError("a translation hears nothing")

    async def info(self) -> ModelInfo:
        raise AssertionError("nobody asks for this")


@given(text=TEXTS, seed=st.integers(0, 2**16))
def test_the_model_loses_no_link_name_or_placeholder(text: str, seed: int) -> None:
    model = Model(Models(text, random.Random(seed)))

    async def answered() -> str:
        return (await model.translate([text], "en", FRENCH))[0]

    try:
        answer = asyncio.run(answered())
    except NotTranslated:
        return  # nothing was shown
    assert lost(answer, text) == []


def test_a_model_that_forgets_a_link_is_noticed() -> None:
    text = "the last bus https://example.org/a leaves at eleven"

    class Forgets(Models):
        async def generate(self, request: Request) -> AsyncIterator[Chunk]:
            yield Chunk("Le dernier autobus part à onze heures", "stop")

    async def answered() -> str:
        pieces = Model(Forgets(text, random.Random(0))).stream(Job(text, FRENCH, FRENCH))
        return "".join([piece async for piece in pieces])

    assert asyncio.run(answered()).endswith(" https://example.org/a")
