"""Finding, checking and registering plugins."""

from __future__ import annotations

import asyncio
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from clawdcore import Context, Press, ProviderConfig, hookimpl
from clawdcore.errors import HookError, PluginClash, PluginError, PluginNotInstalled
from clawdcore.hooks.checks import HOOKS
from clawdcore.hooks.loaded import Tables
from clawdcore.hooks.loader import Loader, installed
from clawdcore.messages import Attachment, Chat, Message, Sender


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
        memory=None,  # type: ignore[arg-type]
        schedule=None,  # type: ignore[arg-type]
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


def button_plugin(*names: str, **options: Any) -> object:
    class Plugin:
        @hookimpl
        def register_buttons(self, register: Any, context: Context) -> None:
            for name in names:

                @register(name, **options)
                async def pressed(press: Press) -> None:
                    """Do nothing"""

    return Plugin()


def test_buttons_of_one_name_are_each_plugin_s_own() -> None:
    found = tables(a=button_plugin("go", "stop"), b=button_plugin("go"))
    assert {(entry.plugin, entry.name) for entry in found.buttons.values()} == {
        ("a", "go"),
        ("a", "stop"),
        ("b", "go"),
    }
    assert all(entry.key == key for key, entry in found.buttons.items())
    found.disable("a", PluginError("x", plugin="a"))
    assert [entry.plugin for entry in found.buttons.values()] == ["b"]


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        (button_plugin("go", "go"), "'go' twice"),
        (button_plugin("Go!"), "can't be the name"),
        (button_plugin(""), "can't be the name"),
        (button_plugin("go", format="rtf"), "rtf"),
    ],
)
def test_buttons_that_can_t_be_registered_disable_their_plugin(plugin: object, said: str) -> None:
    found = tables(a=plugin)
    assert said in str(found.disabled["a"])
    assert found.buttons == {}


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


class ConstructorExits:
    def __init__(self) -> None:
        raise SystemExit("bye")


class Yields:
    @hookimpl
    async def startup(self, context: Context) -> Any:
        yield


class YieldsPlainly:
    @hookimpl
    def shutdown(self) -> Any:
        yield


class AsyncSerial:
    @hookimpl
    def register_handlers(self, register: Any) -> None:
        async def key(message: Message) -> str:
            return message.session

        @register("text", serial=key)
        async def handle(message: Message) -> str:
            return ""


class ReaderOfMore:
    @hookimpl
    def register_readers(self, register: Any) -> None:
        @register("photo")
        async def read(attachment: Attachment, language: str) -> str:
            return ""


class OptionsRaise:
    @hookimpl
    def options_model(self) -> type[BaseModel]:
        class Broken(BaseModel):
            @model_validator(mode="before")
            @classmethod
            def check(cls, given: Any) -> Any:
                return {}["no such key"]

        return Broken


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
        (ConstructorExits, "can't be created: SystemExit: bye"),
        (Yields(), "startup has a yield"),
        (YieldsPlainly(), "shutdown has a yield"),
        (AsyncSerial(), "Write def, not async def: serial="),
        (ReaderOfMore(), "(attachment) or (attachment, message)"),
        (OptionsRaise(), "validation of its options failed: KeyError"),
        (command_plugin("start"), "the command /start is the bot's own"),
        (command_plugin("fine", "help"), "the command /help is the bot's own"),
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


def test_the_name_of_the_bot_s_own_settings_is_no_plugin_s() -> None:
    found = tables(core=command_plugin("one"))
    assert isinstance(found.disabled["core"], PluginClash)
    assert found.commands == {}
    with pytest.raises(PluginClash, match="another name"):
        Loader({"core": [point("core", "m")]}).require(["core"])


def test_all_that_is_missing_is_named_at_once_with_one_line_to_install_ours() -> None:
    loader = Loader({"hello": [point("hello", "h")]})
    with pytest.raises(PluginNotInstalled) as caught:
        loader.require(["ocr", "hello", "voice", "helo"])
    text = str(caught.value)
    assert "'ocr', 'voice' and 'helo' are not installed" in text
    assert "Did you mean 'hello' instead of 'helo'?" in text
    assert text.endswith("pip install clawdbot-ocr clawdbot-voice")
    assert "\n" not in text


class Exits:
    """An entry point whose module ends the program."""

    name = value = "exits"
    dist = None

    def load(self) -> object:
        raise SystemExit("bye")


class Interrupted(Exits):
    def load(self) -> object:
        raise KeyboardInterrupt


def test_an_import_that_exits_is_the_plugin_s_failure_and_ctrl_c_is_not() -> None:
    with pytest.raises(PluginError, match="can't be imported: SystemExit: bye"):
        Loader({"x": [Exits()]}).load("x")  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        Loader({"x": [Interrupted()]}).load("x")  # type: ignore[list-item]


def test_what_a_backend_s_factory_raises_names_the_plugin_and_the_key() -> None:
    class Broken:
        @hookimpl
        def register_backends(self, register: Any) -> None:
            def factory(provider: ProviderConfig) -> Any:
                raise KeyError("url")

            register("m", factory)

    loader = Loader({})
    made = loader.backends([loader.load("b", Broken())])["m"]
    with pytest.raises(PluginError, match=r"backend 'm' can't be made: KeyError.*providers\.m"):
        made(ProviderConfig(name="m"))


def test_signatures_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Told:
        seen: Any = None

        @hookimpl
        def reply_delivered(self, receipt: Any) -> None:
            self.seen = receipt

    target = Told()
    loaded = Loader({}).load("told", target)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a signature was read while messages run")

    monkeypatch.setattr("inspect.signature", never)
    loaded.call("reply_delivered", receipt="r", context="c")
    assert target.seen == "r"


def test_readers_get_the_message_where_they_name_it() -> None:
    class Reads:
        @hookimpl
        def register_readers(self, register: Any) -> None:
            @register("photo")
            async def alone(attachment: Attachment) -> str:
                return attachment.file_id

            @register("photo")
            async def both(attachment: Attachment, message: Message) -> str:
                return f"{attachment.file_id} {message.id}"

            @register("photo")
            def plain(attachment: Attachment, *, message: Message) -> str:
                return f"{message.id}"

    alone, both, plain = tables(r=Reads()).readers
    message = Message(id=5, update_id=1, chat=Chat(1, "private"), sender=Sender(1, "A"))
    attachment = Attachment("photo", "f")
    assert asyncio.run(alone.function(attachment, message)) == "f"
    assert asyncio.run(both.function(attachment, message)) == "f 5"
    assert plain.function(attachment, message) == "5"
