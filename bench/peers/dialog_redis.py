"""The dialogue with aiogram-dialog and its state in Redis: windows with text inputs."""

# Its library is not among those of the project: mypy sees nothing of it.
# mypy: disable-error-code="import-not-found,misc,untyped-decorator,no-any-return"

from __future__ import annotations

import re
import sys
from typing import Any

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.types import Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiogram_dialog import Dialog, DialogManager, ShowMode, StartMode, Window, setup_dialogs
from aiogram_dialog.widgets.input import TextInput
from aiogram_dialog.widgets.text import Const
from aiohttp import web

PHONE = re.compile(r"\+?[78][\d\s()-]{9,14}")
ORDER = re.compile(r"(?:ORD-)?(\d{6,8})")


class Form(StatesGroup):
    """Where the form stands."""

    name = State()
    phone = State()
    order = State()


def phone(text: str) -> str:
    """The digits; raises ValueError for what is no number of a phone."""
    if not PHONE.fullmatch(text):
        raise ValueError
    return re.sub(r"\D", "", text)


def order(text: str) -> str:
    """The number of an order; raises ValueError."""
    found = ORDER.fullmatch(text)
    if not found:
        raise ValueError
    return found[1]


async def onward(_: Message, widget: Any, manager: DialogManager, value: str) -> None:
    manager.dialog_data[widget.widget.widget_id] = value
    await manager.next()


async def done(message: Message, _: Any, manager: DialogManager, value: str) -> None:
    name = manager.dialog_data["name"]
    await manager.done(show_mode=ShowMode.NO_UPDATE)
    await message.answer(f"Готово, {name}! Заявка по заказу {value} принята.")


async def wrong(_: Message, __: Any, manager: DialogManager, ___: ValueError) -> None:
    """The window is shown again."""
    manager.show_mode = ShowMode.SEND


dialog = Dialog(
    Window(Const("Как вас зовут?"), TextInput("name", on_success=onward), state=Form.name),
    Window(
        Const("На какой телефон оформлен заказ?"),
        TextInput("phone", type_factory=phone, on_success=onward, on_error=wrong),
        state=Form.phone,
    ),
    Window(
        Const("Напишите номер заказа. Он есть в письме о покупке."),
        TextInput("order", type_factory=order, on_success=done, on_error=wrong),
        state=Form.order,
    ),
)
dispatcher = Dispatcher()


async def start(_: Message, dialog_manager: DialogManager) -> None:
    await dialog_manager.start(Form.name, mode=StartMode.RESET_STACK)


async def other(message: Message) -> None:
    await message.answer("Не понял. Напишите «заявка».")


def main() -> None:
    """Arguments: port, address of the Bot API, address of Redis."""
    port, api, redis = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    bot = Bot("42:BENCH", session=AiohttpSession(api=TelegramAPIServer.from_base(api)))
    dispatcher.fsm.storage = RedisStorage.from_url(
        redis, connection_kwargs={"max_connections": 1024}, key_builder=DefaultKeyBuilder(with_destiny=True)
    )
    others = Router()
    others.message.register(start, F.text.lower().contains("заявк"))
    others.message.register(other)
    dispatcher.include_routers(dialog, others)
    setup_dialogs(dispatcher)
    app = web.Application()
    handler: Any = SimpleRequestHandler(dispatcher, bot, secret_token="bench")
    handler.register(app, path="/hook")
    setup_application(app, dispatcher, bot=bot)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main()
