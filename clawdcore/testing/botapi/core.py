"""What every method of the server works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import JSON
from .files import FileStore
from .journal import Journal
from .state import World
from .updates import UpdateQueue


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of one server; ``wake`` tells poll and webhook that an update came."""

    world: World
    journal: Journal
    files: FileStore
    queue: UpdateQueue
    commands: dict[str, list[JSON]]
    callbacks: dict[str, JSON]
    wake: Callable[[], None]

    def emit(self, kind: str, payload: JSON, *, key: int) -> int | None:
        """Queue an update of this kind; its id, or None where the bot did not ask for it."""
        update_id = self.queue.add(kind, payload, key=key)
        if update_id is not None:
            self.wake()
        return update_id
