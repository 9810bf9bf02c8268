"""The shipped return dialogue over the channel `api`: processes, real HTTP, signatures, and every trouble on the way."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
import pytest_asyncio
from openapi_spec_validator import validate

from adapters.api.signing import Signer, parse_secret
from tests.acceptance.house import Api, Client, Gateway, number_in, until
from tests.emulators.api_secrets import OTHER, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
COUNT = "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM quarantine) + (SELECT count(*) FROM clients)"


@dataclass
class World:
    """A messenger and a gateway behind it."""

    api: Api
    gateway: Gateway

    async def quiet(self) -> None:
        """Waits until nothing is under way: no event undelivered or unprocessed, no row unsent."""

        async def settled() -> bool:
            if (await self.api.do("state"))["waiting"]:
                return False
            left = [await self.gateway.metric(f'frontline_store{{what="{what}"}}') for what in ("inbox", "outbox")]
            return not any(left)

        await until(settled, "everything is quiet", 20)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Reads the store from outside."""
        connection = sqlite3.connect(f"file:{self.gateway.database}?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def heard(self, chat: int, text: str) -> int:
        """How often a client's text stands in the history."""
        query = (
            "SELECT event FROM messages JOIN conversations ON conversations.id = messages.conversation WHERE chat = ?"
        )
        events = [json.loads(event) for (event,) in self.rows(query, str(chat)) if event]
        return sum(event.get("text") == text for event in events)

    async def post(
        self, body: Any, id: str = "d1", secret: str = SECRET, away: float = 0.0
    ) -> tuple[int, dict[str, Any]]:
        """Posts to the door, signed."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = Signer([parse_secret(secret)]).headers(id, time.time() + away, raw)
        status, text = await self.gateway.ask("POST", "/hooks/shop", data=BytesIO(raw), headers=headers)
        return status, json.loads(text)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Both processes, shared by all tests. At the end every call ever made must have been valid."""
    folder = tmp_path_factory.mktemp("api")
    async with Api(folder) as api:
        shop = {
            "kind": "api", "line": "support", "secret": SECRET, "url": f"{api.url}/calls", "limits": "off", "file_private": True,
            "capabilities": {"menu": True},
        }  # fmt: skip
        async with Gateway(folder, flood="off", channels__shop=shop) as gateway:
            await api.do("connect", hook=f"{gateway.url}/hooks/shop", secret=SECRET)
            yield World(api, gateway)
            await gateway.stop()
            assert "Traceback" not in gateway.process.said()
            assert SECRET not in gateway.process.said()
        await api.check()


async def begin(client: Client, world: World) -> list[str]:
    await world.api.do("open", chat=client.chat, ref="vozvrat-qr")
    return await client.hear("Напишите номер заказа")


async def dialogue(client: Client, world: World, way: str = "upload") -> list[str]:
    """The whole return, a step at a time; everything the bot said."""
    said = [
        await begin(client, world),
        await client.say("123456", "На какой телефон"),
        await client.say("+79161234567", "Почему возвращаете"),
        await client.press("Брак или поломка", "Опишите"),
        await client.say("Крышка треснула в первый же день.", "до пяти фото"),
    ]
    await world.api.do("photo", chat=client.chat, content=base64.b64encode(PICTURE).decode(), way=way)
    said += [
        await client.hear("По какому телефону"),
        await client.say("+79161234567", "Проверьте"),
        await client.press("Всё верно", "Готово! Заявка"),
    ]
    return [text for texts in said for text in texts]


@pytest.mark.parametrize("way", ["upload", "url"])
async def test_a_return_with_a_photo_ends_with_a_ticket(world: World, way: str) -> None:
    client = Client(world.api)
    number = number_in(await dialogue(client, world, way))
    await world.quiet()
    ticket = await world.gateway.ticket(number)
    assert (ticket["desk"], ticket["title"]) == ("returns", "Возврат заказа 123456")
    assert ticket["fields"]["Причина"] == "Брак или поломка"
    (file,) = ticket["stored"]
    assert (file["kind"], file["size"]) == ("photo", len(PICTURE))
    assert world.gateway.stored(file) == PICTURE
    await world.api.check()


async def test_the_protocol_is_published(world: World) -> None:
    status, text = await world.gateway.ask("GET", "/hooks/shop/openapi.json")
    assert status == 200
    document = json.loads(text)
    validate(document)
    assert document["servers"] == [{"url": world.gateway.url}]


async def test_the_menu_is_told(world: World) -> None:
    async def told() -> Any:
        return (await world.api.do("state"))["menu"]

    menu = await until(told, "the messenger knows the commands")
    assert all(one["name"] and one["description"] for one in menu)


async def test_an_event_twice_in_one_delivery_is_one_message(world: World) -> None:
    client = Client(world.api)
    await world.api.do("person", chat=client.chat)
    event = {"type": "message", "chat": str(client.chat), "id": f"twice-{client.chat}", "text": "хочу вернуть товар"}
    status, said = await world.post({"events": [event, event]}, id=f"twice-{client.chat}")
    assert (status, said["accepted"], said["duplicates"]) == (200, 1, 1)
    await client.hear("Напишите номер заказа")
    await world.quiet()
    assert len(await world.api.texts(client.chat)) == client.heard


async def test_an_own_phone_is_verified(world: World) -> None:
    client = Client(world.api)
    await begin(client, world)
    await world.api.do("contact", chat=client.chat, phone="+79161234567")
    await world.quiet()
    cards = world.rows(
        "SELECT card FROM clients JOIN identities ON identities.client = clients.id WHERE sender = ?", str(client.chat)
    )
    assert json.loads(cards[0][0])["name"] == "Анна Иванова"


async def test_one_event_five_times_is_one_message(world: World) -> None:
    client = Client(world.api)
    event = await world.api.do("say", chat=client.chat, text="хочу вернуть товар")
    await client.hear("Напишите номер заказа")
    await world.api.do("repeat", event=event, times=5, pause=0.1)
    await world.quiet()
    assert world.heard(client.chat, "хочу вернуть товар") == 1
    assert len(await world.api.texts(client.chat)) == client.heard


async def test_strangers_leave_nothing_behind(world: World) -> None:
    """Forged, stale, unsigned, too large, from another channel's secret."""
    await world.quiet()
    before = world.rows(COUNT)
    event = {"type": "message", "chat": "99", "id": "forged", "text": "canary-forged"}
    assert (await world.post(event, secret=OTHER))[0] == 401
    assert (await world.post(event, away=-301))[0] == 401
    assert (await world.post(event, away=301))[0] == 401
    assert (await world.post(b" " * (2**20 + 1)))[0] == 413
    assert (await world.gateway.ask("POST", "/hooks/shop", json=event))[0] == 401
    assert (await world.gateway.ask("POST", "/hooks/shop/files", data=b"x"))[0] == 401
    assert world.rows(COUNT) == before
    assert await world.gateway.metric('frontline_door_total{channel="shop",what="replay"}') >= 2
    assert "canary-forged" not in world.gateway.process.said()


async def test_bad_events_are_named_and_good_ones_answered(world: World) -> None:
    name = 'frontline_quarantined_total{channel="shop"}'
    before = await world.gateway.metric(name)
    client = Client(world.api)
    await world.api.do("person", chat=client.chat)
    good = {"type": "message", "chat": str(client.chat), "id": f"good-{client.chat}", "text": "хочу вернуть товар"}
    bad = [{"type": "message", "chat": "canary"}, {"type": "poll"}, {**good, "id": "x", "text": {"a": "canary-broken"}}]
    status, said = await world.post({"events": [bad[0], good, *bad[1:]]}, id=f"batch-{client.chat}")
    assert (status, said["accepted"]) == (422, 1)
    assert [one["pointer"] for one in said["errors"]] == ["/events/0", "/events/2/type", "/events/3/text"]
    assert (await world.post(b"{", id=f"junk-{client.chat}"))[0] == 400
    await client.hear("Напишите номер заказа")
    assert await world.gateway.metric(name) == before + 4
    assert "canary-broken" not in world.gateway.process.said()


async def test_a_button_of_another_conversation_does_nothing(world: World) -> None:
    one, other = Client(world.api), Client(world.api)
    for client in (one, other):
        await begin(client, world)
        await client.say("123456", "На какой телефон")
    await one.say("+79161234567", "Почему возвращаете")
    (call,) = [call for call in await world.api.do("sent", chat=one.chat) if "Почему" in call["body"].get("text", "")]
    token = call["body"]["buttons"][0][0]["token"]
    await world.api.do("push", event={"type": "press", "chat": str(other.chat), "id": f"p{other.chat}", "token": token})
    await world.quiet()
    await other.say("+79161234567", "Почему возвращаете")


async def test_a_colleague_silences_the_bot(world: World) -> None:
    client = Client(world.api)
    await begin(client, world)
    await world.api.do("colleague", chat=client.chat, text="Здравствуйте, я помогу сам")
    await world.quiet()
    said = len(await world.api.texts(client.chat))
    await world.api.do("say", chat=client.chat, text="123456")
    await world.quiet()
    assert len(await world.api.texts(client.chat)) == said


async def test_who_blocks_the_bot_is_let_be_until_it_is_unblocked(world: World) -> None:
    client = Client(world.api)
    await begin(client, world)
    await world.api.do("fail", kind="410", chat=client.chat, type="send")
    await world.api.do("say", chat=client.chat, text="123456")
    await world.quiet()
    gone = [call for call in await world.api.do("sent", chat=client.chat) if call["status"] == 410]
    assert len(gone) == 1
    await world.api.do("block", chat=client.chat, blocked=False)
    await client.say("+79161234567", "Почему возвращаете")


async def test_429_keeps_the_order_and_loses_nothing(world: World) -> None:
    clients = [Client(world.api) for _ in range(5)]
    for client in clients:
        await world.api.do("fail", kind="429", chat=client.chat, type="send", seconds=1)
    await asyncio.gather(*(begin(client, world) for client in clients))
    await world.quiet()
    for client in clients:
        assert len(await world.api.texts(client.chat)) == 1
    calls = [call for call in await world.api.do("sent") if call["status"] == 429]
    later = [call for call in await world.api.do("sent") if call["at"] > calls[0]["at"] and call["type"] == "send"]
    assert all(call["at"] >= calls[0]["at"] + 0.95 or call["status"] == 429 for call in later)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
async def test_a_restart_keeps_the_dialogue(world: World, number: signal.Signals) -> None:
    """In the middle of a form the process goes; what the client wrote meanwhile is answered when it is back, once."""
    client = Client(world.api)
    await begin(client, world)
    await client.say("123456", "На какой телефон")
    await world.quiet()
    await (world.gateway.stop() if number is signal.SIGTERM else world.gateway.kill())
    await world.api.do("say", chat=client.chat, text="+79161234567")
    await world.gateway.start()
    await client.hear("Почему возвращаете")
    await client.press("Брак или поломка", "Опишите")
    await world.quiet()
    assert world.heard(client.chat, "+79161234567") == 1


async def test_a_kill_before_the_answers_repeats_nothing(world: World) -> None:
    """Messages are out, the answers are on their way, the process is killed: sent again under their keys, shown once."""
    clients = [Client(world.api) for _ in range(6)]
    for client in clients:
        await world.api.do("fail", kind="late", type="send", chat=client.chat, seconds=20)
        await world.api.do("open", chat=client.chat, ref="vozvrat-qr")

    async def some_are_out() -> bool:
        return sum([bool(await world.api.texts(client.chat)) for client in clients]) >= 3

    await until(some_are_out, "messages are out")
    await world.gateway.kill()
    await world.gateway.start()
    for client in clients:
        await client.hear("Напишите номер заказа")
    await world.quiet()
    assert [len(await world.api.texts(client.chat)) for client in clients] == [1] * len(clients)
    mine = {str(one.chat) for one in clients}
    keys = [call["key"] for call in await world.api.do("sent", type="send") if call["chat"] in mine]
    assert len(keys) > len(set(keys)) == len(clients), "some were sent again, under their keys"
