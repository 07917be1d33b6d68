"""Griffe's extension: docstrings name things as Sphinx does; the site shows plain code."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:\w+:)?\w+:`~?([^`<]+?)`")


class Roles(griffe.Extension):
    """Turns :class:`~clawdcore.messages.Message` into `Message`."""

    def on_object(self, *, obj: griffe.Object, **_kwargs: Any) -> None:
        """As griffe calls it for each thing that it has read."""
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(self._plain, obj.docstring.value)

    @staticmethod
    def _plain(found: re.Match[str]) -> str:
        whole = found[1]
        return f"`{whole.rpartition('.')[2] if whole[0] in '.c' else whole}`"
