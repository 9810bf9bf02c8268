"""The shipped return, word for word the same in every messenger, in each way that messages come: the same ticket, and no
call that the messenger's own schema would not have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from tests.acceptance.hands import ALL, Hand, Stage, Way
from tests.acceptance.house import number_in, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
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


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=ALL, ids=lambda way: way.name)
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A way, opened. At the end every call ever made must have been valid and taken."""
    way: Way = request.param
    async with way.open(tmp_path_factory.mktemp(way.name)) as opened:
        yield opened
        await opened.quiet()
        await opened.check()
        await opened.gateway.stop()
        assert "Traceback" not in opened.gateway.process.said()


async def dialogue(hand: Hand) -> list[str]:
    """The whole return, a step at a time; everything the bot said, with the ticket's number replaced by #."""
    said = [
        await hand.begin("Напишите номер заказа"),
        await hand.say("123456", "На какой телефон"),
        await hand.phone(PHONE, "Почему возвращаете"),
        await hand.press("Брак или поломка", "Опишите"),
        await hand.say("Крышка треснула в первый же день.", "до пяти фото"),
        await hand.photo(PICTURE, "По какому телефону"),
        await hand.phone(PHONE, "Проверьте"),
        await hand.press("Всё верно", "Готово! Заявка"),
    ]
    return [text for texts in said for text in texts]


async def filed(stage: Stage, number: int) -> dict[str, Any]:
    """The ticket, once its photo is there."""

    async def fetched() -> dict[str, Any] | None:
        ticket = await stage.gateway.ticket(number)
        return ticket if all(file["sha256"] for file in ticket["stored"]) else None

    found: dict[str, Any] = await until(fetched, "the photo is kept")
    return found


async def test_a_return_with_a_photo_ends_with_the_same_ticket(stage: Stage) -> None:
    hand = await stage.hand()
    said = await dialogue(hand)
    number = number_in(said)
    assert [text.replace(f"Заявка {number} ", "Заявка # ") for text in said] == SAID
    assert await hand.texts() == said, "and nothing after that"
    ticket = await filed(stage, number)
    assert {name: ticket[name] for name in TICKET} == TICKET
    (file,) = ticket["stored"]
    assert (file["kind"], file["mime"], file["size"]) == ("photo", "image/jpeg", len(PICTURE))
    assert stage.gateway.stored(file) == PICTURE


async def test_people_at_once_have_a_ticket_each(stage: Stage) -> None:
    """Nobody hears a word of another's talk."""
    hands = [await stage.hand() for _ in range(3)]
    talks = await asyncio.gather(*(dialogue(hand) for hand in hands))
    numbers = [number_in(said) for said in talks]
    assert len(set(numbers)) == len(hands)
    for number, said in zip(numbers, talks, strict=True):
        assert [text.replace(f"Заявка {number} ", "Заявка # ") for text in said] == SAID
