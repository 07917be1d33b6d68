"""The checks of plugins: one that does all right, and for each check one that does not."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ConfigDict, Field

from clawdcore import Context, Message, Needs, hookimpl
from clawdcore.testing import PluginConformance
from clawdcore.testing.plugin_checks import CHECKS, arguments
from clawdcore.testing.plugin_play import CANARY
from clawdcore.testing.plugin_subject import NotChecked, Subject, Unfit

log = logging.getLogger("somebodys.plugin")


class Options(BaseModel):
    """Its options."""

    model_config = ConfigDict(extra="forbid")
    loud: bool = Field(False, description="Whether it shouts.")


class Good:
    """Echoes, counts, keeps and forgets, as a plugin should."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        return Options

    @hookimpl
    def needs(self) -> Needs:
        return Needs(hosts=("api.example.org",), keeps="how often you asked")

    @hookimpl
    async def startup(self) -> None:
        self.tasks.add(asyncio.create_task(asyncio.sleep(3600)))

    @hookimpl
    async def shutdown(self) -> None:
        for task in self.tasks:
            task.cancel()

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("echo", example="/echo hello")
        async def echo(message: Message, text: str = "") -> str:
            """Say it again"""
            context.memory.set(f"last {message.sender.id}", text)
            return text or "Say something."

        @register("price")
        async def price(message: Message) -> str:
            """Ask a service"""
            try:
                answer = await context.http.get("https://api.example.org/price")
            except httpx.HTTPError:
                return "The service is down. Please try later."
            return answer.text

        @register("write")
        async def write(message: Message, topic: str = "") -> str:
            """Have the model write"""
            return await context.models.complete(_request(topic))

    @hookimpl
    async def forget(self, scope: Any, context: Context) -> str | None:
        key = f"last {scope.id}"
        if scope.kind != "user" or context.memory.get(key) is None:
            return None
        context.memory.delete(key)
        return "the last thing that you said"


def _request(topic: str) -> Any:
    from clawdcore import Request, Turn

    return Request(turns=(Turn("user", f"Write about {topic}"),))


class Needy(Good):
    """Can't be loaded alone."""

    @hookimpl
    async def startup(self) -> None:
        raise RuntimeError("the other plugin is not there")


class Misspelt:
    """Has a hook with an argument that there is not."""

    @hookimpl
    def register_commands(self, registry: Any) -> None: ...


class Undescribed(Good):
    """Has an option without a description."""

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        class Model(BaseModel):
            model_config = ConfigDict(extra="forbid")
            loud: bool = False

        return Model


class Lenient(Good):
    """Takes options that it does not have."""

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        class Model(BaseModel):
            loud: bool = Field(False, description="Whether it shouts.")

        return Model


def adds(command: Callable[..., Any]) -> Callable[..., None]:
    """A ``register_commands`` of Good's commands and one more."""

    def register_commands(self: Good, register: Any, context: Context) -> None:
        Good.register_commands(self, register, context)
        register("more")(command)

    return hookimpl(register_commands)


class Silent(Good):
    """Has a command that says nothing."""

    async def _more(message: Message) -> None:  # noqa: N805
        """Do nothing"""

    register_commands = adds(_more)


class Careless(Good):
    """Has a command that raises over what people write."""

    async def _more(message: Message, text: str = "0") -> str:  # noqa: N805
        """Count"""
        return str(int(text))

    register_commands = adds(_more)


class Fragile(Good):
    """Raises over a picture."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo")
        async def look(message: Message) -> str:
            return str(message.attachments[7])


class Disappointed(Good):
    """Takes a model's failure for its own."""

    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        @register("text", addressed=True)
        async def talk(message: Message) -> str:
            try:
                return await context.models.complete(_request("it"))
            except Exception as error:
                raise RuntimeError("no model") from error


class Sly(Good):
    """Reaches a host that it does not name."""

    async def _more(message: Message) -> str:  # noqa: N805
        """Ask somebody"""
        async with httpx.AsyncClient() as client:
            return (await client.get("http://elsewhere.example.org")).text

    register_commands = adds(_more)


class Undeclared(Good):
    """Reaches a host that it does not name, through the bot's client."""

    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        @register("text", addressed=True)
        async def talk(message: Message) -> str:
            return (await context.http.get("https://elsewhere.example.org")).text


class Forever(Good):
    """Leaves a task that does not let itself be cancelled at once."""

    @hookimpl
    async def startup(self) -> None:
        self.tasks.add(asyncio.create_task(_stubborn()))


async def _stubborn() -> None:
    for _ in range(1000):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if threading.current_thread() is not threading.main_thread():
                raise


class Chatty(Good):
    """Logs what people write."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text", addressed=True)
        async def talk(message: Message) -> str:
            log.debug("somebody says %s", message.body)
            return "Interesting."


class Elephant(Good):
    """Never forgets."""

    @hookimpl
    async def forget(self, scope: Any, context: Context) -> str | None:
        return None


class Liar(Good):
    """Says that it has forgotten, and has not."""

    @hookimpl
    async def forget(self, scope: Any, context: Context) -> str | None:
        return "all that you said" if scope.kind == "user" else None


class Once(Good):
    """Starts only once in a process."""

    started = False

    @hookimpl
    async def startup(self) -> None:
        if Once.started:
            raise RuntimeError("again?")
        Once.started = True


class Threaded(Good):
    """Leaves a thread behind."""

    go_on = threading.Event()

    @hookimpl
    async def startup(self) -> None:
        threading.Thread(target=Threaded.go_on.wait, daemon=True).start()


def failures(plugin: type) -> dict[str, str]:
    """What the checks say of it, those that it passes left out."""
    found = {}
    for check in CHECKS:
        try:
            check(Subject(name=plugin.__name__.lower(), target=plugin()))
        except NotChecked:
            continue
        except Unfit as error:
            found[check.__name__] = str(error)
    return found


def test_a_good_plugin_passes_all_checks() -> None:
    assert failures(Good) == {}


@pytest.mark.parametrize(
    ("plugin", "check", "said"),
    [
        (Undescribed, "options", "the option 'loud' has no description. Give it one: Field("),
        (Lenient, "options", 'Give the model model_config = ConfigDict(extra="forbid").'),
        (Silent, "arguments", "nothing is answered when '/more' is written."),
        (
            Careless,
            "arguments",
            "it raises ValueError when '/more some text' is written, at test_",
        ),
        (Fragile, "messages", "it raises IndexError over a picture in private, at test_plugin"),
        (Disappointed, "models", "when the model fails (BackendUnavailable), at test_plugin"),
        (Sly, "network", "it reaches the network by itself, at test_plugin_checks.py:"),
        (Undeclared, "network", "it reaches elsewhere.example.org, which it does not declare"),
        (Forever, "leaves_nothing", "after the stop a task still runs: _stubborn (test_plugin"),
        (Chatty, "logs", "what people write is logged, at test_plugin_checks.py:"),
        (Elephant, "forget", "after /forget its memory still holds what somebody wrote."),
        (Liar, "forget", "after /forget it still holds something: 'all that you said'."),
        (Once, "starts_twice", "RuntimeError"),
        (
            Threaded,
            "leaves_nothing",
            "after the stop more is left than before the start (threads: ",
        ),
    ],
)
def test_each_fault_is_found_and_said_with_its_place_and_fix(
    plugin: type, check: str, said: str
) -> None:
    Once.started = False
    Threaded.go_on.clear()
    try:
        found = failures(plugin)
    finally:
        Threaded.go_on.set()
    assert check in found
    assert said in found[check]
    assert CANARY not in str(found)


def test_one_that_can_not_be_loaded_says_why() -> None:
    assert "startup" in failures(Needy)["loads"] or "not there" in failures(Needy)["loads"]
    assert "registry" in failures(Misspelt)["loads"]


def test_what_it_has_not_is_not_checked() -> None:
    class Empty:
        @hookimpl
        def privacy_notes(self) -> str:
            return ""

    with pytest.raises(NotChecked, match="no commands"):
        arguments(Subject(name="empty", target=Empty()))


class TestGood(PluginConformance, plugin=Good()):
    """As an author would write it."""
