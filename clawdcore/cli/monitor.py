"""``clawdbot monitor``: how the bot that runs is doing, in the terminal or for a script."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

    from ..config import AlertsConfig
    from .monitor_ask import NoLook, Place
    from .monitor_look import Look

ALERTED: Final = 3
"""The exit code of --once where something is wrong."""


@click.command("monitor")
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The configuration that the bot runs with; found as by `clawdbot run`.",
)
@click.option("--url", help="The address of a gateway, in place of the configuration's.")
@click.option(
    "--token",
    envvar="CLAWDBOT_TOKEN",
    help="The gateway's token; better in the variable CLAWDBOT_TOKEN, which no list shows.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.2, max=3600),
    default=2.0,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option("--once", is_flag=True, help="Look once; exit code 3 where an alert is active.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each look.")
def command(
    path: Path | None,
    url: str | None,
    token: str | None,
    interval: float,
    once: bool,
    as_json: bool,
) -> int:
    """Watch queues, models and the machine of a bot that runs.

    Ctrl-C ends. Where the output is no terminal, each look is printed below the last.
    """
    from ..config import load
    from .monitor_ask import place_of

    config = load(path)
    watching = Watching(place_of(config, url, token), config.gateway.alerts, as_json=as_json)
    if once:
        return ALERTED if asyncio.run(watching.once()) else 0
    # Ctrl-C comes as the one, SIGTERM as the other.
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(watching.on(interval))
    return 0


class Watching:
    """Looks, and shows what it sees on standard output."""

    def __init__(
        self,
        place: Place,
        thresholds: AlertsConfig,
        *,
        as_json: bool,
        console: Console | None = None,
    ) -> None:
        from rich.console import Console

        self._place = place
        self._thresholds = thresholds
        self._as_json = as_json
        self._console = console or Console(highlight=False)
        self._live: Live | None = None

    async def once(self) -> bool:
        """Show one look. True where an alert is active.

        Raises:
            NoLook: there is nothing to look at.
        """
        from .monitor_ask import client_for, look_at
        from .monitor_look import alerts_in

        async with client_for(self._place) as client:
            look = await look_at(client, self._place)
        self._show(look)
        return bool(alerts_in(look, self._thresholds))

    async def on(self, interval: float) -> None:
        """Show looks ``interval`` seconds apart until it is cancelled.

        Raises:
            NoLook: there is nothing to look at from the beginning.
        """
        from rich.live import Live

        from .monitor_ask import NoLook, client_for, look_at

        task = asyncio.current_task()
        assert task is not None
        # A killed program must give the terminal back as well.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with client_for(self._place) as client:
            look = await look_at(client, self._place)
            if not self._as_json and sys.stdout.isatty() and not self._console.is_dumb_terminal:
                self._live = Live(console=self._console, screen=True, auto_refresh=True)
            with self._live or nullcontext():
                self._show(look)
                while True:
                    await asyncio.sleep(interval)
                    try:
                        look = await look_at(client, self._place)
                    except NoLook as error:
                        self._lost(look, error)
                    else:
                        self._show(look)

    def _show(self, look: Look) -> None:
        from .monitor_look import alerts_in, with_alerts

        if self._as_json:
            self._line(with_alerts(look, alerts_in(look, self._thresholds)))
        else:
            self._put(self._view(look))

    def _lost(self, look: Look, error: NoLook) -> None:
        if self._as_json:
            self._line({"error": str(error)})
        elif self._live is not None:
            self._put(self._view(look, error.what))
        else:
            click.echo(f"clawdbot: {error.what} Trying on.", err=True)

    def _view(self, look: Look, lost: str = "") -> RenderableType:
        from .monitor_look import alerts_in
        from .monitor_view import view

        alerts = alerts_in(look, self._thresholds)
        return view(look, alerts, self._thresholds, self._place.url, lost)

    def _put(self, shown: RenderableType) -> None:
        if self._live is not None:
            self._live.update(shown, refresh=True)
        else:
            self._console.print(shown)
            self._console.print()
            self._console.file.flush()

    def _line(self, fields: dict[str, object]) -> None:
        import msgspec

        click.echo(msgspec.json.encode(fields))
