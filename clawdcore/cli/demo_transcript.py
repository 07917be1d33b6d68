"""What a chat shows of the bot's doings, as steps on a screen; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .demo_control import Event
from .demo_piped import text_of


@dataclass(frozen=True, slots=True)
class Step:
    """What to show next.

    ``start`` begins a message (the text is whom it replies to), ``more`` is a
    piece of it, ``end`` its end; ``note`` is a line of its own.
    """

    kind: Literal["start", "more", "end", "note"]
    text: str = ""


class Transcript:
    """Turns the events of one chat into steps.

    Drafts of an answer show what grew; the message itself then only completes
    it. Where the message says something else than was shown, it is shown whole.
    """

    def __init__(self, label: Callable[[Event], str]) -> None:
        self._label = label
        self._shown: list[str] = []

    def take(self, event: Event) -> list[Step]:
        """The steps of one event."""
        message = event["message"]
        match event["kind"]:
            case "draft":
                return self._draft(message["text"])
            case "sent":
                return self._sent(message)
            case "edit":
                return [*self._break(), Step("note", f"edited: {text_of(message)}")]
            case "delete":
                return [*self._break(), Step("note", "deleted a message")]
            case _:
                return []

    def _draft(self, text: str) -> list[Step]:
        if not text:
            return []
        if not self._shown:
            self._shown = [text]
            return [Step("start"), Step("more", text)]
        last = self._shown[-1]
        if last.startswith(text):
            return []
        if text.startswith(last):
            self._shown[-1] = text
            return [Step("more", text[len(last) :])]
        # A long answer's draft holds its last part alone: the next part begins.
        self._shown.append(text)
        return [Step("end"), Step("start"), Step("more", text)]

    def _sent(self, message: Event) -> list[Step]:
        text, whom = text_of(message), self._label(message)
        if self._shown:
            first, alone = self._shown[0], len(self._shown) == 1
            if text == first and not alone:
                del self._shown[0]
                return []
            if text.startswith(first) and alone:
                self._shown = []
                return [Step("more", text[len(first) :]), Step("end")]
        return [*self._break(), Step("start", whom), Step("more", text), Step("end")]

    def _break(self) -> list[Step]:
        shown, self._shown = self._shown, []
        return [Step("end")] if shown else []
