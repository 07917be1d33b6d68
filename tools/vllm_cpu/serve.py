"""Serve the random model with a real vLLM on the CPU, as the tests do.

Usage: .venv/vllm/bin/python tools/vllm_cpu/serve.py --port PORT [vLLM's own flags]

Becomes the server. The settings are those under which two cores give steady
answers and true gauges: the engine in one process, one thread, and no waiting
that spins. It takes 2.2 GB and is ready after about 20 s.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from random_model import default_folder, ensure

ENVIRONMENT: Final[Mapping[str, str]] = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
FLAGS: Final = (
    *("--host", "127.0.0.1"),
    *("--served-model-name", "random"),
    *("--max-model-len", "2048"),
    *("--max-num-batched-tokens", "2048"),
    *("--scheduling-policy", "priority"),
    *("--distributed-executor-backend", "uni"),
    "--enforce-eager",
    "--enable-auto-tool-choice",
    *("--tool-call-parser", "hermes"),
    "--disable-uvicorn-access-log",
)


def main(arguments: list[str]) -> None:
    """Replace this process by vLLM; ``arguments`` come last and so win."""
    model = str(ensure(default_folder()))
    program = str(Path(sys.prefix) / "bin" / "vllm")
    cache = {"VLLM_CACHE_ROOT": str(default_folder().parent.parent / "vllm")}
    os.execve(  # noqa: S606 - to become the server is the purpose
        program,
        [program, "serve", model, *FLAGS, *arguments],
        {**os.environ, **ENVIRONMENT, **cache},
    )


if __name__ == "__main__":
    main(sys.argv[1:])
