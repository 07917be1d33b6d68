"""Whether requests carry their class, so that vLLM runs the urgent ones first. No IO here.

vLLM takes a priority in the header ``X-Vllm-Priority`` or in the body, a lower
number first; the header wins (0.32, entrypoints/generate/base/serving.py). It is
obeyed under ``--scheduling-policy priority`` and ignored under fcfs. Only a
server in development mode says which it runs, under ``/server_info``; no metric
does. Since the header costs nothing where it is ignored, and servers that don't
know it skip it as any unknown header, vLLM gets it unless it says fcfs.
"""

from __future__ import annotations

from typing import Final

import msgspec

from clawdcore import Priority

HEADER: Final = "X-Vllm-Priority"
INFO: Final = "/server_info?config_format=json"
FLAG: Final = "--scheduling-policy priority"


class Decision(msgspec.Struct, frozen=True):
    """Whether priorities are sent. ``note`` tells the owner why they may not act, "" if they do."""

    send: bool
    note: str = ""


class _Scheduler(msgspec.Struct):
    policy: str = ""


class _Config(msgspec.Struct):
    scheduler_config: _Scheduler = msgspec.field(default_factory=_Scheduler)


class _Info(msgspec.Struct):
    vllm_config: _Config = msgspec.field(default_factory=_Config)


def policy(server_info: bytes) -> str:
    """The scheduling policy out of /server_info, "" where it says none."""
    try:
        return msgspec.json.decode(server_info, type=_Info).vllm_config.scheduler_config.policy
    except msgspec.MsgspecError:
        return ""


def decide(option: bool | None, *, is_vllm: bool, told: str) -> Decision:
    """``option`` is what the owner set, ``told`` the policy that the server named, "" for none."""
    if option is not None:
        return Decision(option)
    if told == "priority":
        return Decision(True)
    if told:
        return Decision(
            False,
            f"it schedules by {told}, so that all classes of work are equal there; "
            f"start it with {FLAG}",
        )
    if is_vllm:
        return Decision(
            True,
            "it doesn't say how it schedules; requests carry their class, which acts only if it "
            f"was started with {FLAG}",
        )
    return Decision(False, "it is not vLLM, so that all classes of work are equal there")


def headers(decision: Decision, priority: Priority) -> dict[str, str]:
    """The number is the class itself: the most urgent is 0, and vLLM's default is 0 too."""
    return {HEADER: str(int(priority))} if decision.send else {}
