"""Who writes what when in a rehearsal. Pure: the same seed gives the same schedule."""

from __future__ import annotations

import random
from typing import Final

import msgspec

from ..messages import Content
from .rehearse_texts import CHATTER, LANGUAGES, QUESTIONS, SENTENCES

PERSON: Final = 1001
"""The id of the first of the people who write; the next ones follow."""
GROUP: Final = -2001
"""The id of the first group; the next ones go down from it."""
MEMBERS: Final = 5
"""People who write in each group."""
IN_GROUPS: Final = 0.4
"""The part of all messages that is written in groups."""
ASIDE: Final = 0.25
"""The part of the messages in a group that is not meant for the bot; none of a burst's."""
COMMANDS: Final = 0.2
"""The part of the messages to the bot that are commands."""
HELP: Final = 0.25
"""The part of the commands that is /help, which needs no model."""


class Profile(msgspec.Struct, frozen=True):
    """A pattern of use.

    ``goal`` is the part of the messages that must be answered in time, 0 to 1.
    ``rate`` is in messages a minute; ``at_once`` the number that come in one moment, 0
    where they are spread. ``people`` write in private, and there are ``groups``.
    """

    name: str
    goal: float
    rate: float
    people: int
    groups: int
    at_once: int = 0


PROFILES: Final = {
    "quiet": Profile("quiet", 1.0, 8, 4, 1),
    "busy": Profile("busy", 0.997, 40, 12, 2),
    "breaking": Profile("breaking", 0.985, 120, 40, 4),
}
BURSTS: Final = {
    10: Profile("10 at once", 1.0, 0, 10, 1, at_once=10),
    50: Profile("50 at once", 0.997, 0, 50, 2, at_once=50),
    100: Profile("100 at once", 0.985, 0, 100, 4, at_once=100),
}


class Line(Content, msgspec.Struct, frozen=True):
    """One message of the schedule.

    ``at`` is in seconds from the beginning. ``chat`` is a group's id, None for the
    private chat of ``user``. ``addressed`` ones must be answered; ``model`` says
    whether that takes a model.
    """

    at: float
    user: int
    chat: int | None
    text: str
    addressed: bool = True
    model: bool = True


def schedule(
    profile: Profile, seconds: float, seed: int, *, username: str, translate: bool
) -> list[Line]:
    """Every message in order of time.

    Where they are spread, the moments are those of a Poisson process of which the
    number is known: independent, and equally likely anywhere. So the rate is always
    the profile's. ``translate`` says that there is the command /translate.
    """
    dice = random.Random(seed)
    if profile.at_once:
        moments = [0.0] * profile.at_once
    else:
        count = max(1, round(profile.rate * seconds / 60))
        moments = sorted(dice.uniform(0, seconds) for _ in range(count))
    return [_line(at, n, profile, dice, username, translate) for n, at in enumerate(moments)]


def groups_of(profile: Profile) -> list[int]:
    """The ids of the groups."""
    return [GROUP - n for n in range(profile.groups)]


def people_of(profile: Profile) -> list[int]:
    """The ids of everybody who writes; the members of groups write in private too."""
    return [PERSON + n for n in range(max(profile.people, profile.groups * MEMBERS))]


def _line(
    at: float, number: int, profile: Profile, dice: random.Random, username: str, translate: bool
) -> Line:
    group = dice.randrange(profile.groups) if dice.random() < IN_GROUPS else None
    if group is None:
        # Of those who write in one moment each is somebody else.
        person = number if profile.at_once else dice.randrange(profile.people)
        text, model = _to_the_bot(dice, translate)
        return Line(at, PERSON + person, None, text, model=model)
    user = PERSON + group * MEMBERS + dice.randrange(MEMBERS)
    if not profile.at_once and dice.random() < ASIDE:
        return Line(at, user, GROUP - group, _said(CHATTER, dice), addressed=False, model=False)
    text, model = _to_the_bot(dice, translate)
    if text.startswith("/"):
        command, _, rest = text.partition(" ")
        text = f"{command}@{username} {rest}".rstrip()
    else:
        text = f"@{username} {text}"
    return Line(at, user, GROUP - group, text, model=model)


def _to_the_bot(dice: random.Random, translate: bool) -> tuple[str, bool]:
    """A text, and whether its answer takes a model."""
    if dice.random() >= COMMANDS:
        return _said(QUESTIONS, dice), True
    if not translate or dice.random() < HELP:
        return "/help", False
    return f"/translate {dice.choice(LANGUAGES)} {_said(SENTENCES, dice)}", True


def _said(texts: tuple[str, ...], dice: random.Random) -> str:
    return dice.choice(texts).format(n=dice.randint(11, 99))
