"""Whatever is sent to the documented routes: nothing makes the gateway fail."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from clawdcore.backend import Chunk, Request, Usage
from clawdcore.config import GatewayConfig
from clawdcore.gateway.listening import listen
from clawdcore.gateway.server import GatewayServer

EXAMPLES = 60
"""Calls that are made up for each route and each of schemathesis' phases."""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,"
CHECKS += "response_schema_conformance"


@pytest.mark.real
@pytest.mark.skipif(
    importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed here"
)
def test_schemathesis_finds_no_failure(house: Any, tmp_path: Path) -> None:
    async def generate(request: Request) -> Any:
        yield Chunk("Hello", "stop", Usage(1, 1))

    house.rooms.fake.generate = generate
    find = house.rooms.find

    async def any_model(name: str) -> Any:
        return await find("small" if len(name) % 2 else name)

    house.rooms.find = any_model

    async def scene() -> tuple[int | None, str]:
        server = GatewayServer(
            GatewayConfig(), house.rooms, listen("127.0.0.1", 0), timeout=60, folder=tmp_path
        )
        await server.start()
        try:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "schemathesis.cli",
                "run",
                f"http://127.0.0.1:{server.ports[0]}/openapi.json",
                f"--checks={CHECKS}",
                f"--max-examples={EXAMPLES}",
                "--phases=examples,coverage,fuzzing",
                "--seed=1",
                "--no-color",
                "--generation-database=none",
                cwd=tmp_path,
                env={**os.environ, "NO_PROXY": "127.0.0.1"},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await child.communicate()
            return child.returncode, said.decode()
        finally:
            await server.close()

    code, said = asyncio.run(scene())
    assert code == 0, said
