"""Files that were sent together are one message to plugins, and as many updates to the books."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clawdcore import Message, hookimpl
from clawdcore.messages import Attachment, Chat, Sender
from clawdcore.testing import Group, Harness, User
from clawdcore.testing.clock import VirtualLoop
from clawdcore.worker.albums import MOST, QUIET, Albums

GROUP = Group()


class Counting:
    """Says how many files came, and keeps the messages."""

    def __init__(self) -> None:
        self.got: list[Message] = []

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo", "document")
        async def handle(message: Message) -> str:
            self.got.append(message)
            data = [await each.read() for each in message.attachments]
            return f"{b' '.join(data).decode()}: {message.body}"

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("count")
        async def count(message: Message) -> str:
            """Count files"""
            self.got.append(message)
            return str(len(message.attachments))


def test_an_album_is_one_message_with_all_its_files_in_order() -> None:
    plugin = Counting()
    with Harness([plugin]) as bot:
        assert bot.album(b"a", b"b", ("c.png", b"c", "image/png"), text="look") == "a b c: look"
        assert len(bot.sent) == 1
        assert bot.books.answered == 3
    (message,) = plugin.got
    assert message.others == (message.id + 1, message.id + 2)


def test_the_one_with_the_caption_stands_for_all_and_is_answered() -> None:
    plugin = Counting()
    with Harness([plugin]) as bot:
        bot.send("", photo=b"a", album="7")
        bot.send("/count", photo=b"b", album="7")
        bot.send("", photo=b"c", album="7")
        bot.settle()
        assert [sent.text for sent in bot.sent] == ["3"]
        assert bot.sent[0].reply_to == bot.said[1].id
    assert plugin.got[0].others == (bot.said[0].id, bot.said[2].id)


def test_in_a_group_the_parts_without_the_mention_come_along() -> None:
    with Harness([Counting()]) as bot:
        assert bot.album(b"a", b"b", text="@clawd_bot what", chat=GROUP) == "a b: what"
        assert bot.books.answered == 2


def test_an_album_that_is_for_nobody_leaves_each_part_unaddressed() -> None:
    plugin = Counting()
    with Harness([plugin]) as bot:
        assert bot.album(b"a", b"b", text="holidays", chat=GROUP) == ""
        assert bot.books.unaddressed == 2
    assert plugin.got == []


def test_albums_of_two_people_at_once_are_two() -> None:
    plugin = Counting()
    with Harness([plugin]) as bot:
        for name, sender in (("7", User(1)), ("8", User(2)), ("7", User(1)), ("8", User(2))):
            bot.send("", photo=b"a", album=name, sender=sender)
        bot.settle()
    assert [len(each.attachments) for each in plugin.got] == [2, 2]


def test_a_part_that_comes_late_is_a_message_of_its_own() -> None:
    plugin = Counting()
    with Harness([plugin]) as bot:
        bot.album(b"a", b"b")
        bot.advance(5)
        bot.send("", photo=b"c", album="album-0")
        bot.settle()
        assert bot.books.answered == 3
    assert [len(each.attachments) for each in plugin.got] == [2, 1]


def test_a_stop_in_the_middle_of_an_album_loses_nothing() -> None:
    plugin = Counting()
    with Harness([plugin]) as bot:
        bot.send("", photo=b"a", album="7")
        bot.send("", photo=b"b", album="7")
    assert [len(each.attachments) for each in plugin.got] == [2]
    assert bot.books.answered == 2


def part(number: int, body: str = "") -> Message:
    return Message(
        id=number,
        update_id=number,
        chat=Chat(1, "private"),
        sender=Sender(1, "Ada"),
        body=body,
        attachments=(Attachment("photo", f"p{number}"),),
        album="7",
    )


@given(
    st.lists(st.floats(0, 3 * QUIET), min_size=1, max_size=15),
    st.randoms(use_true_random=False),
)
def test_every_part_is_in_exactly_one_album(pauses: list[float], random: Any) -> None:
    """However they arrive: in any order, at any time, more of them than an album has."""
    numbers = list(range(1, len(pauses) + 1))
    random.shuffle(numbers)
    whole: list[tuple[int, Message, tuple[int, ...]]] = []

    async def play() -> None:
        albums = Albums()
        async with asyncio.TaskGroup() as tasks:

            async def wait(album: Any, message: Message) -> None:
                whole.append(await albums.wait(album, message))

            for number, pause in zip(numbers, pauses, strict=True):
                await asyncio.sleep(pause)
                message = part(number)
                album = albums.add(number, message)
                if album is not None:
                    tasks.create_task(wait(album, message))

    loop = VirtualLoop()
    try:
        loop.run_until_complete(play())
    finally:
        loop.close()
    ends = [update for lead, _, others in whole for update in (lead, *others)]
    assert sorted(ends) == sorted(numbers)
    for lead, message, others in whole:
        assert message.id == lead == min((lead, *others))
        assert len(message.attachments) == len(others) + 1 <= MOST
        assert sorted(message.others) == sorted(others)
