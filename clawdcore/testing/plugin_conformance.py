"""What every plugin must do: a class of tests that a plugin's author subclasses in one line.

.. code-block:: python

    class TestConformance(PluginConformance, plugin="water"):
        pass
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from . import plugin_checks as checks
from .plugin_subject import NotChecked, Subject


class PluginConformance:
    """Subclass it with ``plugin``: an installed plugin's name, or an object with hooks.

    ``options`` are the plugin's, ``config`` is what else ``clawdbot.json`` holds. The same
    checks as ``clawdbot plugins check NAME``, but in this process.
    """

    plugin: ClassVar[str | object] = ""
    options: ClassVar[Mapping[str, Any]] = {}
    config: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, plugin: str | object = "", **more: Any) -> None:
        super().__init_subclass__(**more)
        if plugin:
            cls.plugin = plugin

    def _check(self, check: Any) -> None:
        from .harness import name_of

        named = isinstance(self.plugin, str)
        subject = Subject(
            name=str(self.plugin) if named else name_of(self.plugin),
            target=None if named else self.plugin,
            options=self.options,
            config=self.config,
        )
        try:
            check(subject)
        except NotChecked as reason:
            pytest.skip(str(reason))

    def test_it_loads_alone_and_starts(self) -> None:
        """Its hooks fit the contract, and it needs no other plugin."""
        self._check(checks.loads)

    def test_its_options_have_a_model(self) -> None:
        """With defaults and descriptions, and refusing others."""
        self._check(checks.options)

    def test_its_commands_are_described(self) -> None:
        """Each says what it does, and the README names it."""
        self._check(checks.commands)

    def test_its_commands_answer_whatever_stands_after_them(self) -> None:
        """And never raise."""
        self._check(checks.arguments)

    def test_every_kind_of_message_passes(self) -> None:
        """And nothing is raised."""
        self._check(checks.messages)

    def test_a_model_that_fails_is_no_error_of_its_own(self) -> None:
        """One that is gone, or full."""
        self._check(checks.models)

    def test_it_reaches_the_declared_hosts_only(self) -> None:
        """And these through ``context.http``."""
        self._check(checks.network)

    def test_it_ends_when_it_is_cancelled(self) -> None:
        """With what is under way, and leaves no task behind."""
        self._check(checks.cancellation)

    def test_it_logs_nothing_that_people_write(self) -> None:
        """At no level."""
        self._check(checks.logs)

    def test_it_forgets(self) -> None:
        """What it holds of somebody is gone after /forget."""
        self._check(checks.forget)

    def test_it_starts_again_after_it_was_stopped(self) -> None:
        """In one process."""
        self._check(checks.starts_twice)

    def test_it_leaves_nothing_behind(self) -> None:
        """No task, thread, process or open file."""
        self._check(checks.leaves_nothing)
