"""Signals that end the demo, also one that comes just before a prompt begins to wait.

Python runs a signal's handler between two instructions, and a read that a
signal interrupts ends early; but a signal that arrives after readline looked
for one and before it waits for a key interrupts nothing: the handler would run
after the next key. So whatever arrives is sent again until its handler ran.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final, Self

AGAIN: Final = 0.2
"""Seconds between sending a signal again."""


class Signals:
    """Within the context SIGINT raises KeyboardInterrupt, SIGTERM and SIGHUP SystemExit.

    The exit status is 128 + the signal's number. Use it in the main thread.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._handled = threading.Event()
        self._read, self._write = os.pipe()
        self._sender = threading.Thread(target=self._send_again, name="signals", daemon=True)

    def ignore_interrupts(self) -> None:
        """From here on Ctrl-C does nothing."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def __enter__(self) -> Self:
        os.set_blocking(self._write, False)
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._leave)
        self._sender.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before)
        self._handled.set()
        os.close(self._write)
        self._sender.join()
        os.close(self._read)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        self._handled.set()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    def _send_again(self) -> None:
        main = threading.main_thread().ident or 0
        ours = {int(number) for number in self._handlers}
        while came := os.read(self._read, 64):
            for number in ours.intersection(came):
                while not self._handled.wait(AGAIN):  # the first to be handled ends the demo
                    signal.pthread_kill(main, number)
