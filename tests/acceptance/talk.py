"""The shipped return as a talk: every step of it, all that the bot says, and the ticket that it ends with."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image

from tests.acceptance.hands.hand import Hand
from tests.acceptance.house import Gateway, number_in, until

PHONE = "+79161234567"
TICKET = {
    "desk": "returns",
    "title": "Возврат заказа 123456",
    "text": "Крышка треснула в первый же день.",
    "priority": "высокая",
    "fields": {
        "Номер заказа": "123456",
        "Причина": "Брак или поломка",
        "Телефон": PHONE,
        "Сумма": "2\xa0490\xa0₽",
    },
}
# What the bot says in any messenger, the ticket's number as #.
SAID = [
    "Напишите номер заказа. Он есть в письме о покупке.",
    "На какой телефон оформлен заказ?",
    "Почему возвращаете?",
    "Опишите, что случилось.",
    "Пришлите до пяти фото, чтобы было видно проблему.",
    "По какому телефону с вами связаться?",
    "Проверьте, пожалуйста:\nПричина: Брак или поломка\nОписание: Крышка треснула в первый же день.\nТелефон: +7 916 123-45-67",
    "Готово! Заявка # создана, ответим в течение дня.",
]


def picture() -> bytes:
    """A photo as a phone takes it, but small."""
    data = BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(data, "JPEG", quality=80)
    return data.getvalue()


PICTURE = picture()


async def begin(hand: Hand) -> list[str]:
    return await hand.begin("Напишите номер заказа")


async def dialogue(hand: Hand) -> list[str]:
    """The whole return, a step at a time; everything the bot said, with the ticket's number replaced by #."""
    said = [
        await begin(hand),
        await hand.say("123456", "На какой телефон"),
        await hand.phone(PHONE, "Почему возвращаете"),
        await hand.press("Брак или поломка", "Опишите"),
        await hand.say("Крышка треснула в первый же день.", "до пяти фото"),
        await hand.photo(PICTURE, "По какому телефону"),
        await hand.phone(PHONE, "Проверьте"),
        await hand.press("Всё верно", "Готово! Заявка"),
    ]
    return unnumbered([text for texts in said for text in texts])


def unnumbered(texts: list[str]) -> list[str]:
    number = str(number_in(texts))
    return [text.replace(f"Заявка {number} ", "Заявка # ") for text in texts]


async def check_ticket(gateway: Gateway, number: int) -> None:
    """`frontline tickets N` shows every field and the photo, and the photo's file holds its bytes."""

    async def fetched() -> dict[str, Any] | None:
        ticket = await gateway.ticket(number)
        return ticket if all(file["sha256"] for file in ticket["stored"]) else None

    ticket = await until(fetched, "the photo is kept")
    assert {name: ticket[name] for name in TICKET} == TICKET
    (file,) = ticket["stored"]
    assert (file["kind"], file["mime"], file["size"]) == ("photo", "image/jpeg", len(PICTURE))
    assert gateway.stored(file) == PICTURE
