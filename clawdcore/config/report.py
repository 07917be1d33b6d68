"""Collects what is wrong with a file, so that all of it is told at once."""

from __future__ import annotations

from typing import Final

from ..errors import ConfigValueError
from .node import Node


class ConfigProblems(ConfigValueError):
    """One or more things wrong with the values of a file, in the file's order.

    ``problems`` has an error for each; ``str()`` gives a line for each. ``what``,
    ``fix`` and ``where`` are those of the first.
    """

    def __init__(self, problems: list[ConfigValueError]) -> None:
        first = problems[0]
        super().__init__(first.what, fix=first.fix, where=first.where)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


UNNAMED: Final = "configuration"
"""How text that is in no file is called."""


class Report:
    """The problems and notes of one load. ``file`` is how the file is called, or ""."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.notes: list[str] = []
        self._problems: list[tuple[int, int, ConfigValueError]] = []

    def note(self, text: str) -> None:
        """Something that the owner should know and that stops nothing."""
        if text not in self.notes:
            self.notes.append(text)

    def problem(self, what: str, fix: str, node: Node | None = None, *, key: bool = False) -> None:
        """Something wrong at ``node``: at its key with ``key``, else at its value."""
        line = column = 0
        if node is not None:
            line, column = (
                (node.key_line, node.key_column)
                if key and node.key_line
                else (node.line, node.column)
            )
        where = f"{self.file or UNNAMED}:{line}:{column}" if line else self.file
        error = ConfigValueError(what, fix=fix, where=where)
        self._problems.append((line, column, error))

    def stop(self) -> None:
        """Raises :class:`ConfigProblems` if there is any."""
        if self._problems:
            self._problems.sort(key=lambda entry: entry[:2])
            raise ConfigProblems([error for _, _, error in self._problems])
