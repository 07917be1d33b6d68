"""What the doctor finds on the machine: ports, memory, disk, the workspace, Python."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clawdcore import config as configuration
from clawdcore.cli.checks import machine
from clawdcore.cli.checks.configuration import python_version
from clawdcore.cli.checks.finding import Finding, Status
from clawdcore.cli.checks.ports import ports
from clawdcore.edge.webhook import WebhookServer


def config(tmp_path: Path, **values: Any) -> configuration.Config:
    import json

    text = json.dumps({"agents": {"defaults": {"workspace": "workspace"}}, **values})
    return configuration.parse(text, env={}, file=tmp_path / "clawdbot.json")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def hook(port: int) -> dict[str, Any]:
    webhook = {"url": "https://bot.example.org/x", "secret": "s" * 20, "port": port, "path": "/x"}
    return {"telegram": {"webhook": webhook}}


def test_ports_that_are_free(tmp_path: Path) -> None:
    values = {"gateway": {"port": free_port()}, "channels": hook(free_port())}
    found = asyncio.run(ports(config(tmp_path, **values)))
    assert [finding.status for finding in found] == [Status.OK, Status.OK]


def test_a_port_that_another_program_has(tmp_path: Path, taken: int) -> None:
    values = {"gateway": {"port": taken}, "channels": hook(taken)}
    webhook, gateway = asyncio.run(ports(config(tmp_path, **values)))
    assert webhook.status is Status.FAIL
    assert f"127.0.0.1:{taken}, meant for the webhook" in webhook.message
    assert "another program listens there" in webhook.message
    assert "channels.telegram.webhook.port" in webhook.fix
    assert gateway.status is Status.FAIL
    assert "gateway.port" in gateway.fix


def test_a_port_that_a_running_bot_has_is_fine(tmp_path: Path) -> None:
    async def main() -> list[Finding]:
        async def accept(update: object) -> None:
            raise AssertionError("nothing may be delivered")

        server = WebhookServer(accept, host="127.0.0.1", port=0, path="/x", secret="s" * 20)
        port = await server.start()
        values = {"gateway": {"port": free_port()}, "channels": hook(port)}
        try:
            return await ports(config(tmp_path, **values))
        finally:
            await server.close()

    webhook, _ = asyncio.run(main())
    assert webhook.status is Status.OK
    assert "a bot that runs now" in webhook.message


def test_a_host_that_is_not_ours(tmp_path: Path) -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    values = {"gateway": {"host": "192.0.2.1"}}
    [gateway] = asyncio.run(ports(config(tmp_path, **values)))
    assert "can't be used" in gateway.message


def proc(root: Path, available_kb: int) -> Path:
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable: {available_kb} kB\n")
    return root


def test_memory_is_the_machines_or_the_containers(tmp_path: Path) -> None:
    root = proc(tmp_path, 4_000_000)
    assert machine.available_memory(root) == 4_096_000_000
    assert machine.memory(root)[0].status is Status.OK
    group = root / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("500000000\n")
    (group / "memory.current").write_text("450000000\n")
    (group / "memory.stat").write_text("anon 1\ninactive_file 100000000\n")
    assert machine.available_memory(root) == 150_000_000
    [finding] = machine.memory(root)
    assert finding.status is Status.WARN
    assert finding.message == "150 MB of memory are available."
    (group / "memory.max").write_text("max\n")
    assert machine.available_memory(root) == 4_096_000_000


def test_memory_that_is_not_told_is_no_problem(tmp_path: Path) -> None:
    assert machine.available_memory(tmp_path) is None
    assert machine.memory(tmp_path)[0].status is Status.OK


def test_disk_is_told_for_cache_and_workspace(tmp_path: Path) -> None:
    env = {"CLAWDBOT_CACHE": str(tmp_path / "cache/deep")}
    cache, workspace = machine.disk(config(tmp_path), env)
    assert str(tmp_path / "cache/deep") in cache.message
    assert str(tmp_path / "workspace") in workspace.message
    assert len(machine.disk(None, env)) == 1


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        free = 10_000_000

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Full)
    cache, workspace = machine.disk(config(tmp_path))
    assert (cache.status, workspace.status) == (Status.WARN, Status.FAIL)
    assert "10 MB of disk are free" in cache.message
    assert "are needed there" in workspace.fix


def test_a_workspace_is_made_later_or_is_private(tmp_path: Path) -> None:
    here = config(tmp_path)
    folder = tmp_path / "workspace"
    [missing] = machine.workspace(here)
    assert (missing.status, "will be made" in missing.message) == (Status.OK, True)
    assert not folder.exists()
    folder.mkdir(mode=0o700)
    [private] = machine.workspace(here)
    assert (private.status, "for its user alone" in private.message) == (Status.OK, True)
    folder.chmod(0o755)
    [open_] = machine.workspace(here)
    assert open_.status is Status.WARN
    assert open_.fix == f"chmod 700 {folder}"
    assert list(folder.iterdir()) == []


def test_a_workspace_that_is_no_folder_or_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "workspace").write_text("")
    [finding] = machine.workspace(config(tmp_path))
    assert finding.status is Status.FAIL
    assert "is no folder" in finding.message
    if Path("/proc/self").exists():
        values = {"agents": {"defaults": {"workspace": "/proc/clawdbot"}}}
        [finding] = machine.workspace(config(tmp_path, **values))
        assert finding.status is Status.FAIL
        assert "can't be written" in finding.message


def test_python() -> None:
    assert python_version()[0].status is Status.OK
    [old] = python_version((3, 10, 4))
    assert old.status is Status.FAIL
    assert "Install Python 3.11 or newer." in old.fix
