"""The child process: llama.cpp's HTTP server, and nothing of ours that could be lost with it.

It reads one line of JSON, the :class:`~.launch.Settings`, from stdin; loads
the model; writes ``ready`` to stdout; and serves until stdin closes. It
imports nothing of this project, so that it starts quickly and stays small.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

LOG_ERRORS: Final = 1
"""llama.cpp's verbosity. Level 2 already quotes the body of a bad request."""
PING_SECONDS: Final = 10
"""Between the server's signs of life on a stream that has nothing to send."""
OOM_SCORE: Final = 500
"""Where memory runs out the kernel should end this process, which is replaced, not the bot."""
PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
PR_SET_DUMPABLE: Final = 4


def main() -> None:
    """Serve until the parent closes stdin or dies."""
    # Service managers send these to every process; the parent may still be draining.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    report = os.dup(1)
    os.dup2(2, 1)  # what native code prints must not end up in the report
    _protect()
    settings = json.loads(sys.stdin.buffer.readline())
    # Loading holds the interpreter, so only a signal that needs no Python can end it.
    _end_with_parent(signal.SIGKILL, settings["parent"])
    _server = _serve(settings)  # it serves while this is referenced
    signal.signal(signal.SIGHUP, lambda *_: _leave(settings))
    _end_with_parent(signal.SIGHUP, settings["parent"])
    # From here on requests come in: what llama.cpp prints goes nowhere.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.write(report, b"ready\n")
    os.close(report)
    while sys.stdin.buffer.read(4096):
        pass
    _leave(settings)


def _leave(settings: dict[str, Any]) -> None:
    shutil.rmtree(Path(settings["socket"]).parent, ignore_errors=True)
    os._exit(0)  # the parent is gone or done with us: nothing is worth an orderly teardown


def _serve(settings: dict[str, Any]) -> Any:
    llama: Any = importlib.import_module("xllamacpp")
    params = llama.CommonParams()
    params.model.path = settings["model"]
    params.model_alias = {settings["name"]}
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["slots"] * settings["context"]
    params.kv_unified = False  # a slot's context is its own
    params.n_batch = params.n_ubatch = settings["batch"]
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = settings["threads"]
        cpu.poll = 0  # see launch.PASSIVE
    params.no_extra_bufts = not settings["repack"]
    if settings["gpu_layers"] is not None:
        params.n_gpu_layers = settings["gpu_layers"]
    params.hostnames = [settings["socket"]]
    params.api_keys = [settings["key"]]
    params.cors_origins = ""
    params.ui = False
    params.offline = True
    params.use_jinja = True
    params.endpoint_slots = True
    params.endpoint_metrics = False
    params.endpoint_props = False
    # Kept prompts: by default up to 8 GiB of what people wrote.
    params.cache_ram_mib = 0
    params.ctx_shift = False
    params.verbosity = LOG_ERRORS
    params.sse_ping_interval = PING_SECONDS
    return llama.Server(params)


def _end_with_parent(signum: signal.Signals, parent: int) -> None:
    if not sys.platform.startswith("linux"):
        return  # there, the closing of stdin alone ends us
    _prctl(PR_SET_PDEATHSIG, signum)
    if os.getppid() != parent:  # it died before we asked
        os._exit(0)


def _protect() -> None:
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):
        with suppress(OSError):  # a wish: some sandboxes have no such file
            Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
        _prctl(PR_SET_DUMPABLE, 0)  # no core dumps, no tracing: memory holds what people wrote


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


if __name__ == "__main__":
    main()
