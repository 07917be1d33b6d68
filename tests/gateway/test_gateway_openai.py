"""The official client against the gateway, over a socket."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from clawdcore.backend import Chunk, Request, ToolCall, Usage
from clawdcore.config import GatewayConfig
from clawdcore.errors import GenerationFailed, Overloaded
from clawdcore.gateway.keys import Key
from clawdcore.gateway.listening import listen
from clawdcore.gateway.server import GatewayServer

openai = pytest.importorskip("openai", reason="the openai client is not installed here")

LIMIT = 120.0
"""Real seconds after which a test has failed; nothing here needs one."""
HELLO: Any = [{"role": "user", "content": "Hello there"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


def talk(house: Any, work: Callable[[Any], Awaitable[None]], *, token: str = "s3cret") -> None:
    """Run ``work`` with a client of a gateway that wants the token ``s3cret``."""

    async def scene() -> None:
        server = GatewayServer(
            GatewayConfig(),
            house.rooms,
            listen("127.0.0.1", 0),
            timeout=LIMIT,
            folder=Path(__file__).parent,
            more=[Key.of("test", "s3cret")],
        )
        await server.start()
        try:
            async with (
                asyncio.timeout(LIMIT),
                openai.AsyncOpenAI(
                    base_url=f"http://127.0.0.1:{server.ports[0]}/v1",
                    api_key=token,
                    max_retries=0,
                    timeout=LIMIT,
                ) as client,
            ):
                await work(client)
        finally:
            await server.close()

    asyncio.run(scene())


def calling(house: Any) -> None:
    async def generate(request: Request) -> Any:
        house.rooms.fake.requests.append(request)
        yield Chunk("Wait.")
        yield Chunk(calls=(ToolCall("c1", "weather", '{"city": "Bonn"}'),))
        yield Chunk(finish="tool_calls", usage=Usage(10, 9))

    house.rooms.fake.generate = generate


def test_chat_completions(house: Any) -> None:
    async def work(client: Any) -> None:
        answer = await client.chat.completions.create(model="main/small", messages=HELLO)
        assert answer.choices[0].message.content == "Hello there"
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage.total_tokens == 5

    talk(house, work)


def test_chat_completions_streamed(house: Any) -> None:
    async def work(client: Any) -> None:
        stream = await client.chat.completions.create(
            model="small", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert said == "Hello there"
        assert chunks[-1].usage.completion_tokens == 2

    talk(house, work)


@pytest.mark.parametrize("stream", [False, True])
def test_tools_of_chat_completions(house: Any, stream: bool) -> None:
    calling(house)

    async def work(client: Any) -> None:
        options: Any = {"model": "small", "messages": HELLO, "tools": [TOOL]}
        if stream:
            async with client.chat.completions.stream(**options) as events:
                answer = await events.get_final_completion()
        else:
            answer = await client.chat.completions.create(**options)
        only = answer.choices[0]
        assert only.finish_reason == "tool_calls"
        assert only.message.tool_calls[0].function.arguments == '{"city": "Bonn"}'
        assert only.message.content == "Wait."

    talk(house, work)


def test_responses(house: Any) -> None:
    async def work(client: Any) -> None:
        answer = await client.responses.create(model="main/small", input="Hello there")
        assert (answer.output_text, answer.status) == ("Hello there", "completed")
        assert answer.usage.total_tokens == 5

    talk(house, work)


@pytest.mark.parametrize("tools", [False, True])
def test_responses_streamed(house: Any, tools: bool) -> None:
    if tools:
        calling(house)

    async def work(client: Any) -> None:
        flat = [{"type": "function", "name": "weather", "parameters": {}, "strict": False}]
        async with client.responses.stream(
            model="small", input="Hello there", tools=flat if tools else []
        ) as events:
            kinds = [event.type async for event in events]
            answer = await events.get_final_response()
        assert kinds[0] == "response.created"
        assert kinds[-1] == "response.completed"
        assert answer.output_text == ("Wait." if tools else "Hello there")
        calls = [item for item in answer.output if item.type == "function_call"]
        assert [call.arguments for call in calls] == (['{"city": "Bonn"}'] if tools else [])

    talk(house, work)


def test_a_picture_and_a_schema(house: Any) -> None:
    async def work(client: Any) -> None:
        url = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
        content = [
            {"type": "text", "text": "What?"},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}
        await client.chat.completions.create(
            model="small",
            messages=[{"role": "user", "content": content}],
            response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
        )
        request = house.rooms.fake.requests[0]
        assert request.turns[0].images[0].data == b"\x89PNG"
        assert request.schema == schema

    talk(house, work)


def test_models(house: Any) -> None:
    async def work(client: Any) -> None:
        assert [model.id async for model in client.models.list()] == ["main/small", "far/org/large"]
        assert (await client.models.retrieve("small")).id == "main/small"

    talk(house, work)


@pytest.mark.parametrize("stream", [False, True])
def test_its_errors_are_the_right_ones(house: Any, stream: bool) -> None:
    async def work(client: Any) -> None:
        async def ask(**options: Any) -> None:
            given = {"model": "small", "messages": HELLO, "stream": stream, **options}
            await client.chat.completions.create(**given)

        with pytest.raises(openai.NotFoundError):
            await ask(model="nobody")
        with pytest.raises(openai.BadRequestError) as bad:
            await ask(temperature=9)
        assert bad.value.param == "temperature"
        house.rooms.fake.enqueue(Overloaded("Full.", retry_after=3.5))
        with pytest.raises(openai.RateLimitError) as full:
            await ask()
        assert full.value.response.headers["retry-after"] == "4"
        assert full.value.code == "overloaded"

    talk(house, work)


def test_a_wrong_token_is_an_authentication_error(house: Any) -> None:
    async def work(client: Any) -> None:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()

    talk(house, work, token="wrong")


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_stream_that_breaks_raises(house: Any, api: str) -> None:
    async def generate(request: Request) -> Any:
        yield Chunk("Once")
        raise GenerationFailed("The model broke.")

    house.rooms.fake.generate = generate

    async def work(client: Any) -> None:
        if api == "chat":
            stream = await client.chat.completions.create(
                model="small", messages=HELLO, stream=True
            )
        else:
            stream = await client.responses.create(model="small", input="Hi", stream=True)
        with pytest.raises(openai.APIError, match=r"The model broke\."):
            async for _ in stream:
                pass

    talk(house, work)
