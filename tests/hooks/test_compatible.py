from __future__ import annotations

from importlib.metadata import Distribution, EntryPoint
from types import SimpleNamespace
from typing import cast

import pytest

from clawdcore import __version__
from clawdcore.errors import PluginError
from clawdcore.hooks.compatible import check


def point(*requires: str) -> EntryPoint:
    dist = cast(Distribution, SimpleNamespace(name="clawdbot-acme", requires=list(requires)))
    return cast(EntryPoint, SimpleNamespace(name="acme", dist=dist))


@pytest.mark.parametrize(
    "requires",
    [
        (),
        ("clawdcore",),
        (f"clawdcore=={__version__}",),
        ("clawdcore>=0.0.1,<99",),
        ("clawdcore-extras>=5",),
        (
            "httpx>=5",
            "clawdcore [x>=",
        ),
        ('clawdcore>=99; python_version < "3"',),
    ],
)
def test_what_fits_or_says_nothing_is_taken(requires: tuple[str, ...]) -> None:
    check("acme", point(*requires))


@pytest.mark.parametrize("requires", ["clawdcore>=99", "ClawdCore<0.0.1", "clawdcore ~= 0.0.5"])
def test_what_was_made_for_another_version_is_refused(requires: str) -> None:
    with pytest.raises(PluginError, match=f"this is {__version__}") as told:
        check("acme", point("httpx", requires))
    assert "pip install -U clawdcore clawdbot-acme" in str(told.value)
