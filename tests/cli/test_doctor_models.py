"""What the doctor tells of backends: their own word on this machine, each for itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from clawdcore import config as configuration
from clawdcore.cli.checks.finding import Finding, Status
from clawdcore.cli.checks.plugins import Installed, Loaded, models
from clawdcore.errors import ModelFileMissing
from clawdcore.hooks.loaded import Tables
from clawdcore.testing import FakeBackend


class Telling(FakeBackend):
    """Has something to say, or an error in its place."""

    def __init__(self, *told: Any) -> None:
        super().__init__()
        self._told = told

    async def diagnose(self) -> list[Any]:
        for each in self._told:
            if isinstance(each, Exception):
                raise each
        return list(self._told)


class Prepared(Installed):
    """Loads nothing: the backends are given."""

    def __init__(self, config: configuration.Config, **backends: Any) -> None:
        super().__init__(config)
        self._given = Loaded(Tables(), backends)

    async def loaded(self) -> Loaded:
        return self._given


def found(**backends: Any) -> list[Finding]:
    first, *others = [f"{name}/m" for name in backends]
    values = {
        "agents": {"defaults": {"model": {"primary": first, "fallbacks": others}}},
        "models": {"providers": {name: {} for name in backends}},
    }
    config = configuration.parse(json.dumps(values), env={})
    return asyncio.run(models(Prepared(config, **backends), config))


def test_what_a_backend_says_is_told_under_its_name() -> None:
    said = ("OK", "the file is here", ""), ("WARN", "memory is short.", "Free some.")
    assert found(a=Telling(*said)) == [
        Finding(Status.OK, "a/m has its backend"),
        Finding(Status.OK, "a: the file is here"),
        Finding(Status.WARN, "a: memory is short.", "Free some."),
    ]


def test_a_backend_need_not_say_anything() -> None:
    assert found(a=FakeBackend()) == [Finding(Status.OK, "a/m has its backend")]


def test_an_error_of_one_hides_nothing_of_another() -> None:
    missing = ModelFileMissing("the file is gone.", fix="Fetch it.")
    good = ("OK", "fine", "")
    _, a, _, b, _, c, _, d = found(
        a=Telling(missing), b=Telling(KeyError("x")), c=Telling(("MAYBE", "?", "")), d=Telling(good)
    )
    assert a == Finding(Status.FAIL, "the file is gone.", "Fetch it.")
    assert b.message.startswith("the check itself failed: KeyError at diagnose")
    assert c.message.startswith("the check itself failed: ValueError")
    assert d == Finding(Status.OK, "d: fine")
