"""The engine's process: takes pictures on its standard input, answers on its output.

``python -m clawdbot_ocr.child``. It ends when its input does, in the middle of a picture
too, and takes the programs with it that it has started, so that nothing outlives the bot.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, Final

import msgspec

from .codes import told
from .decoding import Pages
from .failures import EngineFailed, OcrError
from .recogniser import Recogniser
from .wire import HEADER, Answer, Job, Setup, length, pack, unpack

LOWER: Final = 19
"""How much nicer than the bot, as much as can be: its own work goes first where processors
are short."""
TRIES: Final = 5
OUTSIDE: Final = ("socket.connect", "socket.getaddrinfo", "socket.sendto")
"""What Python tells auditors before anything is asked of a network."""


def main() -> None:
    """Answer until the input ends."""
    _settle()
    given, own = sys.stdin.buffer, _own_output()
    setup = unpack(_read(given), Setup)
    jobs: SimpleQueue[Job] = SimpleQueue()
    # The bot sends a job when the one before is over, so at most one is in there.
    threading.Thread(target=_receive, args=(given, jobs), daemon=True).start()
    recogniser: Recogniser | None = None
    while True:
        job = jobs.get()
        try:
            if recogniser is None:
                recogniser = load(setup)
            answer = work(recogniser, job)
        except OcrError as error:
            answer = told(error)
        own.write(pack(answer))
        own.flush()
        del job, answer  # they are people's, and the next may be long in coming


def load(setup: Setup) -> Recogniser:
    """The engine in memory.

    Raises:
        OcrError: it can't be loaded.
    """
    module, _, name = setup.recogniser.partition(":")
    kind = getattr(import_module(module), name)
    try:
        recogniser: Recogniser = kind(setup.languages)
    except OcrError:
        raise
    except Exception as error:  # whatever the libraries raise for weights that they don't like
        raise EngineFailed("The engine can't be loaded.") from error
    return recogniser


def work(recogniser: Recogniser, job: Job) -> Answer:
    """The answer to one job.

    What a library raises beside what it should ends the process, as a crash of native
    code does: printed nowhere, since it may quote the picture.

    Raises:
        OcrError: the picture can't be read.
    """
    pages = Pages(job.data, max_pixels=job.max_pixels, max_pages=job.max_pages)
    seen = [recogniser.read(page) for page in pages]
    readers = [each.engine for each in seen if each.text] or [each.engine for each in seen]
    return Answer(tuple(each.text for each in seen), pages.more, readers[0] if readers else "")


def _settle() -> None:
    """A group of its own, no files, no network, and behind the bot in the line for a processor."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    _step_back()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What people sent reaches no disk: not a byte can be written to a file, by programs that
    # are started here neither.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.umask(0o077)
    sys.addaudithook(_alone)


def _step_back() -> None:
    """Behind the bot in the line for a processor.

    Linux may share processors between sessions first (sched(7), autogroup); being nice then
    counts within one alone. So a session that is ours is made nice as a whole, too.
    """
    os.nice(LOWER)
    if os.getsid(0) != os.getpid():
        return
    for _ in range(TRIES):
        try:
            Path("/proc/self/autogroup").write_text(str(LOWER), encoding="ascii")
        except BlockingIOError:
            time.sleep(0.1)  # so often it may be done, by all processes together
        except OSError:
            return  # another system, or a kernel without it
        else:
            return


def _alone(event: str, _: object) -> None:
    if event in OUTSIDE:
        raise ConnectionError("The engine's process asks nothing of a network.")


def _own_output() -> BinaryIO:
    """The pipe to the bot; whatever else a library prints goes nowhere."""
    own = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return own


def _receive(given: BinaryIO, jobs: SimpleQueue[Job]) -> None:
    while True:
        try:
            jobs.put(unpack(_read(given), Job))
        except (EOFError, OSError, msgspec.MsgspecError):  # the bot is gone, or it is no bot
            os.killpg(0, signal.SIGKILL)


def _read(given: BinaryIO) -> bytes:
    """One record.

    Raises:
        EOFError: the bot is gone.
    """
    header = given.read(HEADER)
    body = given.read(length(header)) if len(header) == HEADER else b""
    if not body:
        raise EOFError
    return body


if __name__ == "__main__":
    main()
