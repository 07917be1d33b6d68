"""A plugin's options, checked with its own model."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from .errors import bad_registration
from .foreign import brief, guarded
from .loaded import Loaded


def validated(plugin: Loaded, given: dict[str, Any]) -> Any:
    """``given`` as an instance of the plugin's options model; None if it has none.

    Raises:
        HookError: an option is unknown or wrong; names each, with the nearest.
    """
    if "options_model" not in plugin.hooks:
        if given:
            raise bad_registration(
                plugin.name,
                f"it takes no options, but was given {', '.join(sorted(given))}.",
                fix="Remove its options from the plugin list.",
            )
        return None
    model = guarded(plugin, "options_model")
    if model is None:
        return None
    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        raise bad_registration(plugin.name, "options_model must return a pydantic model class.")
    try:
        return model.model_validate(given)
    except KeyboardInterrupt:
        raise
    except ValidationError as error:
        known = [field.alias or name for name, field in model.model_fields.items()]
        lines = []
        for problem in error.errors(include_input=False, include_url=False):
            path = ".".join(str(part) for part in problem["loc"])
            near = get_close_matches(str(problem["loc"][-1]), known, n=1) if problem["loc"] else []
            hint = f" (did you mean {near[0]!r}?)" if near and near[0] != path else ""
            lines.append(f"options.{path}: {problem['msg']}{hint}")
        raise bad_registration(
            plugin.name, "; ".join(lines) + ".", fix=f"Options: {', '.join(known) or 'none'}."
        ) from error
    except BaseException as error:  # pydantic passes on what its own validators don't expect
        raise bad_registration(
            plugin.name, f"the validation of its options failed: {brief(error)}."
        ) from error
