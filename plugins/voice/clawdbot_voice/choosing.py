"""From the options to engines."""

from __future__ import annotations

from functools import partial
from typing import Final

from clawdcore import Context

from . import weights
from .engines import Engine
from .local import LocalEngine
from .options import EngineName, VoiceOptions
from .server import ServerEngine
from .wire import Setup

MINUTE: Final = 60.0
RECOGNISERS: Final[dict[EngineName, str]] = {
    "faster-whisper": "clawdbot_voice.faster:FasterWhisper",
    "openai-whisper": "clawdbot_voice.original:OpenaiWhisper",
}


def engine(name: EngineName, options: VoiceOptions, context: Context) -> Engine:
    """The engine of a name, as the options want it. Nothing is started yet."""
    if name == "server":
        return ServerEngine(context.models, model=options.server_model, patience=options.timeout)
    return local(name, options)


def local(name: weights.Kind, options: VoiceOptions) -> LocalEngine:
    """An engine on this machine."""
    return LocalEngine(
        name,
        partial(_setup, name, options),
        line=options.line,
        most=options.max_seconds,
        patience=options.timeout,
        idle=options.idle_minutes * MINUTE,
    )


def _setup(name: weights.Kind, options: VoiceOptions) -> Setup:
    """What the process of an engine is told.

    Raises:
        WeightsMissing: the model is not here.
    """
    found = weights.located(
        name, options.model, given=options.model_path, cache_dir=options.cache_dir
    )
    return Setup(
        RECOGNISERS[name],
        str(found),
        device=options.device,
        compute_type=options.compute_type,
        threads=options.threads,
    )
