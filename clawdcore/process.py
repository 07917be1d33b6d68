"""What a process asks of the kernel: that its memory reaches no disk, and that it outlives nobody.

Linux knows all of it. Elsewhere, what is said to be Linux's does nothing, and a
:func:`tether` alone ends a process whose parent is gone.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
PR_SET_DUMPABLE: Final = 4
OWNER_ONLY: Final = 0o077
"""The umask: bits that new files don't get."""
ORPHANED: Final = 0
"""The exit status of a process whose parent is gone: nobody is left who would ask for it."""


def python() -> list[str]:
    """The command of this Python, with ``-m``, for a program that sees the modules that we see.

    Those of the working folder only where it is on our own path.
    """
    sees = any(os.path.abspath(entry) == os.getcwd() for entry in sys.path)  # noqa: PTH100, PTH109
    return [sys.executable, *([] if sees else ["-P"]), "-m"]


def harden() -> None:
    """Leave no core file, let nobody of this user look into the memory, write files for us alone.

    Call it first in every process: ``execve`` makes a program dumpable again.
    A crash leaves the places in the code, which hold no values, on standard error.

    On Linux a process that is not dumpable can't be traced, is not dumped even
    where ``core_pattern`` pipes dumps to a program (which ignores the limit), and
    most of its ``/proc`` files belong to root. Its ``stat``, ``statm``, ``status``
    and ``oom_score`` stay readable; ``fd``, ``maps``, ``smaps_rollup``, ``io`` and
    ``environ`` do not, not even for its parent; nor can its ``oom_score_adj`` be
    written any more, so set that before.

    Raises:
        OSError: the kernel refuses.
    """
    os.umask(OWNER_ONLY)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):
        _prctl(PR_SET_DUMPABLE, 0)
    if sys.stderr is not None:
        faulthandler.enable(file=sys.stderr, all_threads=True)


def die_with_parent(parent: int) -> None:
    """On Linux, be killed when the parent is gone, however it went.

    ``parent`` is its process id as it told us; if another one is our parent by
    now, it died before we could ask, and we end here. The kernel means the
    *thread* that started us: a parent must start us from one that lasts, as its
    main thread does.

    Raises:
        OSError: the kernel refuses.
    """
    if not sys.platform.startswith("linux"):
        return
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(ORPHANED)


def tether(
    fd: int, *, grace: float, first: Callable[[], None] | None = None, status: int = ORPHANED
) -> threading.Thread:
    """End this process with ``status``, ``grace`` seconds after the other end of ``fd`` closes.

    ``fd`` is a pipe or socket whose other end the parent alone holds; what is
    read from it is thrown away. ``first`` is called at the close, to ask for an
    orderly end. Works wherever pipes do. Returns the (daemon) thread that waits.

    Raises:
        OSError: ``fd`` is not open.
    """
    os.fstat(fd)
    thread = threading.Thread(
        target=_hold, args=(fd, grace, first, status), name="tether", daemon=True
    )
    thread.start()
    return thread


def _hold(fd: int, grace: float, first: Callable[[], None] | None, status: int) -> None:
    try:
        while _more(fd):
            continue
        if first is not None:
            first()
        time.sleep(grace)
    finally:
        os._exit(status)


def _more(fd: int) -> bool:
    try:
        return bool(os.read(fd, 4096))
    except OSError:  # reset: the other end went with something unread
        return False


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")
