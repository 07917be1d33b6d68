"""What the edge says by itself, when no worker could: one honest sentence each."""

from __future__ import annotations

from ..texts import translator


def interrupted(count: int, language: str) -> str:
    """The bot was ended with ``count`` messages of somebody in its hands."""
    _ = translator(language)
    if count == 1:
        return _("I was interrupted. If this got no answer, please send it again.")
    return _(
        "I was interrupted. If one of your last {count} messages got no answer, "
        "please send it again."
    ).format(count=count)


def stale(count: int, language: str) -> str:
    """``count`` messages to a chat came while the bot was away for long."""
    _ = translator(language)
    if count == 1:
        return _("I was away when this was written. If it still matters, please ask again.")
    return _(
        "I was away when {count} messages were written here. "
        "If one of them still matters, please ask again."
    ).format(count=count)


def undeleted(count: int, language: str) -> str:
    """``count`` messages of a chat that were to vanish stay."""
    _ = translator(language)
    if count == 1:
        return _(
            "A message here that was to vanish could not be deleted: I may not delete it "
            "(any more), or it is older than 48 hours. Please delete it yourselves."
        )
    return _(
        "{count} messages here that were to vanish could not be deleted: I may not delete them "
        "(any more), or they are older than 48 hours. Please delete them yourselves."
    ).format(count=count)


def poison(language: str) -> str:
    """A message that ends every worker which tries it."""
    return translator(language)("This message makes me fail each time, so I won't try it again.")
