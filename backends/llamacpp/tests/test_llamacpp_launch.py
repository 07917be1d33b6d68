from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from clawdbot_llamacpp import engine as engine_module
from clawdbot_llamacpp import launch as launch_module
from clawdbot_llamacpp.launch import EngineFailed, Settings, ending, launch

SETTINGS = Settings(
    model="/models/m.gguf",
    name="m",
    slots=1,
    context=256,
    threads=1,
    batch=64,
    repack=False,
    gpu_layers=None,
)
READ = "import sys, os, json, time; given = json.loads(sys.stdin.readline()); "


def program(code: str) -> list[str]:
    """Stands in for the engine: what counts here is how a process may start, fail and end."""
    return [sys.executable, "-c", READ + code]


@pytest.fixture(autouse=True)
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which launches make their private folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def failure(code: str) -> str:
    with pytest.raises(EngineFailed) as caught:
        asyncio.run(launch(SETTINGS, program(code)))
    return str(caught.value)


def test_it_gets_its_settings_and_a_private_place_and_ends_with_stdin(
    sockets: Path, tmp_path: Path
) -> None:
    seen = tmp_path / "seen.json"
    code = f"open({str(seen)!r}, 'w').write(json.dumps(given)); print('ready', flush=True); "

    async def story() -> None:
        engine = await launch(SETTINGS, program(code + "sys.stdin.read()"))
        given = json.loads(seen.read_text())
        folder = Path(given["socket"]).parent
        assert folder.parent == sockets
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(given["key"]) >= 32
        assert (given["model"], given["slots"]) == ("/models/m.gguf", 1)
        await engine.stop()
        assert await engine.wait() == 0
        assert not folder.exists()
        await engine.stop()

    asyncio.run(story())


def test_ctrl_c_does_not_reach_it(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    code = f"open({str(seen)!r}, 'w').write(str(os.getsid(0) == os.getpid())); "

    async def story() -> None:
        ready = "print('ready', flush=True); sys.stdin.read()"
        await (await launch(SETTINGS, program(code + ready))).stop()

    asyncio.run(story())
    assert seen.read_text() == "True"


def test_one_that_ends_right_after_its_start_fails_it() -> None:
    async def story() -> None:
        engine = await launch(SETTINGS, program("print('ready', flush=True)"))
        with pytest.raises(EngineFailed, match="right after it was started"):
            await engine.context()
        await engine.stop()

    asyncio.run(story())


def test_one_that_does_not_end_by_itself_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch_module, "STOP_SECONDS", 0.1)

    async def story() -> None:
        engine = await launch(SETTINGS, program("print('ready', flush=True); time.sleep(600)"))
        await engine.stop()
        assert await engine.wait() == -9

    asyncio.run(story())


def test_a_failure_tells_the_first_thing_that_llama_cpp_complained_of(sockets: Path) -> None:
    log = (
        "0.1 I srv: loading\\n0.2 E gguf_init: invalid magic characters\\n0.3 E srv: exiting due to"
    )
    told = failure(f"sys.stderr.write('{log}'); sys.exit(3)")
    assert "(exit 3) and did not load /models/m.gguf: gguf_init: invalid magic characters." in told
    assert "\n" not in told
    assert list(sockets.iterdir()) == []


def test_a_failure_in_python_tells_its_last_line() -> None:
    assert "ModuleNotFoundError: No module named 'xllama'" in failure("import xllama")


def test_a_process_or_folder_that_cant_be_made_is_told(
    sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineFailed, match=r"can't be started .No such file or directory"):
        asyncio.run(launch(SETTINGS, [str(sockets / "nothing")]))
    assert list(sockets.iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", str(sockets / "nowhere"))
    with pytest.raises(EngineFailed, match="TMPDIR can be written"):
        asyncio.run(launch(SETTINGS, program("")))


def test_a_failure_without_a_word_says_so() -> None:
    assert "(exit 1) and did not load /models/m.gguf: it gave no reason." in failure("os._exit(1)")


def test_a_kill_while_loading_points_at_memory() -> None:
    told = failure("os.kill(os.getpid(), 9)")
    assert "memory may be short" in told and "smaller model" in told


def test_something_else_than_ready_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch_module, "STOP_SECONDS", 0.1)
    assert "did not load" in failure("print('hello', flush=True); time.sleep(600)")


def test_one_that_never_gets_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch_module, "LOAD_SECONDS", 0.2)
    assert "in 0 s" in failure("time.sleep(600)")


def test_a_cancelled_start_leaves_no_process(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = f"open({str(fifo)!r}, 'w').write(str(os.getpid())); time.sleep(600)"

    async def story() -> int:
        starting = asyncio.create_task(launch(SETTINGS, program(code)))
        pid = int(await asyncio.to_thread(fifo.read_text))
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        return pid

    pid = asyncio.run(story())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("status", "words"), [(0, "exit 0"), (-9, "signal SIGKILL"), (-250, "signal 250")]
)
def test_an_ending_in_words(status: int, words: str) -> None:
    assert ending(status) == words


def inside(code: str) -> str:
    """Run code beside the engine's own functions, in a process of its own."""
    folder = str(Path(engine_module.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", f"import os, sys; sys.path.insert(0, {folder!r}); " + code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout.strip() or f"exit {done.returncode}"


def test_the_engine_leaves_no_core_dump_and_its_files_are_its_own() -> None:
    code = "import engine, resource; engine._protect(); print(resource.getrlimit(4), os.umask(0))"
    assert inside(code) == "(0, 0) 63"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl and oom_score_adj are Linux's")
def test_on_linux_the_engine_cant_be_traced_and_is_the_first_to_go() -> None:
    code = (
        "import engine, ctypes; engine._protect(); "
        "print(ctypes.CDLL(None).prctl(3), open('/proc/self/oom_score_adj').read().strip())"
    )
    assert inside(code) == "0 500"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a parent's death")
def test_an_engine_whose_parent_died_before_it_could_ask_ends() -> None:
    assert inside("import engine; engine._end_with_parent(9, 1); print('alive')") == "exit 0"
    assert inside("import engine; engine._end_with_parent(9, os.getppid()); print('alive')") == (
        "alive"
    )
