"""A power cut at every step of the edge: each message ends with exactly one outcome.

Two real parts, the edge and its ledger's file, between two played ones: Telegram,
which outlives every cut, and a worker that says back what it gets. A step is the
moment before or after a commit, a call of the Bot API, or a record over the
broker. From the step of the cut on, nothing that the process does has an effect;
then the next run begins on the same file.

After one cut, of a run to which people write some seconds after its start, "exactly
one" holds at every step. After a second cut it can't for what the run between, which
had to begin at once, was sending with floor 0: its first messages in private, and in each
supergroup, before it knows an id that is surely above all that the run before had
sent. Whether those arrived can't be told, and there a notice may come on top. It
can't hold either where Telegram doesn't tell (ADR 8): the answer was an edit of a
message shown while it grew, probes fail, or more than eight messages of others came
after the floor. Then too an answer and a notice are possible; never neither.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import msgspec
import pytest

from clawdcore.broker import (
    Bot,
    Closed,
    Deliver,
    Done,
    Hello,
    Outcome,
    Port,
    Ready,
    Send,
    Started,
    Target,
    ToEdge,
    ToWorker,
    memory_broker,
)
from clawdcore.config import TelegramConfig
from clawdcore.config.channels import PaceConfig
from clawdcore.edge import words
from clawdcore.edge.api import Whose
from clawdcore.edge.app import Edge
from clawdcore.edge.delivery.merging import SEPARATOR
from clawdcore.edge.desk import SKEW
from clawdcore.edge.ledger import LEDGER_FILE, Ledger
from clawdcore.edge.markup import Entity
from clawdcore.edge.workers import OneWorker
from clawdcore.messages import Keyboard, Reply
from clawdcore.testing import FakeTelegram, VirtualLoop

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
BOT = Bot(7_000_000_001, "clawd_bot")
GROUP = -1_001_000_000_005
MAILBOX = 0
PAIRS = 200
QUIET = 90.0
"""Virtual seconds after the last message by which all must be over."""
SEVERAL = re.compile(re.escape(words.interrupted(999, "en")).replace("999", r"(\d+)"))
ONE = words.interrupted(1, "en")


class Message(msgspec.Struct, frozen=True):
    """What somebody writes. ``token`` is in its text, and in no other's."""

    token: str
    chat: int
    user: int
    addressed: bool = True


SCENARIO = (
    Message("a", 11, 11),
    Message("b", 12, 12),
    Message("c", 15, 15),
    Message("d", GROUP, 21),
    Message("e", GROUP, 22),
    Message("f", GROUP, 24, addressed=False),
    Message("g", GROUP, 23),
    Message("h", 15, 15),
    Message("i", 13, 13),
    Message("j", 14, 14),
)
"""Four who write alone, one who writes twice, three in a group, and one who asks nobody."""


class Written(msgspec.Struct, frozen=True):
    """A message of the scenario, once it is written."""

    message: Message
    update: int
    id: int


class Post(msgspec.Struct, frozen=True):
    """A message of the bot."""

    chat: int
    id: int
    text: str
    reply_to: int
    mentions: tuple[int, ...]


class World:
    """Telegram and the people: what lasts from run to run. Pure."""

    def __init__(self) -> None:
        self.coming = list(SCENARIO)
        self.written: list[Written] = []
        self.unconfirmed: list[tuple[int, bytes]] = []
        self.posts: list[Post] = []
        self.now = 1_000_000.0
        self._ids: Counter[int] = Counter({MAILBOX: 100, GROUP: 500})
        self._whose: dict[tuple[int, int], Whose] = {}

    def write(self) -> None:
        """Somebody writes the next message."""
        message = self.coming.pop(0)
        number = self._number(message.chat, Whose.OTHER)
        update = 900 + len(self.written)
        text = f"@{BOT.username} {message.token}" if message.addressed else message.token
        group = message.chat < 0
        mention = {"type": "mention", "offset": 0, "length": len(BOT.username) + 1}
        raw = {
            "update_id": update,
            "message": {
                "message_id": number,
                "date": int(self.now),
                "chat": {"id": message.chat, "type": "supergroup" if group else "private"},
                "from": {"id": message.user, "language_code": "en"},
                "text": text,
                "entities": [mention] if message.addressed else [],
            },
        }
        self.unconfirmed.append((update, msgspec.json.encode(raw)))
        self.written.append(Written(message, update, number))

    def confirm(self, offset: int) -> None:
        self.unconfirmed = [each for each in self.unconfirmed if each[0] >= offset]

    def post(self, target: Target, text: str, entities: tuple[Entity, ...]) -> int:
        number = self._number(target.chat_id, Whose.OURS)
        mentions = tuple(each.user for each in entities if each.user is not None)
        self.posts.append(Post(target.chat_id, number, text, target.reply_to, mentions))
        return number

    def whose(self, chat: int, number: int) -> Whose:
        return self._whose.get((chat, number), Whose.MISSING)

    def _number(self, chat: int, whose: Whose) -> int:
        sequence = chat if chat < 0 else MAILBOX
        self._ids[sequence] += 1
        self._whose[chat, self._ids[sequence]] = whose
        return self._ids[sequence]


class Cut:
    """The power goes at step ``at``, None for never. What is reached is named in ``steps``."""

    def __init__(self, at: int | None) -> None:
        self._at = at
        self.steps: list[str] = []
        self.dead = asyncio.Event()

    def reach(self, name: str) -> bool:
        """Whether the process is still there after this step."""
        if self.dead.is_set():
            return False
        self.steps.append(name)
        if len(self.steps) - 1 == self._at:
            self.dead.set()
        return not self.dead.is_set()

    async def step(self, name: str) -> None:
        """As :meth:`reach`; whoever is no longer there goes no further."""
        if not self.reach(name):
            await asyncio.get_running_loop().create_future()

    def disk(self) -> type[sqlite3.Connection]:
        """Connections that do nothing once the power is gone; what wasn't committed is lost."""
        cut = self

        class Disk(sqlite3.Connection):
            def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
                cut.check(statement, "before")
                cursor = super().execute(statement, *arguments)
                cut.check(statement, "after")
                return cursor

            def executemany(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
                cut.check(statement, "before")
                return super().executemany(statement, *arguments)

        return Disk

    def check(self, statement: str, when: str) -> None:
        there = self.reach(f"{when} a commit") if statement == "commit" else True
        if not there or self.dead.is_set():
            raise sqlite3.OperationalError("no power")


class Disks(VirtualLoop):
    """Does a thread's work on the loop, a moment later: each run takes the same steps."""

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 - the caller's, as from a thread
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)

        self.call_later(0.002, work)
        return future


class Line(FakeTelegram):
    """One run's connection to Telegram."""

    def __init__(self, world: World, cut: Cut) -> None:
        super().__init__()
        self._world = world
        self._cut = cut
        self.news = asyncio.Event()

    async def poll(self, offset: int, *, limit: int, timeout: int) -> bytes:
        await self._cut.step("before getUpdates")
        self._world.confirm(offset)
        if not self._world.unconfirmed:
            self.news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self.news.wait()
        bodies = [body for _, body in self._world.unconfirmed[:limit]]
        await self._cut.step("after getUpdates")
        return b'{"ok":true,"result":[' + b",".join(bodies) + b"]}"

    async def send(
        self,
        target: Target,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> int:
        await self._cut.step("before sendMessage")
        await asyncio.sleep(0.01)
        if self._cut.dead.is_set():  # it had not left yet
            await self._cut.step("")
        number = self._world.post(target, text, entities)
        await self._cut.step("after sendMessage")
        return number

    async def probe(self, chat_id: int, message_id: int, buttons: Keyboard = ()) -> Whose:
        await self._cut.step("before a probe")
        return self._world.whose(chat_id, message_id)

    async def typing(self, target: Target) -> None:
        await self._cut.step("before sendChatAction")

    async def react(self, chat_id: int, message_id: int, emoji: str) -> None:
        await self._cut.step("before setMessageReaction")

    async def delete_webhook(self) -> None:
        await self._cut.step("before deleteWebhook")


class Way:
    """The edge's end of the broker."""

    def __init__(self, port: Port[ToWorker, ToEdge], cut: Cut) -> None:
        self._port = port
        self._cut = cut

    async def send(self, record: ToWorker) -> None:
        await self._cut.step(f"before {type(record).__name__}")
        await self._port.send(record)
        await self._cut.step(f"after {type(record).__name__}")

    async def receive(self) -> ToEdge:
        record = await self._port.receive()
        await self._cut.step(f"got {type(record).__name__}")
        return record

    def close(self) -> None:
        self._port.close()


async def work(port: Port[ToEdge, ToWorker]) -> None:
    """A worker that says each message back after a while, to each asker in order."""
    turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(deliver: Deliver) -> None:
        raw = msgspec.json.decode(deliver.body)["message"]
        if not raw["entities"]:
            await port.send(Done(deliver.id, Outcome.UNADDRESSED))
            return
        user = raw["from"]["id"]
        private = raw["chat"]["type"] == "private"
        target = Target(chat_id=raw["chat"]["id"], reply_to=raw["message_id"], private=private)
        async with turns[user]:
            await port.send(Started(deliver.id, "echo"))
            await asyncio.sleep(0.4)
            reply = Reply(text=f"<{raw['text'].split()[-1]}>")
            await port.send(Send(deliver.id, target, reply, asker=user, name=f"user {user}"))
            await port.send(Done(deliver.id, Outcome.ANSWERED))

    assert isinstance(await port.receive(), Hello)
    await port.send(Ready())
    async with asyncio.TaskGroup() as tasks:
        with suppress(Closed):
            while True:
                record = await port.receive()
                if isinstance(record, Deliver):
                    tasks.create_task(_until_closed(answer(record)))


async def _until_closed(work: Coroutine[Any, Any, None]) -> None:
    with suppress(Closed):
        await work


async def people(world: World, line: Line, clock: Callable[[], float]) -> None:
    """They write, whether the bot is there or not."""
    await asyncio.sleep(0 if world.written else 2 * SKEW)
    while world.coming:
        clock()
        world.write()
        line.news.set()
        await asyncio.sleep(0.15 if len(world.coming) % 2 else 0)
    await asyncio.sleep(QUIET)


CONFIG = TelegramConfig(pace=PaceConfig(group_per_minute=5))
"""So slow for groups that what is said there is merged."""


def live(
    world: World, path: Path, at: int | None, patch: pytest.MonkeyPatch, bot: Bot = BOT
) -> tuple[bool, list[str]]:
    """One run of the edge; whether the power went, and the steps that it took."""

    async def run() -> tuple[bool, list[str]]:
        cut = Cut(at)
        loop = asyncio.get_running_loop()
        patch.setattr("clawdcore.edge.app.Ledger", partial(Ledger, factory=cut.disk()))
        ours, theirs = memory_broker()
        line = Line(world, cut)
        began = world.now

        def clock() -> float:
            world.now = began + loop.time()
            return world.now

        edge = Edge(CONFIG, OneWorker(Way(ours, cut)), line, ledger=path, clock=clock)
        serving = asyncio.create_task(edge.run(bot))
        others = [
            asyncio.create_task(people(world, line, clock)),
            asyncio.create_task(work(theirs)),
        ]
        dead = asyncio.create_task(cut.dead.wait())
        await asyncio.wait({others[0], serving, dead}, return_when="FIRST_COMPLETED")
        if not cut.dead.is_set():
            assert not serving.done(), serving
            edge.stop()
            await asyncio.wait({serving, dead}, return_when="FIRST_COMPLETED")
        if cut.dead.is_set():
            serving.cancel()
        else:
            assert edge.books.open == 0, edge.books
        for task in (dead, *others):
            task.cancel()
        results = await asyncio.gather(serving, dead, *others, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return cut.dead.is_set(), cut.steps

    loop = Disks()
    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


def outcomes(world: World) -> dict[str, tuple[int, int]]:
    """How many answers each message got, and how many notices spoke for it."""
    answers: Counter[str] = Counter()
    notices: Counter[str] = Counter()
    for post in world.posts:
        first, *others = post.text.split(SEPARATOR)
        quoted = [each for each in world.written if each.id == post.reply_to]
        assert [each.message.chat for each in quoted].count(post.chat) == 1, post
        asker = next(each.message.user for each in quoted if each.message.chat == post.chat)
        for part, user in zip([first, *others], [asker, *post.mentions], strict=True):
            said = re.findall(r"<(\w)>", part)
            answers.update(said)
            if said:
                continue
            told = SEVERAL.search(part)
            assert told or ONE in part, post
            spoken = [each for each in world.written if each.message.user == user]
            if part is first:
                spoken = [each for each in spoken if each.id <= post.reply_to]
            for each in spoken[-int(told[1]) if told else -1 :]:
                notices[each.message.token] += 1
    return {each.token: (answers[each.token], notices[each.token]) for each in SCENARIO}


def unsure(path: Path) -> set[int]:
    """Updates whose reply may have arrived, and can't be looked for."""
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("select 1 from sqlite_master where name = 'held'").fetchone():
            return set()  # the power went before there was a table
        rows = database.execute("select id from held where state = 2 and floor = 0").fetchall()
    return {update for (update,) in rows}


def check(
    world: World, path: Path, cuts: list[str], *, twice: Collection[int] = ()
) -> Counter[str]:
    """Assert that each message has one outcome; how many have which.

    The updates ``twice`` may have a notice on top.
    """
    found: Counter[str] = Counter()
    with closing(sqlite3.connect(path)) as database:
        held = database.execute("select id, state from held").fetchall()
        ended = dict(database.execute("select id, outcome from ended").fetchall())
    assert held == [], cuts
    assert set(ended) == {each.update for each in world.written}, cuts
    assert not world.coming
    ids = {each.message.token: each.update for each in world.written}
    got = outcomes(world)
    for message in SCENARIO:
        answers, notices = got[message.token]
        why = f"message {message.token} has {answers} answers, {notices} notices: {cuts}"
        total = answers + notices
        allowed = 1 + (ids[message.token] in twice)
        assert bool(total) == message.addressed, why
        assert answers <= 1, why
        assert total <= allowed, why
        found["repeated"] += max(0, total - 1)
        kind = "answered" if answers else "noticed" if notices else "unaddressed"
        found[kind] += 1
        # A notice that is found after another cut counts as an answer in the ledger.
        may = {"unaddressed"} if kind == "unaddressed" else {kind, "answered"}
        if total > 1:
            may.add("noticed")
        assert ended[ids[message.token]] in may, (ended, message, cuts)
    texts = [part for post in world.posts for part in re.findall(r"<(\w)>", post.text)]
    if {"c", "h"} <= set(texts):
        assert texts.index("c") < texts.index("h"), cuts
    return +found


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """A path of a ledger for each time it is asked."""
    return (tmp_path / str(number) / LEDGER_FILE for number in itertools.count())


def test_without_a_cut_everything_is_answered(
    folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, path = World(), next(folders)
    assert not live(world, path, None, monkeypatch)[0]
    assert check(world, path, []) == {"answered": 9, "unaddressed": 1}
    assert any(SEPARATOR in post.text for post in world.posts), "nothing was merged"


@pytest.mark.parametrize("reads_all", [False, True])
def test_a_cut_at_any_step_leaves_one_outcome_for_each_message(
    folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch, reads_all: bool
) -> None:
    bot = Bot(BOT.id, BOT.username, reads_all)
    total: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for step in itertools.count():
        world, path = World(), next(folders)
        dead, steps = live(world, path, step, monkeypatch, bot)
        if not dead:
            break
        names[steps[-1]] += 1
        assert not live(world, path, None, monkeypatch, bot)[0]
        found = check(world, path, [f"{step}: {steps[-1]}"])
        assert found["unaddressed"] == 1
        total += found
    assert names["before sendMessage"] > 5
    assert names["after sendMessage"] > 5
    assert names["after a commit"] > 10
    assert {"after getUpdates", "before Deliver", "got Started", "got Send", "got Done"} <= set(
        names
    )
    assert total["answered"] > total["noticed"] > 0


def test_what_an_earlier_run_sent_is_not_taken_for_an_answer_that_never_left(
    folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting() -> World:
        """Somebody wrote, and then the run before sent something else to their chat."""
        world = World()
        world.coming = [SCENARIO[0]]
        world.write()
        world.post(Target(chat_id=SCENARIO[0].chat), "of the run before", ())
        world.now += 100
        return world

    steps = live(waiting(), next(folders), None, monkeypatch)[1]
    world, path = waiting(), next(folders)
    assert live(world, path, steps.index("before sendMessage"), monkeypatch)[0]
    assert len(world.posts) == 1
    assert not live(world, path, None, monkeypatch)[0]
    assert [post.text for post in world.posts[1:]] == [ONE]


def test_two_cuts_in_a_row_leave_one_outcome_for_each_message(
    folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(20)
    length = len(live(World(), next(folders), None, monkeypatch)[1])
    deaths: Counter[int] = Counter()
    for _ in range(PAIRS):
        world, path = World(), next(folders)
        cuts: list[str] = []
        doubtful: set[int] = set()
        first, second = chance.randrange(length), chance.randrange(min(60, length))
        for at in (first, second):
            dead, steps = live(world, path, at, monkeypatch)
            cuts.append(f"{at}: {steps[-1]}" if dead else "none")
            if not dead:
                break
            doubtful = unsure(path)
        deaths[sum(cut != "none" for cut in cuts)] += 1
        assert not live(world, path, None, monkeypatch)[0]
        check(world, path, cuts, twice=doubtful)
    assert deaths[2] > PAIRS // 3
