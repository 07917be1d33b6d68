"""The tools of one answer: what they cost, their calls, and how much of a result is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from clawdcore import Message, Tool, ToolCall, Tools, Turn

from . import prompts
from .tokens import of_turn

ROUNDS: Final = 3
"""How often the model may call tools for one answer; then it must answer."""
CALLS: Final = 8
"""Calls of one round; what it calls beyond that is not done."""
SHARE: Final = 4
"""A fourth of the prompt is kept free for what calls and results take."""
LEAST: Final = 200
"""Characters of a result that are sent however full the prompt is."""
CUT: Final = "… (cut)"
TOO_MANY: Final = "Error: too many calls at once. Ask again for what is missing."


class Toolbox:
    """Calls tools for one message. ``offered`` are () where the model gets none.

    ``called`` says whether any was: what it did must not be done again.
    """

    def __init__(self, tools: Tools, offered: tuple[Tool, ...], message: Message) -> None:
        self.offered = offered
        self.called = False
        self._tools = tools
        self._message = message

    @property
    def tokens(self) -> int:
        """What their descriptions take of the prompt, estimated."""
        return sum(
            of_turn(f"{each.name} {each.description} {json.dumps(each.parameters)}")
            for each in self.offered
        )

    def reserve(self, prompt: int) -> int:
        """Tokens to keep free of a prompt of so many for what calls bring."""
        return self.tokens + prompt // SHARE if self.offered else 0

    async def answer(self, calls: Sequence[ToolCall], text: str, prompt: int) -> list[Turn]:
        """The turns that follow: the model's own with ``calls``, and what each call gave."""
        self.called = True
        # A token is three characters or more, but of Chinese not even one is sure.
        most = max(LEAST, prompt // SHARE // ROUNDS // max(1, min(len(calls), CALLS)))
        turns = [Turn("assistant", text, calls=tuple(calls))]
        for number, call in enumerate(calls):
            if number < CALLS:
                result = await self._tools.call(call.name, call.arguments, self._message)
            else:
                result = TOO_MANY
            turns.append(Turn("tool", prompts.plain(_cut(result, most)), call_id=call.id))
        return turns


def _cut(result: str, most: int) -> str:
    return result if len(result) <= most else result[: most - len(CUT)] + CUT
