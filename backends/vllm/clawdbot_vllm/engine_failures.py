"""What vLLM raises inside this process, as the errors of the contract. No IO here.

vLLM is looked at by the names of its classes, so that nothing of it is imported.
Its own words are never repeated: they may quote the user.
"""

from __future__ import annotations

from typing import Final

from clawdcore import (
    BackendError,
    BackendUnavailable,
    EngineDead,
    GenerationFailed,
    Overloaded,
    RequestRefused,
)

from .failures import TOO_LONG

WAIT: Final = 1.0
"""Seconds that a caller is told to wait when nothing is known of late answers."""


def named(error: Exception, where: str, *, begun: bool, wait: float | None = None) -> BackendError:
    """The error that ``error`` means; ``begun`` after the first token of the answer.

    ``wait`` is the mean seconds in the queue, None where unknown.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if begun:
        return GenerationFailed(f"{where} broke in the middle of an answer.", fix="Ask again.")
    if names & {"QueueOverflowError", "MaxQueuedTokensError"}:
        return Overloaded(f"{where} takes no more requests now.", retry_after=max(WAIT, wait or 0))
    if "EngineDeadError" in names:
        return EngineDead(
            f"{where}: its engine has died.",
            fix="Restart the bot; if the log says out of memory, lower options.memory.",
        )
    if names & {"VLLMClientError", "ValueError", "TypeError"}:
        return RequestRefused(f"{where} takes no request like this one.", status=400)
    return BackendUnavailable(f"{where} failed ({type(error).__name__}).", fix="Ask again.")


def too_long(error: Exception) -> bool:
    """Whether vLLM says that a prompt is longer than the model's context."""
    said = str(error).lower().encode()
    return any(words in said for words in TOO_LONG)
