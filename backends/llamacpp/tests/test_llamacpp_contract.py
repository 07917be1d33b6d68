"""The contract of backends, with the real engine: `make test-real`."""

from __future__ import annotations

import pytest

from clawdbot_llamacpp import LlamaCppBackend, LlamaCppOptions
from clawdcore import Request, Turn
from clawdcore.testing import BackendConformance

pytestmark = pytest.mark.real


class TestLlamaCpp(BackendConformance):
    request = Request(turns=(Turn("user", "Count from one to five."),), max_tokens=24)

    @staticmethod
    def backend() -> LlamaCppBackend:
        return LlamaCppBackend(LlamaCppOptions(slots=2, queue=1, context=1024))
