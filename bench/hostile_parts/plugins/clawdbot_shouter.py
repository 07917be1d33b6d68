"""Sends a thousand messages."""

from clawdcore import hookimpl

MESSAGES = 1000


@hookimpl
def register_commands(register, context):
    """Add one that plans them."""

    async def shout(call):
        return "hear me"

    for number in range(MESSAGES):
        context.schedule.on(f"shout{number}")(shout)

    @register("shout")
    async def shouting(message):
        """Send a thousand messages"""
        for number in range(MESSAGES):
            await context.schedule.after(f"shout{number}", 0.1, chat=message.chat.id)
        return "now"
