"""Says every message's token back, in all the ways in which plugins work.

``[token]`` is a whole answer; ``(token)`` one that has begun.
"""

import asyncio
import hashlib
import random
import re
import tempfile
import time
from pathlib import Path

from clawdcore import Backend, Chunk, Load, ModelInfo, hookimpl

TOKEN = re.compile(r"k[0-9a-z]{12}")


def token(text):
    """The token in a text, "none" where there is none."""
    found = TOKEN.search(text)
    return found.group() if found else "none"


async def through_a_file(message):
    """What OCR does with a picture: into a temporary file and back."""
    data = b"".join([await attachment.read() for attachment in message.attachments])
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(data or message.body.encode())
        file.flush()
        await asyncio.sleep(random.uniform(0.02, 0.2))
        size = await asyncio.to_thread(lambda: len(Path(file.name).read_bytes()))
    return f"[{token(message.body)}] {size} bytes"


class Silent(Backend):
    """A model server, so that none is started or fetched; nothing here asks it."""

    async def start(self):
        pass

    async def close(self):
        pass

    async def models(self):
        return [ModelInfo(id="none", context_length=4096, max_output_tokens=512)]

    async def generate(self, request):
        yield Chunk("", "stop")

    async def load(self):
        return Load(running=0, waiting=0, capacity=1)


@hookimpl
def register_backends(register):
    """Add the model server."""
    register("parrot", lambda provider: Silent())


@hookimpl
def register_commands(register):
    """Add the ways to say a token back."""

    @register("echo")
    async def echo(message, words: str):
        """Say it back"""
        return f"[{token(words)}] {words}"

    @register("nap")
    async def nap(message, words: str):
        """Say it back after a moment"""
        await asyncio.sleep(random.uniform(0.01, 0.3))
        return f"[{token(words)}] {words}"

    @register("stream")
    async def stream(message, words: str):
        """Say it back bit by bit"""
        yield f"({token(words)}) "
        for word in words.split():
            await asyncio.sleep(0.05)
            yield f"{word} "
        yield f"[{token(words)}]"

    @register("work")
    def work(message, words: str):
        """Say it back after some work"""
        ends = time.thread_time() + 0.01
        digest = words.encode()
        while time.thread_time() < ends:
            digest = hashlib.sha256(digest).digest()
        return f"[{token(words)}] {digest.hex()}"

    @register("file")
    async def file(message, words: str):
        """Say it back by way of a file"""
        return await through_a_file(message)

    @register("constant")
    async def constant(message, words: str = ""):
        """Say always the same"""
        return "constant"

    @register("tasks")
    async def tasks(message):
        """How many tasks the event loop has"""
        return f"tasks {len(asyncio.all_tasks())}"

    @register("hold")
    async def hold(message, words: str):
        """Don't answer for a long time"""
        await asyncio.sleep(3000)
        return f"[{token(words)}]"


@hookimpl
def register_handlers(register):
    """Answer what is no command."""

    @register("text")
    async def text(message):
        return f"[{token(message.body)}] {message.body}"

    for kind in ("photo", "voice", "audio", "document"):
        register(kind)(through_a_file)
