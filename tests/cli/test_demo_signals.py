"""Signals that end the demo although they interrupt nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from clawdcore.cli.demo_signals import Signals


@pytest.fixture
def waiting() -> Iterator[int]:
    """What to read from, to wait; ends after 20 s, so that a signal not seen fails a test."""
    read, write = os.pipe()
    end = threading.Timer(20, os.write, (write, b"never came"))
    end.start()
    yield read
    end.cancel()
    end.join()
    os.close(read)
    os.close(write)


def aside(number: signal.Signals) -> threading.Thread:
    """Sends it to a thread of its own, once the main thread waits: that goes on waiting."""

    def send() -> None:
        threading.Event().wait(0.05)
        signal.pthread_kill(threading.get_ident(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_interrupts_nothing_ends_the_wait(
    waiting: int, number: signal.Signals
) -> None:
    with Signals(), pytest.raises(SystemExit) as ended:
        aside(number)
        os.read(waiting, 64)
    assert ended.value.code == 128 + number


def test_so_does_ctrl_c(waiting: int) -> None:
    with Signals(), pytest.raises(KeyboardInterrupt):
        aside(signal.SIGINT)
        os.read(waiting, 64)


def test_a_second_ctrl_c_can_be_ignored(waiting: int) -> None:
    with Signals() as signals:
        signals.ignore_interrupts()
        aside(signal.SIGINT).join()


def test_what_was_set_before_is_set_again() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    threads = threading.active_count()
    with Signals():
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert after == before
    assert threading.active_count() == threads
    assert signal.set_wakeup_fd(-1) == -1
