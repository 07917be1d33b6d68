"""The pytest plugin: the ``bot`` fixture, and the marks that set it up.

``@pytest.mark.plugins("hello", …)`` says which plugins the bot has; without it
the bot has those that the nearest ``pyproject.toml`` declares in the entry point
group ``clawdbot``. ``@pytest.mark.config({...})`` is the test's clawdbot.json.
"""

from __future__ import annotations

import inspect
import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from .harness import Harness

RECORD: Final = "CLAWDBOT_RECORD"
"""The variable with which services are asked and their answers recorded."""
MARKS = (
    "plugins(*names): the plugins that the bot fixture loads, by name or as objects",
    "config(mapping): what clawdbot.json holds for this test",
    "failures: what plugins raise is not raised in this test; bot.failures lists it",
    "recorded(name): answer HTTP from recordings/NAME.json beside the test; with the variable "
    "CLAWDBOT_RECORD=1 ask the services and write it",
    "network: let this test reach the network; the bot's time is then the real one",
)


pytest.register_assert_rewrite("clawdcore.testing.conformance")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks."""
    for mark in MARKS:
        config.addinivalue_line("markers", mark)


@pytest.fixture
def bot(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """A whole bot with your plugins, a fake model, virtual time and no network."""
    from .harness import Harness
    from .network import network_refused

    marked = request.node.get_closest_marker("plugins")
    config = request.node.get_closest_marker("config")
    plugins = marked.args if marked is not None else declared_plugins(request.path)
    given = config.args[0] if config is not None else {}
    recorded = request.node.get_closest_marker("recorded")
    anew = recorded is not None and os.environ.get(RECORD) == "1"
    network = request.node.get_closest_marker("network") is not None
    reraise = request.node.get_closest_marker("failures") is None
    refused = nullcontext() if network or anew else network_refused()
    with refused, Harness(plugins, config=given, network=network, reraise=reraise) as harness:
        harness.loop.external = network or anew
        if recorded is not None:
            file = f"{recorded.args[0]}.json"
            harness.http.recorded(request.path.parent / "recordings" / file, anew=anew)
        _refuse_broken(harness)
        yield harness


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test that takes ``bot`` in the bot's loop, without any mark."""
    bot = pyfuncitem.funcargs.get("bot")
    if bot is None or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    from .awaited import AsyncHarness
    from .harness import Harness

    if not isinstance(bot, Harness):  # somebody else's fixture of that name
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    given = {name: pyfuncitem.funcargs[name] for name in names}
    bot._run(pyfuncitem.obj(**{**given, "bot": AsyncHarness(bot)}))
    return True


def _refuse_broken(harness: Harness) -> None:
    for name, error in harness.report.disabled.items():
        raise pytest.UsageError(f"the plugin {name!r} can't be loaded: {error}")


def declared_plugins(test: Path) -> list[str | object]:
    """The plugins of the project that ``test`` belongs to.

    Installed ones by name; one that is not installed is imported from the
    project's folder (or its ``src``), so that its tests run before it is.

    Raises:
        pytest.UsageError: no ``pyproject.toml`` above the test declares a plugin.
    """
    from ..hooks.loader import installed

    for folder in test.parents:
        file = folder / "pyproject.toml"
        if not file.is_file():
            continue
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
        points: dict[str, str] = project.get("entry-points", {}).get("clawdbot", {})
        if points:
            known = installed()
            return [
                name if name in known else _imported(name, value, folder)
                for name, value in points.items()
            ]
    raise pytest.UsageError(
        "no plugin to test: declare it in pyproject.toml under "
        '[project.entry-points.clawdbot], or name it with @pytest.mark.plugins("…").'
    )


def _imported(name: str, value: str, folder: Path) -> object:
    for path in (folder / "src", folder):
        if path.is_dir() and str(path) not in sys.path:
            sys.path.insert(0, str(path))
    module, _, attribute = value.partition(":")
    try:
        target: object = import_module(module)
    except ImportError as error:
        raise pytest.UsageError(
            f"the plugin {name!r} ({value}) can't be imported: {error}. "
            "Install the project: pip install -e ."
        ) from error
    return getattr(target, attribute) if attribute else target
