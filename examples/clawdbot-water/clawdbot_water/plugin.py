"""The hooks: commands, buttons, the planned call, and forgetting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from clawdcore import (
    Button,
    Call,
    Context,
    Edit,
    Message,
    Needs,
    Press,
    RegisterButton,
    RegisterCommand,
    Reply,
    Scope,
    Toast,
    UsageError,
    hookimpl,
)
from pydantic import BaseModel

from .day import Day, Interval
from .options import Options
from .texts import remind, reminding, today, words

DAY, GOAL, REMINDER = "day", "goal", "reminder"
"""The keys of a user's settings."""
GLASSES = (250, 500)
MOST = 5000
"""Millilitres that one can drink at a time, for this plugin."""


class Water:
    """One instance for each bot: the core makes it, so that nothing is global."""

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        """The options' names, types and bounds; wrong ones are told at the start."""
        return Options

    @hookimpl
    def needs(self) -> Needs:
        """What the owner is told before switching it on: it reaches no host."""
        return Needs(keeps="what each user drank today, their goal and their reminder")

    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        """All commands, and the function of the planned call."""
        context.schedule.on("remind")(self._reminder(context))

        @register("water", example="/water")
        async def water(message: Message) -> Reply:
            """Show how much you drank today"""
            return await self._shown(context, message.sender.id, message.sender.language)

        @register("drink", example="/drink 250", tool=True)
        async def drink(message: Message, millilitres: int) -> str:
            """Note how many millilitres you drank"""
            if not -MOST <= millilitres <= MOST:
                raise UsageError("Write millilitres up to 5000; a negative number takes back.")
            user = message.sender.id
            day = await self._drunk(context, user, millilitres)
            return today(day.drunk, await self._goal(context, user), message.sender.language)

        @register("watergoal", example="/watergoal 2500")
        async def goal(message: Message, millilitres: int) -> str:
            """Set how much you want to drink in a day"""
            if not 250 <= millilitres <= 10_000:
                raise UsageError("Write millilitres from 250 to 10000.")
            user = message.sender.id
            await context.storage.set(GOAL, millilitres, user=user)
            day = await self._drunk(context, user, 0)
            return today(day.drunk, millilitres, message.sender.language)

        @register("waterremind", example="/waterremind 2h")
        async def waterremind(message: Message, every: Interval) -> str:
            """Be reminded here: every 45m, 2h, or off"""
            user, language = message.sender.id, message.sender.language
            await self._end(context, user)
            if every.minutes:
                # A plan keeps ids and times; what else its call needs is a setting.
                kept = {"chat": message.chat.id, "language": language}
                await context.storage.set(REMINDER, kept, user=user)
                seconds = 60.0 * every.minutes
                await context.schedule.every("remind", seconds, chat=message.chat.id, user=user)
            return reminding(every.minutes, language)

    @hookimpl
    def register_buttons(self, register: RegisterButton, context: Context) -> None:
        """The glasses under /water."""

        @register("glass")
        async def glass(press: Press) -> object:
            # What comes back went through somebody's client: believe neither the amount nor
            # that whoever presses is who asked.
            user, _, amount = press.data.partition(" ")
            _t = words(press.language)
            if user != str(press.sender.id) or amount not in map(str, GLASSES):
                return Toast(_t("These are not your glasses: send /water."))
            await self._drunk(context, press.sender.id, int(amount))
            reply = await self._shown(context, press.sender.id, press.language)
            return Edit(reply.text, reply.buttons)

    @hookimpl
    async def forget(self, scope: Scope, language: str, context: Context) -> str | None:
        """Ends the plan of a user; the core erases the settings, and asks for the words."""
        _ = words(language)
        if scope.kind != "user":
            return None
        held = [await context.storage.get(k, user=scope.id) for k in (DAY, GOAL, REMINDER)]
        await self._end(context, scope.id)
        for key in (DAY, GOAL):
            await context.storage.set(key, None, user=scope.id)
        return _("what you drank, and your reminder") if any(held) else None

    async def _shown(self, context: Context, user: int, language: str) -> Reply:
        day = await self._drunk(context, user, 0)
        row = tuple(Button(f"+{each}", "glass", f"{user} {each}") for each in GLASSES)
        text = today(day.drunk, await self._goal(context, user), language)
        return Reply(text=text, buttons=(row,))

    async def _drunk(self, context: Context, user: int, amount: int) -> Day:
        """The day after ``amount`` more; 0 only looks."""
        kept = Day.kept(await context.storage.get(DAY, user=user)).at(_now(context))
        day = kept.plus(amount)
        if amount:
            await context.storage.set(DAY, day.model_dump(), user=user)
        return day

    async def _goal(self, context: Context, user: int) -> int:
        options: Options = context.options
        return int(await context.storage.get(GOAL, user=user, default=options.goal))

    async def _end(self, context: Context, user: int) -> None:
        kept = await context.storage.get(REMINDER, user=user)
        if kept is not None:
            await context.schedule.cancel("remind", chat=kept["chat"], user=user)
            await context.storage.set(REMINDER, None, user=user)

    def _reminder(self, context: Context) -> Callable[[Call], Awaitable[str | None]]:
        async def call(call: Call) -> str | None:
            options: Options = context.options
            kept = await context.storage.get(REMINDER, user=call.user)
            now = _now(context)
            if kept is None or not options.morning <= now.hour < options.evening:
                return None
            day = Day.kept(await context.storage.get(DAY, user=call.user)).at(now)
            goal = await self._goal(context, call.user)
            # Nobody wrote just now, so the language is the one of who asked to be reminded.
            return None if day.drunk >= goal else remind(day.drunk, goal, kept["language"])

        return call


def _now(context: Context) -> datetime:
    options: Options = context.options
    return context.now().astimezone(ZoneInfo(options.timezone))
