"""The dialogue with pyTelegramBotAPI (asynchronous) and its states in Redis, behind aiohttp as its examples do it."""

# Its library is not among those of the project: mypy sees nothing of it.
# mypy: disable-error-code="import-not-found,misc,untyped-decorator,no-any-return"

from __future__ import annotations

import re
import sys
from typing import Any

from aiohttp import web
from telebot import asyncio_helper, types
from telebot.async_telebot import AsyncTeleBot
from telebot.asyncio_filters import StateFilter
from telebot.asyncio_storage import StateRedisStorage
from telebot.states import State, StatesGroup

PHONE = re.compile(r"\+?[78][\d\s()-]{9,14}")
ORDER = re.compile(r"(?:ORD-)?(\d{6,8})")


class Form(StatesGroup):
    """Where the form stands."""

    name = State()
    phone = State()
    order = State()


def register(bot: Any) -> None:
    """The handlers of the dialogue."""

    @bot.message_handler(state=Form.name)
    async def got_name(message: Any) -> None:
        await bot.add_data(message.from_user.id, message.chat.id, name=message.text)
        await bot.set_state(message.from_user.id, Form.phone, message.chat.id)
        await bot.send_message(message.chat.id, "На какой телефон оформлен заказ?")

    @bot.message_handler(state=Form.phone)
    async def got_phone(message: Any) -> None:
        if not PHONE.fullmatch(message.text):
            await bot.send_message(message.chat.id, "Не получилось разобрать телефон. На какой телефон оформлен заказ?")
            return
        await bot.add_data(message.from_user.id, message.chat.id, phone=re.sub(r"\D", "", message.text))
        await bot.set_state(message.from_user.id, Form.order, message.chat.id)
        await bot.send_message(message.chat.id, "Напишите номер заказа. Он есть в письме о покупке.")

    @bot.message_handler(state=Form.order)
    async def got_order(message: Any) -> None:
        found = ORDER.fullmatch(message.text)
        if not found:
            await bot.send_message(message.chat.id, "Не получилось разобрать номер. Напишите номер заказа.")
            return
        async with bot.retrieve_data(message.from_user.id, message.chat.id) as data:
            name = data["name"]
        await bot.delete_state(message.from_user.id, message.chat.id)
        await bot.send_message(message.chat.id, f"Готово, {name}! Заявка по заказу {found[1]} принята.")

    @bot.message_handler(func=lambda message: "заявк" in message.text.lower())
    async def start(message: Any) -> None:
        await bot.set_state(message.from_user.id, Form.name, message.chat.id)
        await bot.send_message(message.chat.id, "Как вас зовут?")

    @bot.message_handler(func=lambda message: True)
    async def other(message: Any) -> None:
        await bot.send_message(message.chat.id, "Не понял. Напишите «заявка».")


def main() -> None:
    """Arguments: port, address of the Bot API, address of Redis."""
    port, api, redis = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    asyncio_helper.API_URL = f"{api}/bot{{0}}/{{1}}"
    bot = AsyncTeleBot("42:BENCH", state_storage=StateRedisStorage(redis_url=f"{redis}?max_connections=1024"))
    bot.add_custom_filter(StateFilter(bot))
    register(bot)

    async def hook(request: web.Request) -> web.Response:
        if request.headers.get("X-Telegram-Bot-Api-Secret-Token") != "bench":
            return web.Response(status=403)
        await bot.process_new_updates([types.Update.de_json(await request.json())])
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main()
