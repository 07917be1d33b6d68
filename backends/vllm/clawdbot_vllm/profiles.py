"""The command lines of ``clawdbot vllm serve``, with a reason for each flag. No IO here.

The flags are those of vLLM 0.32, whose own parser tests them. The sizes of the profiles
are the usual ones for a card of 24 GB (small), of 48 GB or more (medium), and for two
of them (large), with weights in 16 bits.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

CONTEXT: Final = 8192
"""Tokens of one request, question and answer together."""
MEMORY: Final = 0.9
"""The share of each card's memory that vLLM takes; the rest is for the driver and peaks."""
QUEUE: Final = 2
"""Requests inside vLLM for each that may run: as many again wait as run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How large a server is.

    ``batched_tokens`` are those of one step, ``sequences`` requests that run at
    once, ``cards`` the GPUs over which each layer is split.
    """

    model: str
    batched_tokens: int
    sequences: int
    cards: int = 1


PROFILES: Final[Mapping[str, Profile]] = {
    "small": Profile(model="Qwen/Qwen2.5-7B-Instruct", batched_tokens=2048, sequences=32),
    "medium": Profile(model="Qwen/Qwen2.5-7B-Instruct", batched_tokens=4096, sequences=64),
    "large": Profile(
        model="Qwen/Qwen2.5-14B-Instruct", batched_tokens=8192, sequences=128, cards=2
    ),
}

TOOL_PARSERS: Final[Mapping[str, str]] = {"Qwen/Qwen2.5-": "hermes"}
"""How a family of models writes a call of a tool, by the beginning of its name."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of ``vllm serve``; ``value`` is "" for a switch."""

    name: str
    value: str
    why: str

    def words(self) -> list[str]:
        """What stands on the command line."""
        return [self.name, self.value] if self.value else [self.name]


@dataclass(frozen=True, slots=True)
class Line:
    """A whole command line: the model, then the flags, then what the owner added."""

    model: str
    flags: tuple[Flag, ...]
    added: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """The program and its arguments."""
        own = [word for flag in self.flags for word in flag.words()]
        return ["vllm", "serve", self.model, *own, *self.added]

    def shown(self) -> str:
        """For a shell: a comment for each flag, then the command, a flag a line."""
        comments = [f"# {' '.join(flag.words())}: {flag.why}" for flag in self.flags]
        parts = [["vllm", "serve", self.model], *(flag.words() for flag in self.flags)]
        if self.added:
            parts.append(list(self.added))
        return "\n".join([*comments, " \\\n  ".join(map(shlex.join, parts))])


def line(
    profile: Profile,
    *,
    model: str = "",
    name: str = "",
    host: str = "127.0.0.1",
    port: int = 8000,
    added: Sequence[str] = (),
) -> Line:
    """The command line of ``profile``.

    ``model`` is a name on a hub or a folder ("" for the profile's), ``name`` what
    requests call it ("" for the last part of ``model``). A flag in ``added`` takes
    the place of the profile's own.
    """
    chosen = model or profile.model
    served = name or chosen.rstrip("/").rpartition("/")[2]
    taken = {_name(word) for word in added if word.startswith("--")}
    flags = tuple(
        flag for flag in _flags(profile, chosen, served, host, port) if flag.name not in taken
    )
    return Line(chosen, flags, tuple(added))


def _name(word: str) -> str:
    """The flag's name as it is written here: vLLM takes underscores and ``=`` too."""
    return word.partition("=")[0].replace("_", "-")


def _flags(profile: Profile, model: str, served: str, host: str, port: int) -> list[Flag]:
    flags = [
        Flag("--host", host, "who can reach it: this machine alone, unless told otherwise."),
        Flag("--port", str(port), "the port in models.providers.vllm.baseUrl."),
        Flag("--served-model-name", served, "what requests and clawdbot.json call the model."),
        Flag(
            "--max-model-len",
            str(CONTEXT),
            "tokens of one request, question and answer. More takes more memory for each.",
        ),
        Flag(
            "--gpu-memory-utilization",
            str(MEMORY),
            "of each card's memory: weights first, the rest is cache. Lower it if memory runs out.",
        ),
        Flag(
            "--max-num-batched-tokens",
            str(profile.batched_tokens),
            "tokens of one step. More reads long questions faster, fewer keeps answers even.",
        ),
        Flag(
            "--max-num-seqs",
            str(profile.sequences),
            "requests that run at once. More is more in all, and slower for each.",
        ),
        Flag(
            "--max-num-queued-reqs",
            str(QUEUE * profile.sequences),
            "requests inside vLLM, running and waiting; one more gets 503. Without it the queue "
            "has no end. The bot's own queue stands before it, and is fair.",
        ),
        Flag(
            "--scheduling-policy",
            "priority",
            "private chats before a flood in a group. By default vLLM ignores priorities.",
        ),
    ]
    if profile.cards > 1:
        flags.append(
            Flag("--tensor-parallel-size", str(profile.cards), "GPUs that share each layer.")
        )
    parser = next((known for name, known in TOOL_PARSERS.items() if model.startswith(name)), "")
    if parser:
        flags += [
            Flag("--enable-auto-tool-choice", "", "lets the model call tools when it likes."),
            Flag("--tool-call-parser", parser, "how this model writes such a call."),
        ]
    flags.append(
        Flag(
            "--disable-access-log-for-endpoints",
            "/health,/metrics",
            "the bot asks for these every second.",
        )
    )
    return flags
