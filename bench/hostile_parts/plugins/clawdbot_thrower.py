"""Raises in every hook that runs while people write, and at the end."""

from clawdcore import hookimpl


@hookimpl
def register_commands(register):
    """Add one that raises."""

    @register("throw")
    async def throw(message):
        """Raise"""
        raise SystemExit(9)


@hookimpl
def register_handlers(register):
    """Add ones that raise, where messages go and where their order is decided."""

    def key(message):
        raise KeyError(message.id)

    @register("text", "photo", serial=key)
    async def serial(message):
        raise GeneratorExit

    @register("text", "photo", addressed=False)
    def thread(message):
        raise KeyboardInterrupt


@hookimpl
def register_readers(register):
    """Add one that raises."""

    @register("photo", "voice")
    def read(attachment):
        raise MemoryError


@hookimpl
def prepare_reply(reply):
    """Raise."""
    raise RuntimeError(reply.text)


@hookimpl
async def reply_delivered(receipt):
    """Raise."""
    raise LookupError


@hookimpl
def forget(scope):
    """Raise."""
    raise ValueError(scope)


@hookimpl
def shutdown(context):
    """Raise."""
    raise SystemExit(7)
