"""Which model servers are found on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from clawdcore.cli.init_servers import Server, find_servers


async def serving(answer: Callable[[], web.Response]) -> tuple[web.AppRunner, int]:
    async def handle(request: web.Request) -> web.Response:
        return answer()

    app = web.Application()
    app.router.add_get("/v1/models", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, runner.addresses[0][1]


def found(*answers: Callable[[], web.Response]) -> list[Server]:
    async def main() -> list[Server]:
        started = [await serving(answer) for answer in answers]
        try:
            return await find_servers([(port, "guess") for _, port in started])
        finally:
            for runner, _ in started:
                await runner.cleanup()

    return asyncio.run(main())


def listing(*ids: str, owner: str = "") -> Callable[[], web.Response]:
    data = [{"id": id, "owned_by": owner} for id in ids]
    return lambda: web.json_response({"data": data})


def test_servers_are_found_by_their_list_of_models_and_named_after_their_kind() -> None:
    a, b = found(listing("big", "small", owner="vllm"), listing("q", owner="somebody"))
    assert (a.name, a.models, a.wants_key) == ("vllm", ("big", "small"), False)
    assert a.base_url.startswith("http://127.0.0.1:")
    assert a.base_url.endswith("/v1")
    assert (b.name, b.models) == ("guess", ("q",))


def test_one_that_wants_a_key_is_found_without_models() -> None:
    [server] = found(lambda: web.Response(status=401))
    assert server.wants_key
    assert server.models == ()


def test_what_is_no_model_server_is_passed_over() -> None:
    others: list[Callable[[], web.Response]] = [
        lambda: web.Response(text="<html>"),
        lambda: web.json_response({"data": "x"}),
        lambda: web.json_response([1]),
        lambda: web.Response(status=500),
        listing(),
        listing("name with spaces"),
    ]
    assert found(*others) == []


def test_ports_where_nobody_listens_are_passed_over() -> None:
    async def main() -> list[Server]:
        runner, port = await serving(web.Response)
        await runner.cleanup()
        return await find_servers([(port, "guess")])

    work: Awaitable[list[Server]] = main()
    assert asyncio.run(asyncio.wait_for(work, 30)) == []
