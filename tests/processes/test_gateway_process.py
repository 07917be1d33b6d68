"""The gateway of the whole program: one socket that outlives its workers."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import httpx

Told = Callable[[Any], None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_gateway_answers_and_no_call_is_refused_while_the_worker_is_swapped(
    place: Told,
) -> None:
    async def story(here: Any) -> None:
        port = free_port()
        here.gateway = {"port": port}
        here.configure()
        program = await here.run()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            health = (await client.get("/health")).json()
            assert health["ladder"] == {"rung": 0, "name": "none"}
            answers: list[int] = []
            swapped = asyncio.Event()

            async def ask() -> None:
                while not swapped.is_set():
                    async with httpx.AsyncClient(timeout=30) as fresh:
                        answer = await fresh.get(f"http://127.0.0.1:{port}/v1/models")
                    answers.append(answer.status_code)

            asking = [asyncio.create_task(ask()) for _ in range(8)]
            worker = program.worker()
            program.process.send_signal(signal.SIGHUP)
            await program.said("reloaded")
            assert program.worker() != worker
            swapped.set()
            await asyncio.gather(*asking)
            assert answers
            assert set(answers) == {200}
            page = (await client.get("/metrics", params={"format": "json"})).json()
            assert page["queue_size"] == 0
        assert await program.stop() == 0

    place(story)


def test_a_killed_worker_leaves_the_port_to_the_next(place: Told) -> None:
    async def story(here: Any) -> None:
        port = free_port()
        here.gateway = {"port": port}
        here.configure()
        program = await here.run()
        worker = program.worker()
        os.kill(worker, signal.SIGKILL)
        await program.new_worker(worker)
        async with httpx.AsyncClient(timeout=30) as client:
            # Accepted by the kernel meanwhile, and answered by the new worker.
            assert (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200
        assert await program.stop() == 0

    place(story)


def test_an_open_host_without_a_token_gets_one_that_is_kept(place: Told) -> None:
    async def story(here: Any) -> None:
        port = free_port()
        here.gateway = {"port": port, "host": "0.0.0.0"}
        here.configure()
        program = await here.run()
        [line] = [line for line in program.lines if "asks for a token" in line]
        token = line.split("token: ")[1].split()[0]
        [file] = (here.folder / "state").glob("*/gateway-token")
        assert file.read_text() == token
        assert file.stat().st_mode & 0o777 == 0o600
        url = f"http://127.0.0.1:{port}/v1/models"
        async with httpx.AsyncClient(timeout=30) as client:
            assert (await client.get(url)).status_code == 401
            named = {"Authorization": f"Bearer {token}"}
            assert (await client.get(url, headers=named)).status_code == 200
        assert await program.stop() == 0
        again = await here.run()
        assert not any("asks for a token" in line for line in again.lines)
        assert await again.stop() == 0

    place(story)


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(place: Told) -> None:
    async def story(here: Any) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            here.gateway = {"port": taken.getsockname()[1]}
            here.configure()
            program = await here.run(ready=False)
            await program.said("gateway can't listen")
            assert await program.process.wait() == 1

    place(story)
