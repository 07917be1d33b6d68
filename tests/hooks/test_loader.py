"""Finding, checking and registering plugins."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from clawdcore import Context, hookimpl
from clawdcore.errors import HookError, PluginClash, PluginError, PluginNotInstalled
from clawdcore.hooks.loader import HOOKS, Loader, Tables, installed
from clawdcore.messages import Message


class Entry(SimpleNamespace):
    name: str
    options: dict[str, Any]
    enabled: bool


def entry(name: str, enabled: bool = True, **options: Any) -> Entry:
    return Entry(name=name, options=options, enabled=enabled)


def context(name: str, options: Any) -> Context:
    return Context(
        plugin=name,
        options=options,
        models=None,  # type: ignore[arg-type]
        storage=None,  # type: ignore[arg-type]
        clock=lambda: 0.0,
    )


def tables(**targets: object) -> Tables:
    loader = Loader({})
    return loader.tables([entry(name) for name in targets], context, targets)


def command_plugin(*names: str, **marks: bool) -> object:
    class Plugin:
        @hookimpl
        def register_commands(self, register: Any) -> None:
            for name in names:

                @register(name)
                async def run(message: Message) -> str:
                    """Run"""
                    return ""

        @hookimpl(**marks)
        def register_handlers(self, register: Any, context: Context) -> None:
            @register("text")
            async def handle(message: Message) -> str:
                return context.plugin

    return Plugin()


def test_commands_of_all_plugins_in_one_table() -> None:
    found = tables(a=command_plugin("one", "two"), b=command_plugin("three"))
    assert {word: command.plugin for word, command in found.commands.items()} == {
        "one": "a",
        "two": "a",
        "three": "b",
    }
    assert found.disabled == {}


def test_handlers_stand_in_list_order_with_tryfirst_and_trylast() -> None:
    found = tables(
        last=command_plugin(trylast=True),
        a=command_plugin(),
        b=command_plugin(),
        first=command_plugin(tryfirst=True),
    )
    assert [handler.plugin for handler in found.handlers] == ["first", "a", "b", "last"]


def test_the_second_claim_to_a_command_disables_its_plugin_alone() -> None:
    found = tables(a=command_plugin("one"), b=command_plugin("two", "one"), c=command_plugin("x"))
    assert list(found.commands) == ["one", "x"]
    assert isinstance(found.disabled["b"], PluginClash)
    assert "/one is already plugin 'a''s" in str(found.disabled["b"])
    assert [plugin.name for plugin in found.plugins] == ["a", "c"]


def test_disabled_entries_are_not_loaded() -> None:
    found = Loader({}).tables([entry("a", enabled=False)], context, {"a": command_plugin("one")})
    assert (found.commands, found.disabled) == ({}, {})


class Misspelt:
    @hookimpl
    def register_comands(self, register: Any) -> None:
        """Wrong name."""


class WrongSignature:
    @hookimpl
    def register_commands(self, register: Any, bot: Any) -> None:
        """Wrong argument."""


class Wrapper:
    @hookimpl(wrapper=True)
    def register_commands(self, register: Any) -> Any:
        yield


class Async:
    @hookimpl
    async def register_commands(self, register: Any) -> None:
        """Async."""


class Raises:
    @hookimpl
    def register_commands(self, register: Any) -> None:
        raise ValueError("no such thing")


class Constructor:
    def __init__(self) -> None:
        raise OSError("no disk")

    @hookimpl
    def register_commands(self, register: Any) -> None:
        """Never reached."""


class Kind:
    @hookimpl
    def register_handlers(self, register: Any) -> None:
        register("smell")(print)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Misspelt(), "Did you mean 'register_commands'?"),
        (WrongSignature(), "bot"),
        (Wrapper(), "prepare_reply"),
        (Async(), "Write def"),
        (Raises(), "register_commands failed: ValueError: no such thing"),
        (Constructor, "can't be created: OSError"),
        (Kind(), "Known kinds: text"),
        (object(), "implements no hook"),
    ],
)
def test_a_broken_plugin_is_disabled_with_the_reason_and_the_others_load(
    target: object, words: str
) -> None:
    found = tables(bad=target, good=command_plugin("one"))
    assert words in str(found.disabled["bad"])
    assert "\n" not in str(found.disabled["bad"])
    assert isinstance(found.disabled["bad"], PluginError)
    assert list(found.commands) == ["one"]


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    city: str = "Zurich"
    days: int = 3


class WithOptions:
    seen: Any = None

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        return Options

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        self.seen = context.options


def test_options_are_validated_and_handed_over() -> None:
    plugin = WithOptions()
    found = Loader({}).tables([entry("w", city="Basel")], context, {"w": plugin})
    assert found.disabled == {}
    assert plugin.seen == Options(city="Basel")


def test_wrong_options_name_key_reason_and_nearest() -> None:
    found = Loader({}).tables([entry("w", citty="x", days="y")], context, {"w": WithOptions()})
    text = str(found.disabled["w"])
    assert "options.days: Input should be a valid integer" in text
    assert "did you mean 'city'?" in text


def test_options_for_a_plugin_without_any() -> None:
    found = Loader({}).tables([entry("a", x=1)], context, {"a": command_plugin("one")})
    assert "takes no options" in str(found.disabled["a"])


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "clawdbot")


def test_not_installed_ends_with_the_install_line_for_our_own() -> None:
    loader = Loader({"weather": [point("weather", "w")]})
    with pytest.raises(PluginNotInstalled) as ours:
        loader.require(["ocr"])
    assert str(ours.value).endswith("pip install clawdbot-ocr")
    with pytest.raises(PluginNotInstalled) as theirs:
        loader.require(["wether"])
    assert "Did you mean 'weather'?" in str(theirs.value)
    assert "pip install" not in str(theirs.value)


def test_two_distributions_with_one_name() -> None:
    loader = Loader(installed([point("a", "first"), point("a", "second"), point("b", "x")]))
    loader.require(["b"])
    with pytest.raises(PluginClash) as caught:
        loader.require(["a"])
    assert "first and second" in str(caught.value)
    assert "pip uninstall second" in str(caught.value)


def test_the_same_entry_point_seen_twice_is_no_clash() -> None:
    loader = Loader(installed([point("a", "m"), point("a", "m")]))
    loader.require(["a"])


def test_import_errors_are_one_line() -> None:
    loader = Loader({"x": [point("x", "no_such_module_anywhere")]})
    with pytest.raises(PluginError, match="can't be imported: ModuleNotFoundError"):
        loader.load("x")


class Backends:
    def __init__(self, name: str) -> None:
        self.name = name

    @hookimpl
    def register_backends(self, register: Any) -> None:
        register(self.name, lambda provider: provider)


def test_backends_by_name_and_their_clash() -> None:
    loader = Loader({})
    one, two = loader.load("one", Backends("m")), loader.load("two", Backends("m"))
    assert list(loader.backends([one])) == ["m"]
    with pytest.raises(PluginClash, match="both register the backend 'm'"):
        loader.backends([one, two])


def test_disable_takes_everything_of_one_plugin() -> None:
    found = tables(a=command_plugin("one"), b=command_plugin("two"))
    found.disable("a", HookError("broken", plugin="a"))
    assert list(found.commands) == ["two"]
    assert [handler.plugin for handler in found.handlers] == ["b"]
    assert "a" in found.disabled


def test_every_spec_is_a_known_hook() -> None:
    assert {"register_commands", "forget", "reply_delivered"} <= HOOKS


def test_one_plugin_may_be_a_backend_and_have_commands() -> None:
    class Both(Backends):
        @hookimpl
        def register_commands(self, register: Any) -> None:
            @register("both")
            async def both(message: Message) -> str:
                """Both"""
                return ""

    loader = Loader({})
    plugin = Both("m")
    assert list(loader.backends([loader.load("both", plugin)])) == ["m"]
    found = loader.tables([entry("both")], context, {"both": plugin})
    assert found.disabled == {}
    assert list(found.commands) == ["both"]
