"""What the gateway needs of the worker: models, their servers, and the way in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from ..admission.ask import Admission
from ..backend import Backend, ModelInfo
from ..vitals import Vitals


class Room(msgspec.Struct, frozen=True):
    """A model, the server that it is on, and the queue in front of that.

    ``provider`` is the configuration's name for the server, ``model`` the id by which
    the backend knows the model. The backend has been started. ``refused`` is told when
    the server itself took no more than it had.
    """

    provider: str
    model: str
    backend: Backend
    admission: Admission
    refused: Callable[[], None]


class Rooms(Protocol):
    """All models of the configuration."""

    async def find(self, name: str) -> Room:
        """The room of ``PROVIDER/MODEL`` or ``MODEL``; "" gives the primary model's.

        Raises:
            clawdcore.errors.ModelNotFound: nobody serves it; the fix lists who is there.
            clawdcore.errors.BackendUnavailable: its backend can't be started now.
        """
        ...

    async def models(self) -> list[tuple[str, ModelInfo]]:
        """Provider and model of everything that is served now, the primary first."""
        ...

    def vitals(self) -> Vitals:
        """How the bot is doing."""
        ...

    @property
    def ready(self) -> bool:
        """Whether messages are taken and a model is there for them."""
        ...
