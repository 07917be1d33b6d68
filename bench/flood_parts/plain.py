"""The plain bot that ClawdBot is compared with: python-telegram-bot, and nothing before the model.

It handles many updates at once, as its library recommends for work that waits, and
asks the model for each.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import aiohttp
from telegram import Update
from telegram.ext import Application, ApplicationBuilder, ContextTypes, MessageHandler, filters


def main() -> None:
    """Poll until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--api-root", "--engine", "--model", "--token"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()

    async def answer(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.effective_message
        if message is None or not message.text:
            return
        body = {
            "model": options.model,
            "messages": [{"role": "user", "content": message.text}],
            "max_tokens": 256,
        }
        session: aiohttp.ClientSession = context.bot_data["session"]
        async with session.post(f"{options.engine}/v1/chat/completions", json=body) as answer:
            said = await answer.json()
        await message.reply_text(said["choices"][0]["message"]["content"], do_quote=True)

    async def begin(application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        application.bot_data["session"] = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(300)
        )
        print("polls", flush=True)

    async def end(application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        await application.bot_data["session"].close()

    application = (
        ApplicationBuilder()
        .token(options.token)
        .base_url(f"{options.api_root}/bot")
        .base_file_url(f"{options.api_root}/file/bot")
        .concurrent_updates(1024)
        .connection_pool_size(1024)
        .pool_timeout(60)
        .post_init(begin)
        .post_shutdown(end)
        .build()
    )
    application.add_handler(MessageHandler(filters.TEXT, answer))
    application.run_polling(poll_interval=0, timeout=30)


if __name__ == "__main__":
    asyncio.set_event_loop(asyncio.new_event_loop())
    main()
