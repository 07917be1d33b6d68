"""Edge and worker in two processes: what dies is replaced, and nobody notices."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Told = Callable[[Any], None]

FAILING = """
from clawdcore import hookimpl

@hookimpl
def register_commands(register):
    @register("fail")
    async def fail(message):
        "Fail"
        raise OSError
"""


def test_a_killed_worker_is_replaced_and_everything_is_answered_once(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run()
        people = [here.server.user(number, f"U{number}") for number in range(1, 9)]
        for number, user in enumerate(people):
            here.server.say(user, f"/slow 0.7 s{number}")
            here.server.say(user, f"/say q{number}")
        await asyncio.sleep(0.4)
        os.kill(program.worker(), signal.SIGKILL)
        await here.count(16)
        texts = here.texts()
        assert sorted(texts) == sorted([f"s{n}" for n in range(8)] + [f"q{n}" for n in range(8)])
        for number in range(8):
            assert texts.index(f"s{number}") < texts.index(f"q{number}")
        assert await program.stop() == 0
        assert "16 accepted = 16 answered + 0 noticed" in program.lines[-1]
        assert here.server.violations == []

    place(story)


def test_a_message_that_crashes_each_worker_is_noticed_and_its_plugin_rests(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run()
        ada, bob = here.server.user(1, "Ada"), here.server.user(2, "Bob")
        here.server.say(ada, "/crash")
        for number in range(5):
            here.server.say(bob, f"/say {number}")
        await here.count(6)
        notice = [r for r in here.server.sent if r.chat_id == 1]
        assert len(notice) == 1 and "fail each time" in (notice[0].text or "")
        assert [r.text for r in here.server.sent if r.chat_id == 2] == list("01234")
        here.server.say(ada, "/harmless")
        here.server.say(bob, "/say more")
        await here.count(8)
        assert any("resting" in text for text in here.texts()[6:])
        assert "more" in here.texts()
        assert await program.stop() == 0

    place(story)


def test_a_worker_whose_loop_is_blocked_is_replaced_within_seconds(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run()
        ada, bob = here.server.user(1, "Ada"), here.server.user(2, "Bob")
        worker = program.worker()
        loop = asyncio.get_running_loop()
        here.server.say(ada, "/block")
        began = loop.time()
        await program.new_worker(worker)
        assert loop.time() - began < 6
        here.server.say(bob, "/say hello")
        await here.count(2)
        assert sorted(record.chat_id for record in here.server.sent) == [1, 2]
        assert any("has stalled" in line for line in program.lines)
        assert any("clawdbot_culprit.py" in line for line in program.lines), "where it stood"
        assert await program.stop() == 0

    place(story)


def test_the_worker_ends_with_the_edge_and_what_was_open_is_noticed_once(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run()
        ada, bob = here.server.user(1, "Ada"), here.server.user(2, "Bob", language_code="zh")
        here.server.say(ada, "/say before")
        await here.count(1)
        await here.ended(1)  # else its answer may have to be found in the chat
        here.server.say(ada, "/slow 60 never")
        here.server.say(ada, "/slow 60 never")
        here.server.say(bob, "/slow 60 never")
        while any("3 updates" in line for line in program.lines) or here.server.pending:
            await asyncio.sleep(0.05)
        await program.kill()
        again = await here.run()
        await here.count(3)
        here.server.say(ada, "/say after")
        await here.count(4)
        said = {r.chat_id: r.text for r in here.server.sent if "interrupted" in (r.text or "")}
        assert "2 messages" in said[1]
        assert len(here.texts()) == 4
        assert here.texts()[-1] == "after"
        assert await again.stop() == 0
        assert " + 3 noticed + " in again.lines[-1]

    place(story)


def test_reload_takes_new_code_and_loses_nothing(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run()
        ada, bob = here.server.user(1, "Ada"), here.server.user(2, "Bob")
        here.server.say(ada, "/slow 2 late")
        here.server.say(bob, "/version")
        await here.count(1)
        source = here.folder / "clawdbot_here.py"
        source.write_text(source.read_text().replace('return "one"', 'return "number two"'))
        command = [sys.executable, "-m", "clawdcore", "reload", "--config"]
        reload = await asyncio.create_subprocess_exec(
            *command, str(here.folder / "clawdbot.json"),
            cwd=here.folder, env=here.environment, stdout=subprocess.PIPE,
        )  # fmt: skip
        for _ in range(30):
            here.server.say(bob, "/version")
            await asyncio.sleep(0.1)
        output, _ = await reload.communicate()
        assert (reload.returncode, output.decode().strip()) == (0, "reloaded")
        await here.count(32)
        texts = here.texts()
        assert texts.count("late") == 1
        versions = [text for text in texts if text != "late"]
        assert versions == sorted(versions, key=len)
        assert versions[-1] == "number two"
        assert await program.stop() == 0
        assert "32 accepted = 32 answered + 0 noticed" in program.lines[-1]

    place(story)


def test_a_bad_edit_changes_nothing_and_says_why(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run()
        file: Path = here.folder / "clawdbot.json"
        good = file.read_text()
        file.write_text(good.replace('"plugins"', '"plugnis"'))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "clawdcore", "reload",
            cwd=here.folder, env=here.environment, stderr=subprocess.PIPE,
        )  # fmt: skip
        _, errors = await process.communicate()
        assert process.returncode == 1
        assert "plugins" in errors.decode()
        program.process.send_signal(signal.SIGHUP)
        await program.said("not reloaded")
        here.server.say(here.server.user(1, "Ada"), "/say still here")
        await here.count(1)
        assert here.texts() == ["still here"]
        assert await program.stop() == 0

    place(story)


def test_a_plugin_that_rests_does_so_in_the_next_worker_until_somebody_reloads(
    place: Told,
) -> None:
    async def story(here: Any) -> None:
        here.install("failing", FAILING)
        here.configure(plugins=["here", {"name": "failing", "budget": {"failures": 2}}])
        program = await here.run()
        ada = here.server.user(1, "Ada")
        for number in range(3):
            here.server.say(ada, "/fail")
            await here.count(number + 1)
        assert "is resting" in here.texts()[-1]
        worker = program.worker()
        os.kill(worker, signal.SIGKILL)
        await program.new_worker(worker)
        here.server.say(ada, "/fail")
        await here.count(4)
        assert "is resting" in here.texts()[-1]
        program.process.send_signal(signal.SIGHUP)
        await program.said("reloaded")
        here.server.say(ada, "/fail")
        await here.count(5)
        assert "went wrong" in here.texts()[-1]
        assert await program.stop() == 0

    place(story)


def test_whose_code_blocks_is_seen_and_the_others_are_answered_at_once(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run()
        ada, bob = here.server.user(1, "Ada"), here.server.user(2, "Bob")
        here.server.say(bob, "/slow 8 patient")
        here.server.say(ada, "/block")
        await program.said("plugin culprit brought a worker down")
        await program.said("plugin culprit brought a worker down", times=2)
        await program.said("plugin culprit rests")
        await here.count(2)
        assert "makes me fail" in " ".join(here.texts())
        assert "patient" in here.texts()
        assert not any("plugin here" in line for line in program.lines)
        assert await program.stop() == 0

    place(story)


def test_an_edit_of_the_file_takes_effect_by_itself_and_loses_nothing(place: Told) -> None:
    async def story(here: Any) -> None:
        here.configure(plugins=["culprit"])
        program = await here.run()
        ada = here.server.user(1, "Ada")
        here.server.say(ada, "/harmless")
        await here.count(1)
        here.configure(plugins=["culprit", "here"])
        await program.said("reloaded")
        here.server.say(ada, "/say there it is")
        await here.count(2)
        here.configure(plugins=["here"])
        for number in range(20):
            here.server.say(ada, f"/say {number}")
            await asyncio.sleep(0.1)
        await program.said("reloaded", times=2)
        await here.count(22)
        assert here.texts() == ["harmless", "there it is", *(str(n) for n in range(20))]
        assert await program.stop() == 0
        assert "22 accepted = 22 answered + 0 noticed" in program.lines[-1]

    place(story)


def test_an_edit_that_no_plugin_could_live_with_changes_nothing(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run()
        worker = program.worker()
        here.configure(plugins=["culprit", {"name": "here", "options": {"colour": "red"}}])
        await program.said("not reloaded: plugin 'here': it takes no options")
        here.install("dying", "import os\nos._exit(3)\n")
        here.configure(plugins=["culprit", "here", "dying"])
        await program.said("end the process that loads them (status 3)")
        here.server.say(here.server.user(1, "Ada"), "/say still here")
        await here.count(1)
        assert here.texts() == ["still here"]
        assert program.worker() == worker
        assert await program.stop() == 0

    place(story)


def test_single_runs_everything_in_one_process(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run("--single")
        here.server.say(here.server.user(1, "Ada"), "/say one process")
        await here.count(1)
        pid = program.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert children == []
        assert await program.stop() == 0

    place(story)


def test_an_edited_question_has_its_answer_edited(place: Told) -> None:
    async def story(here: Any) -> None:
        program = await here.run()
        ada = here.server.user(1, "Ada")
        asked = here.server.say(ada, "/say first")
        await here.count(1)
        here.server.edit(asked["message_id"], "/say second", 1)
        await here.server.wait(lambda: here.server.calls["editMessageText"] == 1, 20)
        assert here.texts() == ["first"]
        assert [m["text"] for m in here.server.messages(1)] == ["/say second", "second"]
        assert await program.stop() == 0

    place(story)
