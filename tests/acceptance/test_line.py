"""A handoff to a line with the shipped flows: the queue, nobody comes, the client leaves, the line is closed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance.house import Gateway, Visitor, number_in, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALWAYS = {"hours": {"mon-sun": "00:00-24:00"}, "holidays": []}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """«Поддержка» is open and nobody takes sessions; «Расчёты» opens on one minute of the week only."""
    lines = {
        "support": ALWAYS | {"max_wait": "3s"},
        "billing": {"hours": {"mon": "03:00-03:01"}},
    }
    changes = {f"lines__{name}": settings for name, settings in lines.items()}
    async with Gateway(tmp_path_factory.mktemp("line"), **changes) as running:
        yield running
        await running.stop()
        assert "Traceback" not in running.process.said()


async def queued(gateway: Gateway) -> float:
    return await gateway.metric('frontline_store{what="queued"}')


async def test_nobody_takes_the_session_and_a_ticket_is_made(gateway: Gateway) -> None:
    client = await Visitor(gateway).open()
    await client.say("позовите человека", "Вы в очереди линии «Поддержка»")
    await until(lambda: queued(gateway), "in the queue")
    await client.say("У меня не приходит чек на почту.")
    await client.hear("Все операторы заняты", "Опишите вопрос")
    assert await queued(gateway) == 0
    await client.say("Хочу оптовую скидку.", "По какому телефону")
    number = number_in(await client.say("+7 916 123-45-67", "Заявка"))
    ticket = await gateway.ticket(number)
    assert (ticket["desk"], ticket["fields"]["Вопрос"]) == ("general", "Хочу оптовую скидку.")
    assert (await client.say("меню", "Чем помочь?"))[-1].startswith("Чем помочь?")


@pytest.mark.parametrize("button", [True, False], ids=["button", "words"])
async def test_a_client_leaves_the_queue(gateway: Gateway, button: bool) -> None:
    client = await Visitor(gateway).open()
    await client.say("живой человек", "Вы в очереди")
    await client.say("отмена", "Выйти из очереди?")
    await (client.press("Да", "Чем помочь?") if button else client.say("да", "Чем помочь?"))
    assert await queued(gateway) == 0
    await client.say("часы работы", "Магазин «Север»")


async def test_a_client_stays_in_the_queue(gateway: Gateway) -> None:
    client = await Visitor(gateway).open()
    await client.say("живой человек", "Вы в очереди")
    await client.say("стоп", "Выйти из очереди?")
    await client.press("Нет", "вы остаётесь в очереди")
    await client.hear("Все операторы заняты", "Опишите вопрос")


async def test_a_closed_line_says_when_it_opens_and_takes_a_ticket(gateway: Gateway) -> None:
    client = await Visitor(gateway).open()
    await client.say("вопрос по оплате", "О чём вопрос")
    await client.press("Списали дважды", "ИНН вашей организации")
    await client.say("7707083893", "Опишите вопрос")
    said = await client.say("Счёт 18 списали два раза", "Линия «Расчёты» откроется", "Заявка")
    assert any("03:00" in text for text in said)
    ticket = await gateway.ticket(number_in(said))
    assert ticket["desk"] == "billing"
    assert ticket["fields"] == {"ИНН": "7707083893", "Вопрос": "Счёт 18 списали два раза", "Срочность": "высокая"}


async def test_a_queue_survives_a_kill(gateway: Gateway) -> None:
    """The wait goes on over a restart: its end comes as if nothing had happened."""
    client = await Visitor(gateway).open()
    await client.say("человек", "Вы в очереди")
    await gateway.kill()
    await gateway.start()
    await client.hear("Все операторы заняты", "Опишите вопрос")
    status = json.loads(await gateway.command("status", "--format", "json"))
    assert status["store"]["queued"] == 0
