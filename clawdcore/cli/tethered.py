"""The command ``clawdbot``, tied to whoever started it: it stops when standard input closes.

``python -m clawdcore.cli.tethered run …`` is how the demo starts its bot, so
that no bot is left behind, however the demo ends. Works wherever pipes do.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Final

from ..process import tether

PATIENCE: Final = 10.0
"""Seconds to stop cleanly in; nobody is there any more to read what is answered later."""


def ask_to_stop() -> None:
    """As SIGTERM from outside would; what is printed from here on goes nowhere."""
    # Nobody reads what it prints now, and a broken pipe would hinder its stopping.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Entry point: watch, and be ``clawdbot``."""
    from . import main as clawdbot

    tether(sys.stdin.fileno(), grace=PATIENCE, first=ask_to_stop, status=1)
    clawdbot()


if __name__ == "__main__":
    main()
