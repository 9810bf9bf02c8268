"""The hand-written bot: aiogram 3, its dispatcher, its FSM in Redis or PostgreSQL, the same dialogue of four messages."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from typing import Any

import uvloop
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.types import Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

from bench.peers.postgres_storage import PostgresStorage

PHONE = re.compile(r"\+?[78][\d\s()-]{9,14}")
ORDER = re.compile(r"(?:ORD-)?(\d{6,8})")


class Form(StatesGroup):
    """Where the form stands."""

    name = State()
    phone = State()
    order = State()


dispatcher = Dispatcher()


@dispatcher.message(Form.name)
async def got_name(message: Message, state: FSMContext) -> None:
    await state.update_data(name=message.text)
    await state.set_state(Form.phone)
    await message.answer("На какой телефон оформлен заказ?")


@dispatcher.message(Form.phone)
async def got_phone(message: Message, state: FSMContext) -> None:
    if not PHONE.fullmatch(message.text or ""):
        await message.answer("Не получилось разобрать телефон. На какой телефон оформлен заказ?")
        return
    await state.update_data(phone=re.sub(r"\D", "", message.text or ""))
    await state.set_state(Form.order)
    await message.answer("Напишите номер заказа. Он есть в письме о покупке.")


@dispatcher.message(Form.order)
async def got_order(message: Message, state: FSMContext) -> None:
    found = ORDER.fullmatch(message.text or "")
    if not found:
        await message.answer("Не получилось разобрать номер. Напишите номер заказа.")
        return
    data = await state.get_data()
    await state.clear()
    await message.answer(f"Готово, {data['name']}! Заявка по заказу {found[1]} принята.")


@dispatcher.message(F.text.lower().contains("заявк"))
async def start(message: Message, state: FSMContext) -> None:
    await state.set_state(Form.name)
    await message.answer("Как вас зовут?")


@dispatcher.message()
async def other(message: Message) -> None:
    await message.answer("Не понял. Напишите «заявка».")


def storage(url: str) -> BaseStorage:
    if url.startswith("postgresql:"):
        return PostgresStorage(url)
    return RedisStorage.from_url(url, connection_kwargs={"max_connections": 1024})


def main() -> None:
    """Arguments: port, address of the Bot API, address of Redis or of a database of PostgreSQL."""
    port, api, store = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    bot = Bot("42:BENCH", session=AiohttpSession(api=TelegramAPIServer.from_base(api)))
    dispatcher.fsm.storage = storage(store)
    app = web.Application()
    handler: Any = SimpleRequestHandler(dispatcher, bot, secret_token="bench")
    handler.register(app, path="/hook")
    setup_application(app, dispatcher, bot=bot)
    if os.environ.get("BENCH_LOOP") == "uvloop":
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main()
