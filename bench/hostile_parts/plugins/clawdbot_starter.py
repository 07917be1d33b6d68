"""Raises at the start."""

from clawdcore import hookimpl


@hookimpl
def startup(context):
    """Fail."""
    raise OSError("no")
