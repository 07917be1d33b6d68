"""A hardened process: nothing of its memory on a disk, and gone with its parent."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")
SECONDS = 30.0
CANARY = "the canary sings at dawn"


def run(code: str, *, given: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        input=given,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_files_are_for_their_owner_alone_and_no_core_is_left(tmp_path: Path) -> None:
    said = run(
        "import os, resource\n"
        "from clawdcore.process import harden\n"
        "harden()\n"
        "open('made', 'w').close(); os.mkdir('folder')\n"
        "print(oct(os.stat('made').st_mode & 0o777), oct(os.stat('folder').st_mode & 0o777),\n"
        "      resource.getrlimit(resource.RLIMIT_CORE))",
        cwd=tmp_path,
    )
    assert said.stdout == "0o600 0o700 (0, 0)\n"


@LINUX
def test_nobody_of_the_same_user_may_look_in_and_the_parent_still_sees_its_size() -> None:
    code = (
        "import sys; from clawdcore.process import harden; harden(); print('on', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"on\n"
        proc = Path(f"/proc/{child.pid}")
        # The kernel gives the files of a process that is not dumpable to root.
        assert (proc / "environ").stat().st_uid == 0
        assert int((proc / "statm").read_text().split()[1]) > 0
        assert "VmRSS:" in (proc / "status").read_text()
        assert (proc / "stat").read_text().startswith(f"{child.pid} ")
        child.communicate()


@LINUX
def test_it_is_not_dumpable() -> None:
    said = run(
        "import ctypes; from clawdcore.process import harden; harden()\n"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    assert said.stdout == "0\n"


def test_a_crash_leaves_places_and_no_word_on_any_disk(tmp_path: Path) -> None:
    """A core file would hold the memory; a temporary file is wiped by the next start."""
    roots = tmp_path / "shm"
    cwd = tmp_path / "cwd"
    roots.mkdir()
    cwd.mkdir()
    before = (
        "import ctypes, pathlib, resource, sys, tempfile\n"
        "from clawdcore.process import harden\n"
        "from clawdcore.scratch import private_tmp\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(4)[1],) * 2)\n"
        "harden()\n"
        "scratch = private_tmp((), fallback=pathlib.Path(sys.argv[1]))\n"
        "scratch.use()\n"
    )
    crash = before + (
        "words = sys.stdin.read()\n"
        "file = tempfile.NamedTemporaryFile('w', delete=False); file.write(words); file.flush()\n"
        "print(file.name, flush=True)\n"
        "def fails(words): ctypes.string_at(0)\n"
        "fails(words)\n"
    )
    command = [sys.executable, "-c", crash, str(roots)]
    died = subprocess.run(
        command, input=CANARY, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert died.returncode == -signal.SIGSEGV
    assert "in fails" in died.stderr
    assert CANARY not in died.stderr
    left = Path(died.stdout.strip())
    assert left.is_relative_to(roots)
    assert left.read_text() == CANARY  # without the next start there is something to find
    subprocess.run([sys.executable, "-c", before, str(roots)], cwd=cwd, timeout=SECONDS, check=True)
    assert list(cwd.iterdir()) == []
    assert [path for path in roots.rglob("*") if path.is_file()] == []
    assert not left.parent.exists()


@LINUX
def test_who_was_orphaned_before_it_could_ask_ends() -> None:
    code = "import os; from clawdcore.process import die_with_parent; die_with_parent({}); print(1)"
    assert run(code.format("os.getppid()")).stdout == "1\n"
    said = run(code.format("os.getppid() + 1"))
    assert (said.returncode, said.stdout) == (0, "")


@LINUX
def test_who_asked_dies_with_its_parent() -> None:
    child = (
        "import os, signal, sys; from clawdcore.process import die_with_parent\n"
        "die_with_parent(int(sys.argv[1])); print('on', flush=True); signal.pause()"
    )
    parent = (
        "import os, signal, subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid())])\n"
        "signal.pause()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, child], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        process.kill()
        # The child holds the pipe too: its end is the end of both.
        assert select.select([process.stdout], [], [], SECONDS)[0]
        assert process.stdout.read() == b""


@pytest.mark.parametrize(
    ("first", "said"), [("None", ""), ("lambda: os.write(1, b'asked')", "asked")]
)
def test_a_tether_ends_the_process_when_the_other_end_closes(first: str, said: str) -> None:
    ended = run(
        "import os, signal; from clawdcore.process import tether\n"
        f"tether(0, grace=0.0, first={first}, status=7)\n"
        "signal.pause()",
        given="thrown away",
    )
    assert (ended.returncode, ended.stdout) == (7, said)


def test_a_tether_needs_an_open_end() -> None:
    said = run(
        "from clawdcore.process import tether\n"
        "try: tether(99, grace=0.0)\n"
        "except OSError: print('refused')"
    )
    assert said.stdout == "refused\n"
