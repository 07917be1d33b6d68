"""Every launcher profile, and what replaces old flags, before vLLM's own argument parser.

Runs in the Python of ``.venv/vllm``, which `make test-vllm` makes; vLLM is nowhere else.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from clawdbot_vllm.profiles import PROFILES, line
from clawdbot_vllm.profiles_old import OLD, renewed

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="this Python has no vLLM: `make test-vllm` makes one that has, and runs this",
    ),
]


@pytest.fixture(scope="module")
def parser() -> Any:
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    return make_arg_parser(FlexibleArgumentParser())


@pytest.mark.parametrize("profile", PROFILES)
def test_the_flags_of_every_profile_are_vllm_s_own(parser: Any, profile: str) -> None:
    from vllm.entrypoints.launchers.launcher import validate_api_server_args

    size = PROFILES[profile]
    parsed = parser.parse_args(line(size, port=8123).words()[2:])
    validate_api_server_args(parsed)
    assert parsed.model_tag == size.model
    assert parsed.port == 8123
    assert parsed.max_num_batched_tokens == size.batched_tokens
    assert parsed.max_num_seqs == size.sequences
    assert parsed.tensor_parallel_size == size.cards
    assert parsed.max_model_len == 8192
    assert parsed.gpu_memory_utilization == 0.9
    assert parsed.scheduling_policy == "priority"
    assert parsed.max_num_queued_reqs > parsed.max_num_seqs
    assert parsed.served_model_name == [size.model.partition("/")[2]]


def test_old_flags_are_refused_by_vllm_and_their_replacements_taken(
    parser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {name for action in parser._actions for name in action.option_strings}
    for name, old in OLD.items():
        assert name not in known, f"{name} exists again"
        assert not old.now or old.now in known
        words, _ = renewed([name, "512"] if old.takes else [name])
        parser.parse_args(line(PROFILES["small"], added=words).words()[2:])
        with pytest.raises(SystemExit):
            parser.parse_args(["model", name, *(["512"] if old.takes else [])])
    assert "unrecognized arguments" in capsys.readouterr().err
