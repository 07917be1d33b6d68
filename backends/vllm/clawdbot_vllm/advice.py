"""What goes wrong with vLLM servers again and again, as lines of ``clawdbot doctor``. No IO here.

The flags that are named are those of vLLM 0.32; what they weigh against one another
is described in its "Optimization and Tuning".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from .advice_facts import Facts

Line = tuple[str, str, str]
"""Status (OK, WARN or FAIL), what was found, and the fix."""

OLDEST: Final = (0, 32)
"""The release whose flags and metrics are meant here."""
FEW: Final = 20
"""Requests below which a share says nothing."""
PREEMPTED: Final = 0.01
"""The share of requests that may be set back for want of memory before it is worth a line."""
REFUSED: Final = 0.05
"""The share of requests that may be turned away at the queue's bound, likewise."""
FULL: Final = 0.95
"""Cache in use, from 0 to 1, above which the next request may set another one back."""
WHOLE: Final = 2.0
"""Requests of full length for which the cache should have room, at the least."""
SWING: Final = 10.0
"""How much longer than the median the slowest hundredth of the steps may be,"""
NOTICED: Final = 0.25
"""and the seconds between two tokens from which a reader sees it."""


def advise(facts: Facts) -> list[Line]:
    """What to say of one server, the worst first; nothing where all is well."""
    if facts.health == 503:
        return [_dead(facts)]
    return [found for check in CHECKS for found in check(facts)]


def _dead(facts: Facts) -> Line:
    return (
        "FAIL",
        f"{facts.name}: its engine is dead, though the server answers.",
        'Restart it. If its log says "out of memory": lower --gpu-memory-utilization, '
        "--max-num-seqs or --max-num-batched-tokens, or add cards with --tensor-parallel-size.",
    )


def _failed(facts: Facts) -> Iterator[Line]:
    if facts.failed:
        yield (
            "WARN",
            f"{facts.name}: {facts.failed:,.0f} requests ended with an error of the engine.",
            "Look into its log at that time; out of memory under load is the usual cause: "
            "lower --max-num-batched-tokens or --gpu-memory-utilization.",
        )


def _context(facts: Facts) -> Iterator[Line]:
    if not (facts.cache_tokens and facts.context):
        return
    whole = facts.cache_tokens / facts.context
    if whole < WHOLE:
        yield (
            "WARN",
            f"{facts.name}: its cache holds {facts.cache_tokens:,} tokens, that is {whole:.1f} "
            f"requests of the full {facts.context:,}.",
            "Lower --max-model-len, or make room: --kv-cache-dtype fp8, a quantized model, "
            "or more cards.",
        )


def _preemptions(facts: Facts) -> Iterator[Line]:
    if facts.finished >= FEW and facts.preemptions > PREEMPTED * facts.finished:
        yield (
            "WARN",
            f"{facts.name}: requests were set back {facts.preemptions:,.0f} times for want of "
            f"memory, with {facts.finished:,.0f} finished; each then computes twice.",
            "Lower --max-num-seqs, or raise --gpu-memory-utilization if the card has room.",
        )


def _full(facts: Facts) -> Iterator[Line]:
    if facts.cache_use is not None and facts.cache_use > FULL:
        yield (
            "WARN",
            f"{facts.name}: {facts.cache_use:.0%} of its cache is in use.",
            "Lower --max-num-seqs or --max-model-len.",
        )


def _queue(facts: Facts) -> Iterator[Line]:
    if facts.waiting > facts.running > 0 and not facts.refused:
        yield (
            "WARN",
            f"{facts.name}: {facts.waiting:,.0f} requests wait inside it, with "
            f"{facts.running:,.0f} running; without a bound that queue has no end.",
            "Start it with --max-num-queued-reqs, and keep gateway.maxConcurrentRequests "
            "below that: the bot's own queue is fair, and says how long it takes.",
        )


def _refused(facts: Facts) -> Iterator[Line]:
    asked = facts.finished + facts.refused
    if asked >= FEW and facts.refused > REFUSED * asked:
        yield (
            "WARN",
            f"{facts.name}: it turned away {facts.refused:,.0f} of {asked:,.0f} requests.",
            "Keep gateway.maxConcurrentRequests below its --max-num-queued-reqs, count in who "
            "else uses it, or add a replica to baseUrls.",
        )


def _swing(facts: Facts) -> Iterator[Line]:
    usual, slow = facts.step_median, facts.step_slowest
    if usual is not None and slow is not None and slow >= max(NOTICED, SWING * usual):
        yield (
            "WARN",
            f"{facts.name}: between two tokens pass {usual * 1000:.0f} ms, and now and then "
            f"{slow * 1000:.0f} ms: long questions hold up the others' answers.",
            "Lower --max-num-batched-tokens; 2048 keeps answers even.",
        )


def _version(facts: Facts) -> Iterator[Line]:
    if facts.version and facts.version < OLDEST:
        shown, wanted = (".".join(map(str, parts)) for parts in (facts.version, OLDEST))
        yield (
            "WARN",
            f"{facts.name}: it is vLLM {shown}; the queue's bound and the flags of "
            f"clawdbot vllm serve are those of {wanted}.",
            "Update it.",
        )


CHECKS: Final[tuple[Callable[[Facts], Iterator[Line]], ...]] = (
    _failed,
    _context,
    _preemptions,
    _full,
    _queue,
    _refused,
    _swing,
    _version,
)
