"""Every proxy that is measured: what starts it in front of the upstream, and its files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from chaos_parts.site import TOKEN, free_port, program

from .upstream import MODEL

BENCH: Final = Path(__file__).parents[1]
ENVIRONMENTS: Final = BENCH.parent / ".venv" / "bench-gateway"
USUAL: Final = ("bare", "ours", "smg", "vllm-router", "litellm")
SYSTEMS: Final = (*USUAL, "single")
BOTS: Final = ("ours", "single")
"""The bot as it is run, and the same bot in one process."""
SEATS: Final = 128
"""Generations at once that the bot admits, so that no load of the bench has to wait for long."""


def part(name: str, *options: str) -> list[str]:
    """The command of a module beside this one; it wants :data:`BENCH` as its folder."""
    return [sys.executable, "-m", f"gateway_parts.{name}", *options]


def environment(home: Path) -> dict[str, str]:
    """What a system finds around it: its home is ``home``, and no proxy stands in between."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith(("CLAWDBOT", "XDG_"))
    }
    return {
        **kept,
        "HOME": str(home),
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR",
    }


def command(system: str, port: int, root: str, api_root: str, folder: Path) -> list[str]:
    """What starts a system at ``port``; ``root`` (http://HOST:PORT) is the upstream.

    Its files are written to ``folder``; ``api_root`` is where the bot finds its Telegram.
    """
    if system == "bare":
        return part("bare", "--port", str(port), "--upstream", root)
    if system in BOTS:
        file = folder / "clawdbot.json"
        file.write_text(json.dumps(bot(port, root, api_root)), encoding="utf-8")
        single = ["--single"] if system == "single" else []
        return [*program(), "run", "--config", str(file), *single]
    binary = str(ENVIRONMENTS / system / "bin" / system)
    where = ["--host", "127.0.0.1", "--port", str(port)]
    if system == "litellm":
        file = folder / "litellm.json"
        file.write_text(json.dumps(litellm(root)), encoding="utf-8")
        return [binary, "--config", str(file), *where, "--telemetry", "False"]
    launch, level = (["launch"], "warn") if system == "smg" else ([], "warning")
    metrics = ["--prometheus-port", str(free_port()), "--prometheus-host", "127.0.0.1"]
    look = ["--worker-startup-check-interval", "1"]  # else it first looks after 30 seconds
    return [
        binary, *launch, "--worker-urls", root, *where, *metrics, *look, "--log-level", level
    ]  # fmt: skip


def bot(port: int, root: str, api_root: str) -> dict[str, Any]:
    """The configuration of the bot: its gateway as ever, admission on."""
    return {
        "agents": {"defaults": {"workspace": "state", "model": {"primary": f"vllm/{MODEL}"}}},
        "models": {"providers": {"vllm": {"baseUrl": f"{root}/v1"}}},
        "channels": {"telegram": {"apiRoot": api_root}},
        "gateway": {"port": port, "maxConcurrentRequests": SEATS},
    }


def litellm(root: str) -> dict[str, Any]:
    """The configuration of LiteLLM's proxy; JSON is YAML."""
    served = {"model": f"openai/{MODEL}", "api_base": f"{root}/v1", "api_key": "none"}
    return {
        "model_list": [{"model_name": MODEL, "litellm_params": served}],
        "general_settings": {"dangerously_permit_weak_or_unset_master_key": True},
    }


def missing(system: str) -> str:
    """Why a rival can't even be tried, or ""."""
    if system in ("bare", *BOTS):
        return ""
    folder = ENVIRONMENTS / system
    if (folder / "bin" / system).exists():
        return ""
    log = ENVIRONMENTS / f"{system}.log"
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return "it is not installed; `make bench-gateway` does that"
    return f"it can't be installed ({next(filter(None, lines), 'no reason was given')})"
