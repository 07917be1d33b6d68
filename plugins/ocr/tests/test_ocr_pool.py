"""The reader with its process; what is in that process is made up (ocr_recogniser.py)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clawdbot_ocr.failures import (
    EngineBusy,
    EngineCrashed,
    EngineFailed,
    EngineSlow,
    NoText,
    NotInstalled,
    NotPicture,
    OcrError,
    TooLarge,
    TooManyPixels,
)
from clawdbot_ocr.local import Bounds, LocalReader
from clawdbot_ocr.reading import Picture
from clawdbot_ocr.wire import HEADER, Answer, Job, Setup, length, pack, unpack

HERE = Path(__file__).parent
LIMIT = 120.0
"""Seconds after which a test fails that waits for a process; it takes one."""


def shade(value: int, size: tuple[int, int] = (40, 30)) -> bytes:
    target = BytesIO()
    Image.new("L", size, value).save(target, "PNG")
    return target.getvalue()


GREY, WHITE, BLACK = shade(100), shade(255), shade(0)


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(LIMIT):
            await work

    asyncio.run(limited())


@asynccontextmanager
async def reader(
    behaviour: str = "Reads",
    *,
    languages: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
    spare: str = "",
    **given: Any,
) -> AsyncIterator[LocalReader]:
    bounds: dict[str, Any] = {
        "max_bytes": 10_000,
        "max_pixels": 5_000,
        "max_pages": 2,
        "line": 8,
        "seconds": LIMIT,
        "idle": 600.0,
    }
    setup = Setup(f"ocr_recogniser:{behaviour}", languages)
    made = LocalReader(
        setup,
        Bounds(**(bounds | given)),
        env={"PYTHONPATH": str(HERE), **(env or {})},
        spare=Setup(f"ocr_recogniser:{spare}") if spare else None,
    )
    try:
        yield made
    finally:
        await made.close()


async def failure(made: LocalReader, data: bytes) -> OcrError:
    with pytest.raises(OcrError) as caught:
        await made.read(Picture(data))
    return caught.value


def gone(pid: int) -> bool:
    """Whether a process has ended; one of another parent's may not have been waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"


async def started(made: LocalReader) -> int:
    while made.pid is None:
        await asyncio.sleep(0.01)
    return made.pid


def test_the_bot_goes_first_where_processors_are_short() -> None:
    async def work() -> None:
        async with reader() as made:
            await made.read(Picture(GREY))
            assert made.pid is not None
            assert os.getpriority(os.PRIO_PROCESS, made.pid) == 19
            session = Path(f"/proc/{made.pid}/autogroup")
            if session.exists():  # a kernel that shares processors between sessions first
                assert session.read_text().split()[-1] == "19"

    run(work())


def test_a_picture_is_read_and_the_process_stays_for_the_next() -> None:
    async def work() -> None:
        async with reader() as made:
            assert made.pid is None
            reading = await made.read(Picture(GREY))
            assert reading.pages == ("40x30 100",)
            assert reading.more == 0
            assert reading.engine == "fake"
            pid = made.pid
            assert pid is not None
            await made.read(Picture(GREY))
            assert made.pid == pid
        assert gone(pid)

    run(work())


def test_pages_are_read_in_order_and_those_left_out_are_counted() -> None:
    target = BytesIO()
    pages = [Image.new("L", (10 + index, 10), 100) for index in range(5)]
    pages[0].save(target, "TIFF", save_all=True, append_images=pages[1:])

    async def work() -> None:
        async with reader(max_pages=3) as made:
            reading = await made.read(Picture(target.getvalue(), "image/tiff"))
            assert reading.pages == ("10x10 100", "11x10 100", "12x10 100")
            assert reading.more == 2

    run(work())


def test_the_process_is_told_the_languages() -> None:
    async def work() -> None:
        async with reader("Languages", languages=("eng", "chi_sim")) as made:
            assert (await made.read(Picture(GREY))).pages == ("eng+chi_sim",)

    run(work())


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (WHITE, NoText),
        (b"junk", NotPicture),
        (b"", NotPicture),
        (shade(9, (90, 90)), TooManyPixels),
    ],
    ids=["no text", "junk", "empty", "too many pixels"],
)
def test_a_picture_that_is_to_blame_leaves_the_process_alone(
    data: bytes, error: type[OcrError]
) -> None:
    async def work() -> None:
        async with reader() as made:
            await made.read(Picture(GREY))
            pid = made.pid
            caught = await failure(made, data)
            assert type(caught) is error
            if isinstance(caught, TooManyPixels):
                assert caught.pixels == 8_100
            assert made.pid == pid
            assert (await made.read(Picture(GREY))).pages

    run(work())


def test_a_file_that_is_too_large_starts_nothing() -> None:
    async def work() -> None:
        async with reader(max_bytes=len(GREY) - 1) as made:
            caught = await failure(made, GREY)
            assert isinstance(caught, TooLarge)
            assert caught.size == len(GREY)
            assert made.pid is None

    run(work())


def test_a_crash_of_native_code_is_told_and_the_next_picture_starts_a_new_process() -> None:
    async def work() -> None:
        async with reader("Crashes") as made:
            for _ in range(2):
                assert isinstance(await failure(made, BLACK), EngineCrashed)
                assert made.pid is None
                assert (await made.read(Picture(GREY))).pages

    run(work())


def test_a_picture_that_crashes_one_engine_is_read_by_the_other_and_the_next_by_the_first() -> None:
    async def work() -> None:
        async with reader("Crashes", spare="Spare") as made:
            for data, engine in (
                (GREY, "fake"),
                (BLACK, "spare"),
                (BLACK, "spare"),
                (GREY, "fake"),
            ):
                assert (await made.read(Picture(data))).engine == engine

    run(work())


@pytest.mark.parametrize("spare", ["Crashes", "Missing"])
def test_a_crash_that_the_other_engine_cannot_mend_is_told(spare: str) -> None:
    async def work() -> None:
        async with reader("Crashes", spare=spare) as made:
            assert isinstance(await failure(made, BLACK), EngineCrashed)
            assert (await made.read(Picture(GREY))).engine == "fake"

    run(work())


def test_a_process_that_died_between_two_pictures_is_not_noticed() -> None:
    async def work() -> None:
        async with reader() as made:
            await made.read(Picture(GREY))
            os.kill(await started(made), signal.SIGKILL)
            assert (await made.read(Picture(GREY))).pages

    run(work())


@pytest.mark.parametrize("behaviour", ["Raises", "Refuses", "Broken"])
def test_errors_of_libraries_are_told_without_their_texts(
    behaviour: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        async with reader(behaviour) as made:
            caught = await failure(made, GREY)
            assert isinstance(caught, EngineFailed)
            assert "secret" not in repr(caught) + str(caught.__cause__)

    run(work())
    assert "secret" not in "".join(capfd.readouterr())


def test_an_engine_that_is_not_here_is_told_with_its_remedy() -> None:
    async def work() -> None:
        async with reader("Missing") as made:
            caught = await failure(made, GREY)
            assert isinstance(caught, NotInstalled)
            assert caught.fix == "apt install it"

    run(work())


def test_one_that_hangs_is_killed_at_the_time_limit() -> None:
    async def work() -> None:
        async with reader("Hangs", seconds=5.0) as made:
            task = asyncio.create_task(failure(made, GREY))
            pid = await started(made)
            assert isinstance(await task, EngineSlow)
            assert gone(pid)
            assert made.pid is None

    run(work())


def test_who_gives_up_ends_the_process_and_the_next_in_line_gets_a_new_one(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with reader("Starts", env={"TMPDIR": str(tmp_path)}) as made:
            first = asyncio.create_task(made.read(Picture(GREY)))
            second = asyncio.create_task(made.read(Picture(GREY)))
            program = await program_in(tmp_path)
            pid = await started(made)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert gone(pid)
            while not gone(program):
                await asyncio.sleep(0.01)
            assert await program_in(tmp_path, other_than=program) != program
            assert await started(made) != pid
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)

    run(work())


async def program_in(folder: Path, *, other_than: int = 0) -> int:
    """The process id of a program that was started, as soon as it is there."""
    while True:
        for file in folder.iterdir():
            if int(file.name) != other_than:
                return int(file.name)
        await asyncio.sleep(0.01)


def test_the_line_is_bounded() -> None:
    async def work() -> None:
        async with reader(line=1) as made:
            tasks = [asyncio.create_task(made.read(Picture(GREY))) for _ in range(3)]
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert [isinstance(result, EngineBusy) for result in results] == [False, False, True]

    run(work())


def test_an_idle_engine_is_unloaded_and_loaded_again() -> None:
    async def work() -> None:
        async with reader(idle=0.05) as made:
            await made.read(Picture(GREY))
            while made.pid is not None:
                await asyncio.sleep(0.01)
            assert (await made.read(Picture(GREY))).pages

    run(work())


def test_closing_ends_who_is_waiting() -> None:
    async def work() -> None:
        async with reader("Hangs") as made:
            task = asyncio.create_task(failure(made, GREY))
            pid = await started(made)
            await made.close()
            await made.close()
            assert gone(pid)
            assert isinstance(await task, EngineCrashed)
            assert isinstance(await failure(made, GREY), EngineFailed)

    run(work())


def test_the_loop_goes_on_while_the_process_works() -> None:
    async def work() -> None:
        async with reader("Hangs") as made:
            task = asyncio.create_task(made.read(Picture(GREY)))
            await started(made)
            for _ in range(100):
                await asyncio.sleep(0)
            assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(work())


def test_the_process_asks_nothing_of_a_network() -> None:
    async def work() -> None:
        async with reader("Asks") as made:
            assert (await made.read(Picture(GREY))).pages == ("it was held back",)

    run(work())


@pytest.mark.parametrize(
    ("behaviour", "outcome"), [("Writes", "it was held back"), ("Dumps", "True 0")]
)
def test_nothing_of_a_picture_can_be_written_to_a_file(
    behaviour: str, outcome: str, tmp_path: Path
) -> None:
    async def work() -> None:
        async with reader(behaviour, env={"TMPDIR": str(tmp_path)}) as made:
            assert (await made.read(Picture(GREY))).pages == (outcome,)

    run(work())
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) == 0


# ---- the process by itself, spoken to over its pipes


@contextmanager
def child(behaviour: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "clawdbot_ocr.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(HERE), **env},
    )
    with process:
        tell(process, Setup(f"ocr_recogniser:{behaviour}"))
        try:
            yield process
        finally:
            process.kill()


def tell(process: subprocess.Popen[bytes], record: object) -> None:
    assert process.stdin is not None
    process.stdin.write(pack(record))
    process.stdin.flush()


def answer(process: subprocess.Popen[bytes]) -> Answer:
    assert process.stdout is not None
    return unpack(process.stdout.read(length(process.stdout.read(HEADER))), Answer)


JOB = Job(GREY, 5_000, 1)


def test_it_ends_with_the_bot_in_the_middle_of_a_picture_and_ends_what_it_started(
    tmp_path: Path,
) -> None:
    with child("Starts", TMPDIR=str(tmp_path)) as process:
        tell(process, JOB)
        program = asyncio.run(asyncio.wait_for(program_in(tmp_path), LIMIT))
        assert process.stdin is not None
        process.stdin.close()  # as the system does it for a bot that was killed
        assert process.wait(LIMIT) == -signal.SIGKILL

        async def ended() -> None:
            while not gone(program):
                await asyncio.sleep(0.01)

        asyncio.run(asyncio.wait_for(ended(), LIMIT))


def test_it_ends_when_what_it_gets_is_no_job() -> None:
    with child("Reads") as process:
        tell(process, "nonsense")
        assert process.wait(LIMIT) == -signal.SIGKILL


def test_it_is_nicer_than_the_bot_and_leaves_no_core() -> None:
    with child("Reads") as process:
        tell(process, JOB)
        assert answer(process).pages == ("40x30 100",)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 10
        assert os.getpgid(process.pid) == process.pid
        limits = Path(f"/proc/{process.pid}/limits")
        if limits.exists():
            (core,) = [line for line in limits.read_text().splitlines() if "core file" in line]
            assert core.split()[4:6] == ["0", "0"]


def test_a_crash_says_nothing_of_the_picture() -> None:
    with child("Raises") as process:
        tell(process, JOB)
        assert process.wait(LIMIT) != 0
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"secret" not in process.stdout.read() + process.stderr.read()
