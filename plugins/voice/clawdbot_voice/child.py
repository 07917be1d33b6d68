"""The engine's process: takes recordings on its standard input, answers on its output.

``python -m clawdbot_voice.child``. It ends when its input does, in the middle of a
recording too, so that it never outlives the bot.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, Final

import msgspec

from .decoding import decode
from .failures import EngineFailed, TooLong, VoiceError, code_of
from .recogniser import Recogniser, recognise
from .wire import HEADER, Answer, Job, Setup, length, pack, unpack

LOWER: Final = 19
"""How much nicer than the bot, as much as can be: its own work goes first where processors
are short."""
TRIES: Final = 5


def main() -> None:
    """Answer until the input ends."""
    _settle()
    given, told = sys.stdin.buffer, _own_output()
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
                told.write(pack(Answer()))
                told.flush()
            answers = work(recogniser, job)
        except VoiceError as error:
            answers = iter([Answer(over=True, error=code_of(error))])
        for answer in answers:
            told.write(pack(answer))
            told.flush()


def load(setup: Setup) -> Recogniser:
    """The model in memory.

    Raises:
        VoiceError: it can't be loaded.
    """
    module, _, name = setup.recogniser.partition(":")
    kind = getattr(import_module(module), name)
    try:
        recogniser: Recogniser = kind(setup.model, setup.device, setup.compute_type, setup.threads)
    except VoiceError:
        raise
    except Exception as error:  # whatever the libraries raise for weights that they don't like
        raise EngineFailed("The model can't be loaded.") from error
    return recogniser


def work(recogniser: Recogniser, job: Job) -> Iterator[Answer]:
    """The answers to one job.

    What a library raises beside what it should ends the process, as a crash of native
    code does: printed nowhere, since it may quote the speech.
    """
    try:
        samples = decode(job.data, most=job.most)
        yield Answer()
        for heard in recognise(recogniser, samples, job.language):
            yield Answer(heard=heard)
    except TooLong as error:
        yield Answer(over=True, error=code_of(error), seconds=error.seconds)
    except VoiceError as error:
        yield Answer(over=True, error=code_of(error))
    else:
        yield Answer(over=True)


def _settle() -> None:
    """No core file, files for us alone, and behind the bot in the line for a processor."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    _step_back()


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


def _own_output() -> BinaryIO:
    """The pipe to the bot; whatever else a library prints goes nowhere."""
    told = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return told


def _receive(given: BinaryIO, jobs: SimpleQueue[Job]) -> None:
    while True:
        try:
            jobs.put(unpack(_read(given), Job))
        except (EOFError, OSError, msgspec.MsgspecError):  # the bot is gone, or it is no bot
            os._exit(0)


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
