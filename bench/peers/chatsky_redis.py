"""The dialogue with Chatsky: a script of nodes, contexts in Redis, its own webhook interface for Telegram."""

# Its library is not among those of the project: mypy sees nothing of it.
# mypy: disable-error-code="import-not-found,misc,untyped-decorator,no-any-return"

from __future__ import annotations

import re
import sys
from typing import Any

from chatsky import PRE_TRANSITION, RESPONSE, TRANSITIONS, BaseCondition, BaseProcessing, BaseResponse, Pipeline
from chatsky import Transition as Tr
from chatsky.context_storages import context_storage_factory
from chatsky.core import Context
from chatsky.core.message import MessageInitTypes
from chatsky.messengers.telegram import WebhookInterface
from telegram import Update
from telegram.ext import Application, MessageHandler, filters

PHONE = re.compile(r"\+?[78][\d\s()-]{9,14}")
ORDER = re.compile(r"(?:ORD-)?(\d{6,8})")


class Says(BaseCondition):
    """The text matches."""

    pattern: str
    whole: bool = True

    async def call(self, ctx: Context) -> bool:
        match = re.fullmatch if self.whole else re.search
        return match(self.pattern, ctx.last_request.text or "", re.IGNORECASE) is not None


class Keep(BaseProcessing):
    """Writes the text of the last message down."""

    name: str

    async def call(self, ctx: Context) -> None:
        ctx.misc[self.name] = ctx.last_request.text


class Done(BaseResponse):
    """The last answer of the form."""

    async def call(self, ctx: Context) -> MessageInitTypes:
        number = ORDER.fullmatch(ctx.last_request.text or "")
        return f"Готово, {ctx.misc['name']}! Заявка по заказу {number[1] if number else ''} принята."


BEGIN = Tr(dst=("form", "name"), cnd=Says(pattern="заявк", whole=False))
SCRIPT: dict[str, Any] = {
    "idle": {
        "start": {TRANSITIONS: [BEGIN]},
        "other": {RESPONSE: "Не понял. Напишите «заявка».", TRANSITIONS: [BEGIN]},
    },
    "form": {
        "name": {
            RESPONSE: "Как вас зовут?",
            PRE_TRANSITION: {"keep": Keep(name="name")},
            TRANSITIONS: [Tr(dst="phone")],
        },
        "phone": {
            RESPONSE: "На какой телефон оформлен заказ?",
            PRE_TRANSITION: {"keep": Keep(name="phone")},
            TRANSITIONS: [Tr(dst="order", cnd=Says(pattern=PHONE.pattern)), Tr(dst="phone")],
        },
        "order": {
            RESPONSE: "Напишите номер заказа. Он есть в письме о покупке.",
            TRANSITIONS: [Tr(dst="done", cnd=Says(pattern=ORDER.pattern)), Tr(dst="order")],
        },
        "done": {RESPONSE: Done(), TRANSITIONS: [BEGIN]},
    },
}


class Webhook(WebhookInterface):
    """Chatsky's webhook with another address of the Bot API, a path, and a secret, which it has no arguments for."""

    def __init__(self, api: str, port: int) -> None:
        super().__init__("42:BENCH", host="127.0.0.1", port=port)
        self.application = Application.builder().token("42:BENCH").base_url(f"{api}/bot").build()
        self.application.add_handler(MessageHandler(filters.ALL, self.on_message))

    async def connect(self, pipeline_runner: Any, *args: Any, **kwargs: Any) -> None:
        self._pipeline_runner = pipeline_runner
        self.application.run_webhook(
            listen=self.listen,
            port=self.port,
            url_path="hook",
            webhook_url="https://bench.invalid/hook",
            secret_token="bench",
            allowed_updates=Update.ALL_TYPES,
            close_loop=False,
        )


def main() -> None:
    """Arguments: port, address of the Bot API, address of Redis."""
    port, api, redis = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    Pipeline(
        script=SCRIPT,
        start_label=("idle", "start"),
        fallback_label=("idle", "other"),
        context_storage=context_storage_factory(redis),
        messenger_interface=Webhook(api, port),
    ).run()


if __name__ == "__main__":
    main()
