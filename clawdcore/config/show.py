"""Shows a configuration as it takes effect, without its secrets."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from pydantic import SecretStr

from .keys import children
from .model import Config
from .node import Loc, path_text
from .values import Section

HIDDEN: Final = "***"
_SECRET_NAME: Final = re.compile(
    r"(token|secret|password|passwd|passphrase|credentials?|authorization|cookie|key)s?$", re.I
)
_USER_OF_URL: Final = re.compile(r"(?<=://)[^/\s]+(?=@)")


def show(config: Config, *, redact: bool = True, sources: bool = False) -> str:
    """The configuration as JSON, with every default.

    With ``redact`` (the default) secrets are ``***``: the keys that hold them,
    options that are called like one or come from an environment variable, and
    names and passwords in addresses. Without it the text loads again as the
    same configuration. With ``sources`` the JSON has two members: ``config``,
    and ``sources``, which says for each value that is no default whether it
    came from the file, a variable or a secret file.
    """
    shown: Any = _section(config, (), config if redact else None)
    shown["agents"]["defaults"]["workspace"] = str(config.workspace_path)
    if sources:
        origins = {path_text(loc): source for loc, source in config.provenance.sources.items()}
        shown = {"config": shown, "sources": origins}
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _section(section: Section, loc: Loc, hide: Config | None) -> dict[str, Any]:
    names = {field.alias or name: name for name, field in type(section).model_fields.items()}
    return {
        alias: _value(getattr(section, names[alias]), (*loc, alias), hide)
        for alias in children(type(section))
    }


def _value(value: Any, loc: Loc, hide: Config | None, secret: bool = False) -> Any:
    """``value`` as JSON. ``secret`` says that it lies in an option called like one."""
    if isinstance(value, Section):
        return _section(value, loc, hide)
    if isinstance(value, SecretStr):
        return value.get_secret_value() if hide is None else HIDDEN
    if isinstance(value, dict):
        return {
            name: _value(inner, (*loc, name), hide, secret or bool(_SECRET_NAME.search(name)))
            for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_value(inner, (*loc, index), hide, secret) for index, inner in enumerate(value)]
    if isinstance(value, str) and hide is not None:
        if "options" in loc and (secret or hide.provenance.sources.get(loc) == "env"):
            return HIDDEN
        return _USER_OF_URL.sub(HIDDEN, value)
    return value
