"""The dialogue with python-telegram-bot: a persistent ConversationHandler over PicklePersistence (written once a minute)."""

# Its library is not among those of the project: mypy sees nothing of it.
# mypy: disable-error-code="import-not-found,misc,untyped-decorator,no-any-return"

from __future__ import annotations

import re
import sys
from typing import Any

from telegram import Update
from telegram.ext import Application, ConversationHandler, MessageHandler, PicklePersistence, filters

PHONE = re.compile(r"\+?[78][\d\s()-]{9,14}")
ORDER = re.compile(r"(?:ORD-)?(\d{6,8})")
NAME, PHONE_STEP, ORDER_STEP = range(3)
Context = Any  # ContextTypes.DEFAULT_TYPE


async def start(update: Update, _: Context) -> int:
    await update.message.reply_text("Как вас зовут?")
    return NAME


async def got_name(update: Update, context: Context) -> int:
    context.user_data["name"] = update.message.text
    await update.message.reply_text("На какой телефон оформлен заказ?")
    return PHONE_STEP


async def got_phone(update: Update, context: Context) -> int:
    if not PHONE.fullmatch(update.message.text):
        await update.message.reply_text("Не получилось разобрать телефон. На какой телефон оформлен заказ?")
        return PHONE_STEP
    context.user_data["phone"] = re.sub(r"\D", "", update.message.text)
    await update.message.reply_text("Напишите номер заказа. Он есть в письме о покупке.")
    return ORDER_STEP


async def got_order(update: Update, context: Context) -> int:
    found = ORDER.fullmatch(update.message.text)
    if not found:
        await update.message.reply_text("Не получилось разобрать номер. Напишите номер заказа.")
        return ORDER_STEP
    await update.message.reply_text(f"Готово, {context.user_data.pop('name')}! Заявка по заказу {found[1]} принята.")
    return ConversationHandler.END


async def other(update: Update, _: Context) -> None:
    await update.message.reply_text("Не понял. Напишите «заявка».")


def main() -> None:
    """Arguments: port, address of the Bot API, address of Redis (not used), folder."""
    port, api, folder = int(sys.argv[1]), sys.argv[2], sys.argv[4]
    builder = Application.builder().token("42:BENCH").base_url(f"{api}/bot")
    application: Any = builder.persistence(PicklePersistence(f"{folder}/ptb.pickle")).build()
    states = {
        NAME: [MessageHandler(filters.TEXT, got_name)],
        PHONE_STEP: [MessageHandler(filters.TEXT, got_phone)],
        ORDER_STEP: [MessageHandler(filters.TEXT, got_order)],
    }
    begin = MessageHandler(filters.Regex(re.compile("заявк", re.IGNORECASE)), start)
    application.add_handler(ConversationHandler([begin], states, [], name="form", persistent=True))
    application.add_handler(MessageHandler(filters.TEXT, other))
    application.run_webhook(
        listen="127.0.0.1", port=port, url_path="hook", webhook_url="https://bench.invalid/hook", secret_token="bench"
    )


if __name__ == "__main__":
    main()
