"""``clawdbot doctor`` as a command: its lines, its JSON, its exit code, and what it never shows."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from clawdcore.cli.checks.finding import Check, Finding, Status, fail, ok, run_checks, warn
from clawdcore.cli.doctor import line
from clawdcore.cli.doctor_rounds import examine
from clawdcore.testing.botapi import BotApiServer

Clawdbot = Callable[..., "subprocess.CompletedProcess[str]"]
Config = Callable[..., Path]
SECRET = "12345:very_secret_token"


def found_by(checks: dict[str, Check], *, limit: float = 5.0) -> list[tuple[str, Finding]]:
    found: list[tuple[str, Finding]] = []
    asyncio.run(run_checks(checks, lambda name, f: found.append((name, f)), limit=limit))
    return found


def returning(*findings: Finding) -> Check:
    async def check() -> Sequence[Finding]:
        return findings

    return check


def test_a_check_that_raises_or_hangs_fails_alone() -> None:
    async def raising() -> Sequence[Finding]:
        raise LookupError("words of a user")

    async def hanging() -> Sequence[Finding]:
        await asyncio.Event().wait()
        return []

    checks = {"a": raising, "b": hanging, "c": returning(ok("fine"), warn("so so", "mend"))}
    (_, a), (_, b), *rest = found_by(checks, limit=0.05)
    assert a.status == b.status == Status.FAIL
    assert a.message.startswith("the check itself failed: LookupError at raising (test_doctor.py:")
    assert "words" not in a.message
    assert b.message == "no result within 0.05 s."
    assert rest == [("c", ok("fine")), ("c", warn("so so", "mend"))]


def test_findings_are_told_in_the_order_of_the_checks() -> None:
    async def main() -> list[str]:
        go = asyncio.Event()

        async def last() -> Sequence[Finding]:
            await go.wait()
            return [ok("late")]

        async def first() -> Sequence[Finding]:
            go.set()
            return [ok("early")]

        told: list[str] = []
        await run_checks({"x": last, "y": first}, lambda name, f: told.append(name))
        return told

    assert asyncio.run(main()) == ["x", "y"]


def test_a_line_has_status_check_message_and_fix() -> None:
    assert line("token", fail("refused.", "Copy it."), colour=False) == (
        "FAIL  token       refused. Copy it."
    )
    assert line("disk", ok("free"), colour=False) == "OK    disk        free"
    assert "\x1b[" in line("disk", ok("free"), colour=True)


def test_json_holds_every_finding_and_1_tells_of_a_failure(
    clawdbot: Clawdbot, config: Config
) -> None:
    result = clawdbot("doctor", "--json", "--config", config())
    assert result.returncode == 1
    assert result.stderr == ""
    listed: list[dict[str, str]] = json.loads(result.stdout)
    assert {frozenset(each) for each in listed} == {
        frozenset({"check", "status", "message", "fix"})
    }
    told = {(each["check"], each["status"]): each for each in listed}
    assert "no bot token" in told["token", "FAIL"]["message"]
    assert "clawdbot init" in told["token", "FAIL"]["fix"]
    assert "/crash, /long, /silent" in told["plugins", "OK"]["message"]
    assert told["models", "WARN"] == {
        "check": "models",
        "status": "WARN",
        "message": "echoes: the model echo needs 3 GB.",
        "fix": "Free memory.",
    }
    for check in ("python", "config", "ports", "workspace", "memory", "disk"):
        assert (check, "OK") in told


def test_what_is_not_installed_ends_with_the_install_line(
    clawdbot: Clawdbot, config: Config, missing: Callable[[int], list[str]]
) -> None:
    (name,) = missing(1)
    file = config()
    file.write_text(file.read_text().replace('"parrot"', f'"parrot", "{name}"'))
    lines = clawdbot("doctor", "--config", file).stdout.splitlines()
    assert any(
        text.startswith("FAIL  plugins") and text.endswith(f"pip install clawdbot-{name}")
        for text in lines
    )


def test_what_nobody_knows_is_named_and_the_others_load(clawdbot: Clawdbot, config: Config) -> None:
    file = config()
    file.write_text(file.read_text().replace('"parrot"', '"parrot", "nope"'))
    lines = clawdbot("doctor", "--config", file).stdout.splitlines()
    assert any("plugin 'nope' is not installed" in text for text in lines)
    assert any(text.startswith("OK    plugins     parrot loaded") for text in lines)


def test_every_problem_of_a_configuration_is_a_line(clawdbot: Clawdbot, tmp_path: Path) -> None:
    (tmp_path / "clawdbot.json").write_text('{\n  agentz: {},\n  gateway: { port: "x" },\n}\n')
    result = clawdbot("doctor")
    failed = [text for text in result.stdout.splitlines() if text.startswith("FAIL")]
    assert result.returncode == 1
    assert [text.split()[1] for text in failed] == ["config", "config"]
    assert "clawdbot.json:2:3: agentz" in failed[0]
    assert "clawdbot.json:3:" in failed[1]
    assert "disk" in result.stdout


def test_a_file_that_is_not_there_is_a_failure(clawdbot: Clawdbot) -> None:
    result = clawdbot("doctor", "--config", "none.json")
    assert result.returncode == 1
    assert "FAIL  config      none.json: there is no such file." in result.stdout


def examined(text: str, tmp_path: Path, server: BotApiServer | None) -> list[tuple[str, Finding]]:
    found: list[tuple[str, Finding]] = []
    file = tmp_path / "clawdbot.json"

    async def main() -> None:
        root = "http://127.0.0.1:1"
        if server is not None:
            root = await server.start()
        file.write_text(text.replace("ROOT", root))
        try:
            await examine(file, lambda name, finding: found.append((name, finding)))
        finally:
            if server is not None:
                await server.close()

    asyncio.run(main())
    return found


def test_secrets_are_never_told(tmp_path: Path) -> None:
    text = json.dumps(
        {
            "channels": {"telegram": {"botToken": SECRET, "apiRoot": "ROOT"}},
            "models": {"providers": {"gpu": {"baseUrl": "http://ada:hunter22@127.0.0.1:1/v1"}}},
            "gateway": {"auth": {"token": "gateway-secret"}},
            "plugins": [],
        }
    )
    found = examined(text, tmp_path, BotApiServer(SECRET))
    told = repr(found)
    assert ("token", ok("accepted: @clawd_bot (id 12345)")) in found
    assert [secret for secret in (SECRET, "hunter22", "gateway-secret") if secret in told] == []
    [open_file] = [f for name, f in found if name == "config" and f.status is Status.WARN][-1:]
    assert "channels.telegram.botToken" in open_file.message
    assert open_file.fix.startswith("chmod 600 ")


def test_without_a_network_one_line_says_so(tmp_path: Path) -> None:
    telegram = {"botToken": SECRET, "apiRoot": "ROOT"}
    text = json.dumps({"channels": {"telegram": telegram}, "plugins": []})
    found = examined(text, tmp_path, None)
    of_telegram = {"token", "api", "clock", "privacy", "groups", "webhook", "polling"}
    [(name, finding)] = [(n, f) for n, f in found if n in of_telegram]
    assert (name, finding.status) == ("api", Status.FAIL)
    assert "can't be reached (ConnectError)" in finding.message
    assert "apiRoot" in finding.fix


@pytest.mark.parametrize(
    "value", ["messages: { inbound: { debounceMs: 5 } }", "messages: { queue: { mode: 'x' } }"]
)
def test_keys_without_effect_are_warnings(tmp_path: Path, value: str) -> None:
    found = examined(f"{{ {value}, plugins: [] }}", tmp_path, None)
    told: list[Any] = [f for name, f in found if name == "config" and f.status is Status.WARN]
    assert any("has no effect in this version" in finding.message for finding in told)
