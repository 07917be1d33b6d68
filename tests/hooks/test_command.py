"""A function's signature as a command."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.errors import HookError, UsageError
from clawdcore.hooks.command import Command


class Unit(Enum):
    C = "c"
    F = "f"


class Hex(int):
    @classmethod
    def parse(cls, word: str) -> Hex:
        return cls(word, 16)


def of(function: object, name: str = "cmd") -> Command:
    return Command.of(function, plugin="p", name=name)  # type: ignore[arg-type]


async def fx(message: object, amount: float, source: str, target: str = "eur") -> str:
    """Convert money

    More words.
    """
    return ""


async def translate(message: object, to: Literal["zh", "fr"] | None = None, text: str = "") -> str:
    """Translate"""
    return ""


async def kinds(
    message: object, flag: bool = False, unit: Unit = Unit.C, number: Hex = Hex(0), rest: str = ""
) -> str:
    """All kinds"""
    return ""


def test_summary_usage_and_schema() -> None:
    command = of(fx, "fx")
    assert command.summary == "Convert money"
    assert command.usage == "/fx <amount> <source> [target…]"
    assert command.schema() == {
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "source": {"type": "string"},
            "target": {"type": "string"},
        },
        "required": ["amount", "source"],
        "additionalProperties": False,
    }
    assert of(translate).schema()["properties"]["to"] == {"type": "string", "enum": ["zh", "fr"]}


def test_words_become_arguments() -> None:
    assert of(fx).parse(" 1.5  usd  us dollars ") == {
        "amount": 1.5,
        "source": "usd",
        "target": "us dollars",
    }
    assert of(fx).parse('1 "us dollar"') == {"amount": 1.0, "source": "us dollar"}


def test_rest_keeps_lines_and_spaces() -> None:
    assert of(translate).parse("fr a\n  b") == {"to": "fr", "text": "a\n  b"}


def test_optional_word_that_does_not_fit_is_left_to_the_next() -> None:
    assert of(translate).parse("good morning") == {"text": "good morning"}
    assert of(translate).parse("FR good") == {"to": "fr", "text": "good"}
    assert of(translate).parse("") == {}


def test_types() -> None:
    assert of(kinds).parse("on f ff x y") == {
        "flag": True,
        "unit": Unit.F,
        "number": 255,
        "rest": "x y",
    }


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("", "amount is missing"),
        ("x usd", "amount must be a number"),
        ("1", "source is missing"),
    ],
)
def test_errors_name_the_argument(words: str, error: str) -> None:
    with pytest.raises(UsageError, match=error):
        of(fx).parse(words)


def test_words_left_over() -> None:
    async def one(message: object, number: int) -> str:
        """One"""
        return ""

    with pytest.raises(UsageError, match="more words"):
        of(one).parse("1 2")


def test_choices_are_listed() -> None:
    async def pick(message: object, unit: Unit) -> str:
        """Pick"""
        return ""

    with pytest.raises(UsageError, match="one of: c, f"):
        of(pick).parse("k")


@given(st.text(max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    for function in (fx, translate, kinds):
        try:
            of(function).parse(text)
        except UsageError as error:
            assert str(error)


class Level(Enum):
    LOW = 1
    HIGH = "High"


def test_an_enum_is_matched_by_its_value_in_any_case() -> None:
    async def level(message: object, level: Level) -> str:
        """Level"""
        return ""

    assert of(level).parse("1") == {"level": Level.LOW}
    assert of(level).parse("hIGH") == {"level": Level.HIGH}
    with pytest.raises(UsageError, match="one of: 1, High"):
        of(level).parse("low")


@pytest.mark.parametrize("word", ["nan", "inf", "-Infinity", "1e999"])
def test_a_number_is_one_that_can_be_reckoned_with(word: str) -> None:
    with pytest.raises(UsageError, match="must be a number"):
        of(fx).parse(f"{word} usd")


class NoParse:
    pass


class InstanceParse:
    def parse(self, word: str) -> str:
        return word


@pytest.mark.parametrize(
    "kind",
    [
        list[str],
        int | float,
        int | str | None,
        NoParse,
        InstanceParse,
        object,
        Any,
        dict,
        "str|int",
    ],
)
def test_a_type_that_can_t_be_parsed_is_refused_at_once(kind: Any) -> None:
    async def command(message: object, words: Any) -> str:
        """Doc"""
        return ""

    command.__annotations__["words"] = kind
    with pytest.raises(HookError, match=r"takes words as .*Annotate it with str, int, float"):
        of(command)


def test_every_allowed_type_may_be_optional() -> None:
    for kind in (str, int, float, bool, Literal["a"], Unit, Hex):

        async def command(message: object, word: Any = None) -> str:
            """Doc"""
            return ""

        command.__annotations__["word"] = Optional[kind]  # noqa: UP045 - kind is a variable
        assert of(command).parse("") == {}


def no_doc(message: object) -> str:
    return ""


def no_message() -> str:
    """Doc"""
    return ""


def by_position(message: object, word: str, /) -> str:
    """Doc"""
    return ""


def unknown_type(message: object, word: str) -> str:
    """Doc"""
    return ""


unknown_type.__annotations__["word"] = "no_module.Word"


def star(message: object, *words: str) -> str:
    """Doc"""
    return ""


@pytest.mark.parametrize(
    ("function", "name", "words"),
    [
        (no_doc, "x", "no docstring"),
        (no_message, "x", "takes no argument"),
        (star, "x", r"\*words"),
        (by_position, "x", "by position only"),
        (unknown_type, "x", "can't be read"),
        (fx, "Bad-Name", "can't be a command's name"),
        (fx, "x" * 33, "can't be a command's name"),
    ],
)
def test_what_cannot_be_a_command_says_why(function: object, name: str, words: str) -> None:
    with pytest.raises(HookError, match=words):
        of(function, name)


def test_a_command_has_the_format_that_it_is_registered_with() -> None:
    assert of(fx).format == "plain"
    assert Command.of(fx, plugin="p", name="fx", format="markdown").format == "markdown"


def test_a_format_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(HookError, match="/fx has the format 'rtf'") as refused:
        Command.of(fx, plugin="p", name="fx", format="rtf")  # type: ignore[arg-type]
    assert "plain, html, markdown" in str(refused.value)
