"""An outer desk and events of other systems: signed both ways, repeated until taken, told to the client."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.acceptance.house import TOKEN, Client, Gateway, Telegram, Visitor, number_in, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
DESK_SECRET, EVENTS_SECRET = "desk-secret-of-the-tests", "events-secret-of-the-tests"


def signed(secret: str, body: bytes, stamp: str = "") -> str:
    """`sha256=<hex>` of the body, or of `stamp.body`, as the handbook says."""
    data = stamp.encode() + b"." + body if stamp else body
    return "sha256=" + hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


@dataclass
class Desk:
    """A ticket system of somebody else: fails as often as told, then takes what is signed."""

    failures: int = 0
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.posts.append((dict(request.headers), body))
        if self.failures:
            self.failures -= 1
            return web.Response(status=503)
        number = json.loads(body)["number"]
        return web.json_response({"data": {"id": f"RET-{number}", "url": f"https://desk.example.com/RET-{number}"}})


@dataclass
class World:
    """The desk, Telegram, and the gateway between them."""

    desk: Desk
    telegram: Telegram
    gateway: Gateway

    async def status(self, body: Any, *, secret: str = DESK_SECRET, age: float = 0.0) -> int:
        """The desk tells of a ticket."""
        raw, stamp = json.dumps(body).encode(), str(int(time.time() - age))
        headers = {"X-Frontline-Timestamp": stamp, "X-Frontline-Signature": signed(secret, raw, stamp)}
        return (await self.gateway.ask("POST", "/desks/returns/status", data=raw, headers=headers))[0]

    async def event(self, name: str, body: Any, secret: str = EVENTS_SECRET) -> int:
        """Another system tells of something."""
        raw = json.dumps(body).encode()
        headers = {"X-Frontline-Signature": signed(secret, raw)} if secret else {}
        return (await self.gateway.ask("POST", f"/events/{name}", data=raw, headers=headers))[0]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder, desk, app = tmp_path_factory.mktemp("desk"), Desk(), web.Application()
    app.router.add_post("/tickets", desk.take)
    async with TestServer(app) as server, Telegram(folder) as telegram:
        returns = {
            "kind": "webhook",
            "url": str(server.make_url("/tickets")),
            "secret": DESK_SECRET,
            "answer": {"number": "data.id", "link": "data.url"},
            "statuses": {"in_progress": {"title": "в работе"}, "closed": {"title": "решена", "done": True}},
            "allow_private": True,
        }
        changes = {
            "desks__returns": returns,
            "events": {"secret": EVENTS_SECRET},
            "channels__telegram": {"token": TOKEN, "mode": "polling", "api_url": telegram.url, "limits": "off"},
        }
        async with Gateway(folder, **changes) as gateway:
            yield World(desk, telegram, gateway)
            await gateway.stop()
            assert "Traceback" not in gateway.process.said()
        await telegram.check()


async def returned(client: Client | Visitor) -> int:
    """A return by words; the number of the ticket."""
    await client.say("хочу вернуть заказ 123456", "На какой телефон")
    await client.say("+7 916 123-45-67", "Почему возвращаете")
    await client.press("Не подошло", "Опишите")
    await client.say("Малы на размер, не надевали.", "По какому телефону")
    if isinstance(client, Client):
        await client.contact("79161234567", "Проверьте")
    else:
        await client.say("+7 916 123-45-67", "Проверьте")
    return number_in(await client.press("Всё верно", "Готово! Заявка"))


async def test_a_ticket_lives_in_the_outer_desk(world: World) -> None:
    """Pushed signed, again after a failure; numbers mapped; what happens there is told here, once, where the client is."""
    world.desk.failures = 1
    client = Client(world.telegram)
    number = await returned(client)

    async def mapped() -> Any:
        ticket = await world.gateway.ticket(number)
        return ticket if ticket["outer_number"] else None

    ticket = await until(mapped, "the outer number")
    assert (ticket["outer_number"], ticket["outer_link"]) == (f"RET-{number}", f"https://desk.example.com/RET-{number}")
    shown = await world.gateway.command("tickets", str(number))
    assert f"RET-{number} https://desk.example.com/RET-{number}" in shown
    assert "changed" not in shown, "deeds are told in words"
    posts = [(headers, body) for headers, body in world.desk.posts if json.loads(body)["number"] == number]
    assert len(posts) == 2
    assert len({headers["Idempotency-Key"] for headers, _ in posts}) == 1
    for headers, body in posts:
        stamp = headers["X-Frontline-Timestamp"]
        assert headers["X-Frontline-Signature"] == signed(DESK_SECRET, body, stamp)
    assert json.loads(posts[1][1])["fields"] == ticket["fields"]
    assert ticket["fields"]["Номер заказа"] == "123456"
    assert await world.status({"number": number, "status": "in_progress"}) == 200
    assert await client.hear("в работе") == [f"Заявка {number}: статус «в работе»."]
    closed = {"number": number, "status": "closed", "comment": "Деньги вернули на карту."}
    assert [await world.status(closed) for _ in range(2)] == [200, 200]
    assert (await client.hear("решена", "Оцените"))[0] == f"Заявка {number} решена. Деньги вернули на карту."
    await client.say("5", "Спасибо! Рады, что помогли.")
    ticket = await world.gateway.ticket(number)
    assert (ticket["status"], ticket["done"], ticket["rating"]) == ("closed", True, 5)
    assert sum(text.startswith(f"Заявка {number} решена") for text in await world.telegram.texts(client.chat)) == 1


async def test_a_status_reaches_a_visitor_of_the_site(world: World) -> None:
    client = await Visitor(world.gateway).open()
    number = await returned(client)
    assert await world.status({"number": number, "status": "на складе"}) == 200
    assert await client.hear("на складе") == [f"Заявка {number}: статус «на складе»."]


async def test_who_does_not_sign_is_refused(world: World) -> None:
    client = await Visitor(world.gateway).open()
    number = await returned(client)
    body = {"number": number, "status": "closed"}
    assert await world.status(body, secret="wrong") == 403
    assert await world.status(body, age=600) == 403
    assert (await world.gateway.ask("POST", "/desks/returns/status", json=body))[0] == 403
    assert await world.status({"number": 999_999, "status": "closed"}) == 404
    assert await world.status({"status": "closed"}) == 400
    assert (await world.gateway.ticket(number))["done"] is False


async def test_an_event_starts_its_flow(world: World) -> None:
    client = Client(world.telegram)
    await client.say("/start", "Чем помочь?")
    await client.say("часы и контакты", "Магазин «Север»")
    body = {"client": {"channel": "telegram", "id": client.chat}, "data": {"invoice": "18", "amount": 12500}}
    assert await world.event("invoice_overdue", body, secret="") == 403
    assert await world.event("invoice_overdue", body, secret="wrong") == 403
    assert [await world.event("invoice_overdue", body) for _ in range(2)] == [202, 202]
    said = await client.hear("Напоминаем о счёте 18", "Поможем с оплатой?")
    assert len(said) == 2, "a copied request changes nothing"
    await client.press("Уже оплачено", "до трёх рабочих дней")
    stranger = {"client": {"channel": "telegram", "id": "1"}, "data": {"amount": 1}}
    assert await world.event("invoice_overdue", stranger) == 404


async def test_an_event_finds_a_client_by_a_proved_phone(world: World) -> None:
    client = Client(world.telegram)
    await client.say("оставить заявку", "Опишите вопрос")
    await client.say("Нужен дубликат чека.", "По какому телефону")
    await client.contact("79039998877", "Заявка")
    typed = Client(world.telegram)
    await typed.say("оставить заявку", "Опишите вопрос")
    await typed.say("Нужен чужой чек.", "По какому телефону")
    await typed.say("+7 903 999-88-77", "Заявка")
    body = {"client": {"phone": "+79039998877"}, "data": {"invoice": "19", "amount": 990}}
    assert await world.event("invoice_overdue", body) == 202
    await client.hear("Напоминаем о счёте 19")
    assert not any("счёте 19" in text for text in await world.telegram.texts(typed.chat))
