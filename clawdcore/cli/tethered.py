"""The command ``clawdbot``, tied to whoever started it: it stops when standard input closes.

``python -m clawdcore.cli.tethered run …`` is how the demo starts its bot, so
that no bot is left behind, however the demo ends. Works wherever pipes do.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Final

PATIENCE: Final = 10.0
"""Seconds to stop cleanly in; nobody is there any more to read what is answered later."""


def stop_with_parent() -> None:
    """Wait for the end of standard input, then end this process: asked first, then at once."""
    try:
        while os.read(sys.stdin.fileno(), 4096):
            continue
    finally:
        # Nobody reads what it prints now, and a broken pipe would hinder its stopping.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.dup2(nowhere, sys.stderr.fileno())
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE)
        os._exit(1)


def main() -> None:
    """Entry point: watch, and be ``clawdbot``."""
    from . import main as clawdbot

    threading.Thread(target=stop_with_parent, name="tether", daemon=True).start()
    clawdbot()


if __name__ == "__main__":
    main()
