"""The contract of backends, against a server that answers slowly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from clawdcore import Backend
from clawdcore.testing import BackendConformance


class TestVllm(BackendConformance):
    patience = 60.0

    @pytest.fixture(autouse=True)
    def _kit(self, kit: Any) -> None:
        self.kit = kit

    @asynccontextmanager
    async def surroundings(self) -> AsyncIterator[None]:
        async with self.kit.Wire() as wire:
            wire.always = self._slowly
            self.wire = wire
            yield

    async def _slowly(self, call: Any) -> None:
        await call.begin()
        for word in ("one", " two", " three"):
            await call.event({"choices": [{"index": 0, "delta": {"content": word}}]})
            await asyncio.sleep(0.01)
        await call.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        await call.event(b"[DONE]")
        await call.end()

    def backend(self) -> Backend:
        made: Backend = self.kit.made(self.wire)
        return made
