"""The command lines of the launcher."""

from __future__ import annotations

import shlex

import pytest

from clawdbot_vllm.profiles import PROFILES, line
from clawdbot_vllm.profiles_old import renewed


def flags(words: list[str]) -> dict[str, str]:
    """Each flag's value, "" for a switch."""
    found = {}
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("--"):
            found[word] = "" if after.startswith("--") else after
    return found


@pytest.mark.parametrize(
    ("profile", "model", "batched", "sequences"),
    [
        ("small", "Qwen2.5-7B-Instruct", "2048", "32"),
        ("medium", "Qwen2.5-7B-Instruct", "4096", "64"),
        ("large", "Qwen2.5-14B-Instruct", "8192", "128"),
    ],
)
def test_each_profile_has_its_size(profile: str, model: str, batched: str, sequences: str) -> None:
    words = line(PROFILES[profile]).words()
    assert words[:3] == ["vllm", "serve", f"Qwen/{model}"]
    given = flags(words)
    assert given["--served-model-name"] == model
    assert given["--max-num-batched-tokens"] == batched
    assert given["--max-num-seqs"] == sequences
    assert given["--max-model-len"] == "8192"
    assert given["--gpu-memory-utilization"] == "0.9"
    assert given["--scheduling-policy"] == "priority"
    assert int(given["--max-num-queued-reqs"]) == 2 * int(sequences)
    assert given["--host"] == "127.0.0.1"
    assert given.get("--tensor-parallel-size") == ("2" if profile == "large" else None)


def test_another_model_is_called_by_its_last_part_and_has_no_tool_parser_of_qwen() -> None:
    words = line(PROFILES["small"], model="/models/own model/").words()
    assert words[2] == "/models/own model/"
    given = flags(words)
    assert given["--served-model-name"] == "own model"
    assert "--tool-call-parser" not in given
    assert flags(line(PROFILES["small"]).words())["--tool-call-parser"] == "hermes"


@pytest.mark.parametrize("added", [["--max-num-seqs", "8"], ["--max_num_seqs=8"]])
def test_an_own_flag_takes_the_place_of_the_profile_s(added: list[str]) -> None:
    words = line(PROFILES["small"], added=added).words()
    assert words[-len(added) :] == added
    assert "--max-num-seqs" not in words[: -len(added)]


def test_the_shown_line_is_what_a_shell_runs_and_says_why_for_each_flag() -> None:
    wanted = line(PROFILES["large"], model="own/it's", added=["--seed", "7"])
    shown = wanted.shown()
    assert shlex.split(shown.replace("\\\n", ""), comments=True) == wanted.words()
    comments = [text for text in shown.splitlines() if text.startswith("# ")]
    assert len(comments) == len(wanted.flags)
    for comment, flag in zip(comments, wanted.flags, strict=True):
        assert comment.startswith(f"# {' '.join(flag.words())}: ") and comment.endswith(".")


def test_flags_of_old_guides_are_replaced_and_explained() -> None:
    old = ["--batch-max-tokens", "512", "--disable-log-requests", "--seed", "7"]
    words, notes = renewed(old)
    assert words == ["--max-num-batched-tokens", "512", "--seed", "7"]
    assert "--max-num-batched-tokens" in notes[0]
    assert "--enable-log-requests" in notes[1]
    assert renewed(["--batch_max_tokens=512"])[0] == ["--max-num-batched-tokens", "512"]
    assert renewed(["--seed", "7"]) == (["--seed", "7"], [])
