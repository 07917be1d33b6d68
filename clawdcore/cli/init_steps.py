"""The steps of ``clawdbot init``, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ClawdBotError, ConfigValueError, PluginNotInstalled
from .init_files import TOKEN_FILE, as_written, with_api_root, write
from .init_questions import Asker
from .init_servers import Server, find_servers
from .init_token import PUBLIC, VARIABLE, Token, get_token

if TYPE_CHECKING:
    from ..config import Config
    from ..hooks.loader import Loader

Find = Callable[[], Coroutine[Any, Any, list[Server]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was given on the command line; None for what is asked or found."""

    output: Path
    token_file: Path | None = None
    api_root: str | None = None
    model: str | None = None
    base_url: str | None = None
    api_key_variable: str | None = None
    owner: int | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """The model that answers, and its server's address, None for the embedded one."""

    reference: str
    base_url: str | None = None


def set_up(
    wishes: Wishes, asker: Asker, find: Find = find_servers, loader: Loader | None = None
) -> None:
    """Ask what was not given, and write the files; says what to do next.

    ``loader`` knows what is installed; by default what is.

    Raises:
        ClawdBotError: something given can't be used, or nothing may be replaced.
    """
    from ..hooks.loader import Loader

    loader = loader or Loader()
    _may_write(wishes.output, wishes.force, asker)
    token = get_token(wishes.token_file, wishes.api_root or PUBLIC, asker)
    token_file = token.file
    if token.typed:
        token_file = wishes.output.parent / TOKEN_FILE
        _may_write(token_file, wishes.force, asker)
    model = _model(wishes, asker, loader, find)
    owner = wishes.owner if wishes.owner is not None else _owner(asker)
    # A file that is yet to be written is left out of the check.
    _check(_text(wishes, token.file, model, owner, loader), wishes, model)
    if token.typed and token_file is not None:
        write(token_file, token.typed + "\n", mode=0o600)
    write(wishes.output, _text(wishes, token_file, model, owner, loader), mode=0o644)
    _say_next(wishes, token, model, owner, loader)


def _may_write(path: Path, force: bool, asker: Asker) -> None:
    if path.is_dir():
        raise ClawdBotError(f"{path} is a folder.", fix=f"Write --output {path / 'clawdbot.json'}.")
    if not path.exists() or force:
        return
    if not asker.confirm(f"{path} exists. Replace it?", default=False):
        raise ClawdBotError(
            f"{path} exists and was left as it is.",
            fix="Replace it with --force, or choose another place with --output.",
        )


def _model(wishes: Wishes, asker: Asker, loader: Loader, find: Find) -> Model:
    from ..config import DEFAULT_MODEL

    if wishes.model is not None and wishes.base_url is not None:
        return Model(wishes.model, wishes.base_url)
    if wishes.base_url is not None:
        raise ClawdBotError(
            "--base-url needs --model.", fix="Add the model's name: --model vllm/NAME."
        )
    embedded = DEFAULT_MODEL.partition("/")[0]
    if wishes.model is not None and wishes.model.partition("/")[0] == embedded:
        return Model(wishes.model)
    servers = [server for server in asyncio.run(find()) if _usable(server, loader)]
    found = [
        Model(f"{server.name}/{model}", server.base_url)
        for server in servers
        for model in server.models
    ]
    if wishes.model is not None:
        return next((m for m in found if m.reference == wishes.model), Model(wishes.model))
    own = f"{DEFAULT_MODEL}, embedded: needs no server and no GPU; fetched at the first start"
    if loader.knows(embedded):
        found.append(Model(DEFAULT_MODEL))
    if not found:
        return Model(DEFAULT_MODEL)
    if len(found) == 1:
        click.echo(f"Model: {_named(found[0], own)}")
        return found[0]
    return found[asker.choose("Which model", [_named(model, own) for model in found])]


def _named(model: Model, embedded: str) -> str:
    return embedded if model.base_url is None else f"{model.reference} at {model.base_url}"


def _usable(server: Server, loader: Loader) -> bool:
    """Whether the server can be offered; where not, says what is missing."""
    from ..config import ProviderConfig
    from ..worker.backends import backend_name

    provider = ProviderConfig(name=server.name, base_urls=[server.base_url])
    try:
        loader.require([backend_name(provider, loader)])
    except ClawdBotError as error:
        click.echo(f"A model server answers at {server.base_url}. To use it: {error}")
        return False
    if server.wants_key:
        click.echo(
            f"A model server at {server.base_url} wants a key. To use it: clawdbot init "
            f"--model {server.name}/MODEL --base-url {server.base_url} --api-key-variable NAME"
        )
        return False
    return True


def _owner(asker: Asker) -> int | None:
    while given := asker.text("Your Telegram user id (empty: claim the bot later, in a chat)"):
        if given.isascii() and given.isdigit() and int(given) > 0:
            return int(given)
        click.echo("A user id is a number, such as 12345678.")
    return None


def _text(
    wishes: Wishes, token_file: Path | None, model: Model, owner: int | None, loader: Loader
) -> str:
    from ..config import DEFAULT_PLUGINS, template

    installed = [name for name in DEFAULT_PLUGINS if loader.knows(name)]
    text = template(
        model=model.reference,
        base_url=model.base_url,
        api_key_variable=wishes.api_key_variable if model.base_url else None,
        token_file=None if token_file is None else as_written(token_file, wishes.output),
        owner=owner,
        plugins=installed or DEFAULT_PLUGINS,
    )
    return with_api_root(text, wishes.api_root)


def _check(text: str, wishes: Wishes, model: Model) -> None:
    from ..config import parse

    try:
        parse(text, file=wishes.output)
    except ConfigValueError as error:
        fix = error.fix
        if wishes.model is not None and model.base_url is None:
            fix = f"{fix} A model server of your own is given with --base-url."
        raise ConfigValueError(error.what, fix=fix.strip()) from None


def _say_next(
    wishes: Wishes, token: Token, model: Model, owner: int | None, loader: Loader
) -> None:
    from ..config import load

    config = load(wishes.output)
    click.echo(f"Wrote {wishes.output}.")
    if token.typed:
        click.echo(f"Wrote {wishes.output.parent / TOKEN_FILE}: the token, readable by you alone.")
    chosen = wishes.output != Path("clawdbot.json")
    where = f" --config {wishes.output}" if chosen else ""
    steps = []
    if config.channels.telegram.bot_token is None:
        steps.append(f"export {VARIABLE}=…     the token from @BotFather")
    missing = _not_installed(config, model, loader)
    if missing:
        steps.append(f"pip install {' '.join(missing)}")
    steps += [f"clawdbot doctor{where}     checks all of it", f"clawdbot run{where}"]
    if token.username:
        steps.append(f"write to @{token.username} in Telegram")
    if owner is None:
        steps.append("send it the code that the first start prints: you are its owner then")
    click.echo("Next:")
    for step in steps:
        click.echo(f"  {step}")


def _not_installed(config: Config, model: Model, loader: Loader) -> list[str]:
    """Our packages that the configuration needs and that are not here."""
    from ..worker.backends import backend_name

    provider = config.models.providers[model.reference.partition("/")[0]]
    missing = []
    for name in (*(plugin.name for plugin in config.plugins), backend_name(provider, loader)):
        try:
            loader.require([name])
        except PluginNotInstalled as error:
            missing.append(error.fix.rpartition(" ")[2])
    return missing
