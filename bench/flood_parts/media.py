"""A flood of pictures and voice notes beside quiet people who write: schedule, files, players."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import msgspec

from clawdcore.testing.botapi import BotApiServer

from .chats import Chats
from .plan import QUIET_CHATS, Call

PICTURES: Final = Path(__file__).parents[2] / "plugins" / "ocr" / "tests"
SENDERS: Final = 40
"""People who send media, half of them in private, half in the quiet people's group."""
SENTENCES: Final = (
    "Good morning. The meeting starts in the big room on the second floor.",
    "Can you please buy milk, bread and two bottles of water on your way home?",
    "The train to the airport was late because of the heavy rain last night.",
)


BUSY: Final = ("I'm reading many pictures", "I'm listening to many recordings")
FAILED: Final = ("I could not", "I can't", "I see no text", "I hear nobody", "My text", "My speech")
"""How the plugins begin what they say in place of a text."""


class File(msgspec.Struct, frozen=True):
    """A picture or a voice note, and the command that it is sent with in a group."""

    kind: str
    command: str
    data: bytes


def quiet(rate: float, seconds: float, seed: int) -> list[Call]:
    """``rate`` questions a second, half in private, half in one group; a Poisson process."""
    dice = random.Random(seed)
    return [
        Call(at, True, "direct", dice.randrange(QUIET_CHATS))
        if dice.random() < 0.5
        else Call(at, True, "group", 0, dice.randrange(QUIET_CHATS) + 1)
        for at in _moments(dice, rate, seconds)
    ]


def flood(rate: float, seconds: float, seed: int) -> list[Call]:
    """``rate`` files a second, half in private, half in the same group."""
    dice = random.Random(seed + 1)
    calls = []
    for at in _moments(dice, rate, seconds):
        who = dice.randrange(SENDERS // 2)
        if dice.random() < 0.5:
            calls.append(Call(at, False, "direct", QUIET_CHATS + who))
        else:
            calls.append(Call(at, False, "media", 0, QUIET_CHATS + 1 + who))
    return calls


def _moments(dice: random.Random, rate: float, seconds: float) -> Iterator[float]:
    at = dice.expovariate(rate)
    while at < seconds:
        yield at
        at += dice.expovariate(rate)


def pictures() -> list[File]:
    """Drawn and photographed pages.

    Raises:
        FileNotFoundError: a font is missing.
    """
    sys.path.insert(0, str(PICTURES))
    drawn: Any = import_module("ocr_pictures")
    cases = drawn.cases()
    found = []
    for case in (*cases["clean"], *cases["photographed"], *cases["chinese"]):
        target = BytesIO()
        case.picture.convert("RGB").save(target, "JPEG")
        found.append(File("photo", "/ocr", target.getvalue()))
    return found


def recordings() -> list[File]:
    """Sentences spoken by espeak-ng.

    Raises:
        FileNotFoundError: espeak-ng is missing.
    """
    command = shutil.which("espeak-ng")
    if command is None:
        raise FileNotFoundError("espeak-ng is not installed (apt install espeak-ng)")
    return [
        File(
            "voice",
            "/transcribe",
            subprocess.run([command, "--stdout", text], capture_output=True, check=True).stdout,
        )
        for text in SENTENCES
    ]


class Senders(Chats):
    """People of whom some write, and the others send ``files``, in turn."""

    def __init__(self, server: BotApiServer, files: Sequence[File]) -> None:
        super().__init__(server)
        self._files = files
        self._sent = 0

    def write(self, call: Call, text: str, person: int, group: int | None) -> int:
        """As :meth:`Chats.write`."""
        if call.quiet:
            return super().write(call, text, person, group)
        file = self._files[self._sent % len(self._files)]
        self._sent += 1
        user = self._server.known_user(person)
        assert user is not None
        caption = "" if group is None else file.command
        message = self._server.attach(user, file.kind, file.data, group, caption=caption)
        number: int = message["message_id"]
        return number


def unread(server: BotApiServer, after: int) -> tuple[int, int]:
    """Answers that are no text of a file: that too many wait, and that an engine failed."""
    sent = [
        str(each.message.get("text", ""))
        for each in server.records(after)
        if each.kind == "sent" and each.message
    ]
    busy = sum(text.startswith(BUSY) for text in sent)
    return busy, sum(text.startswith(FAILED) for text in sent)
