"""The shipped return dialogue over Telegram, in both modes: three processes, real HTTP, and every trouble on the way."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO

import pytest
import pytest_asyncio

from tests.acceptance.hands.telegram import TelegramHand
from tests.acceptance.house import SECRET, TOKEN, Gateway, Ground, Telegram, new_chat, number_in
from tests.acceptance.talk import PICTURE, begin, check_ticket, dialogue, unnumbered

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODES = ("polling", "webhook")
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass
class World(Ground):
    """A Telegram and a gateway behind it."""

    telegram: Telegram
    gateway: Gateway
    mode: str

    async def quiet(self) -> None:
        await self.settled(self.telegram)

    async def hook(self, data: bytes | BytesIO, secret: str = SECRET) -> int:
        """Posts to the webhook as Telegram does, or as somebody else."""
        headers = {"Content-Type": "application/json", SECRET_HEADER: secret}
        return (await self.gateway.ask("POST", "/hooks/telegram", data=data, headers=headers))[0]


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=MODES)
async def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Both processes, shared by all tests of a mode. At the end every call ever made must have been valid."""
    folder = tmp_path_factory.mktemp("telegram")
    async with Telegram(folder) as telegram:
        account = {"token": TOKEN, "mode": request.param, "secret": SECRET, "api_url": telegram.url, "limits": "off"}
        async with Gateway(folder, flood="off", channels__telegram=account) as gateway:
            yield World(telegram, gateway, request.param)
            await gateway.stop()
            assert "Traceback" not in gateway.process.said()
        await telegram.check()


async def test_a_return_ends_with_a_ticket(world: World) -> None:
    client = TelegramHand(world.telegram)
    await dialogue(client)
    number = number_in(await world.telegram.texts(client.chat))
    await check_ticket(world.gateway, number)
    shown = await world.gateway.command("tickets", str(number))
    for line in ("Номер заказа: 123456", "Причина: Брак или поломка", "Телефон: +79161234567", "Файлы: 1"):
        assert line in shown.splitlines()
    await world.telegram.check()


async def test_the_contact_button_proves_the_phone(world: World) -> None:
    """A card of the client's own is a proof; somebody else's card is only an answer."""
    verified = {}
    for own in (True, False):
        client = TelegramHand(world.telegram)
        await begin(client)
        await client.say("123456", "На какой телефон")
        (call,) = [
            one for one in await world.telegram.do("sent", chat=client.chat) if "телефон" in one["params"]["text"]
        ]
        (key,) = [
            key for row in call["params"]["reply_markup"]["keyboard"] for key in row if key.get("request_contact")
        ]
        assert key["text"] == "Отправить мой номер"
        await client.contact("79161234567", "Почему возвращаете", own=own)
        await client.press("Не подошло", "Опишите")
        await client.say("Малы на размер, не надевали.", "По какому телефону")
        await client.contact("79161234567", "Проверьте", own=own)
        cards = world.rows(
            "SELECT card FROM clients JOIN identities ON identities.client = clients.id WHERE sender = ?",
            str(client.chat),
        )
        card = json.loads(cards[0][0])
        assert card["phone"] == "+79161234567"
        verified[own] = "phone" in card["verified"]
        await client.say("отмена")
    assert verified == {True: True, False: False}


async def test_an_edit_changes_nothing(world: World) -> None:
    client = TelegramHand(world.telegram)
    asked = await world.telegram.do("say", chat=client.chat, text="хочу вернуть товар")
    await client.hear("Напишите номер заказа")
    await world.telegram.do(
        "edit", chat=client.chat, message_id=asked["message"]["message_id"], text="позовите человека"
    )
    await world.quiet()
    assert len(await world.telegram.texts(client.chat)) == client.heard
    await client.say("123456", "На какой телефон")


async def test_a_client_who_blocked_the_bot_is_let_be(world: World) -> None:
    """403 is final for the message, not for the conversation: when the client is back, it goes on where it was."""
    client = TelegramHand(world.telegram)
    await begin(client)
    await world.telegram.do("fail", kind="403", chat=client.chat, method="sendMessage")
    await world.telegram.do("say", chat=client.chat, text="123456")
    await world.telegram.do("block", chat=client.chat)
    await world.quiet()
    refused = [call for call in await world.telegram.do("sent", chat=client.chat) if call["error"]]
    assert len(refused) == 1, "a blocked client is not tried again"
    assert (
        await world.gateway.metric('frontline_sends_total{channel="telegram",kind="send",verdict="unreachable"}') >= 1
    )
    await world.telegram.do("unblock", chat=client.chat)
    await client.contact("79161234567", "Почему возвращаете")


async def test_a_wait_that_telegram_asks_for_is_kept(world: World) -> None:
    client = TelegramHand(world.telegram)
    await world.telegram.do("fail", kind="429", method="sendMessage", chat=client.chat, retry_after=1)
    await begin(client)
    refused, sent = await world.telegram.do("sent", chat=client.chat)
    assert refused["error"] == "429"
    assert sent["at"] - refused["at"] >= 1.0
    assert await world.telegram.texts(client.chat) == ["Напишите номер заказа. Он есть в письме о покупке."]


async def test_what_cannot_be_read_is_set_aside_and_stops_nobody(world: World) -> None:
    name = 'frontline_quarantined_total{channel="telegram"}'
    before = await world.gateway.metric(name)
    await world.telegram.do("push", update={"message": {"chat": "broken", "text": "canary-broken"}})
    await world.telegram.do("push", update={"teleported": {"a": 1}})
    await begin(TelegramHand(world.telegram))
    await world.quiet()
    assert await world.gateway.metric(name) == before + 2
    assert await world.gateway.metric('frontline_store{what="quarantine"}') == before + 2
    assert "canary-broken" not in world.gateway.process.said()


async def test_disturbed_deliveries_change_nothing(world: World) -> None:
    """Twice, late, out of order: every client hears exactly what one in a quiet world hears."""
    expected = await dialogue(TelegramHand(world.telegram))
    await world.telegram.do("disturb", duplicate=0.5, reorder=0.5, delay=0.05)
    clients = [TelegramHand(world.telegram) for _ in range(8)]
    try:
        said = await asyncio.gather(*(dialogue(client) for client in clients))
    finally:
        await world.telegram.do("disturb")
    await world.quiet()
    assert said == [expected] * len(clients)
    for client in clients:
        assert unnumbered(await world.telegram.texts(client.chat)) == expected, "and nothing after that"
    assert len({number_in(await world.telegram.texts(client.chat)) for client in clients}) == len(clients)
    assert await world.gateway.metric('frontline_duplicates_total{channel="telegram"}') > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
async def test_a_restart_keeps_the_dialogue(world: World, number: signal.Signals) -> None:
    """In the middle of a form the process goes; what the client wrote meanwhile is answered when it is back."""
    client = TelegramHand(world.telegram)
    await begin(client)
    await client.say("123456", "На какой телефон")
    await client.contact("79161234567", "Почему возвращаете")
    await world.quiet()
    await (world.gateway.stop() if number is signal.SIGTERM else world.gateway.kill())
    await world.telegram.do("press", chat=client.chat, label="Брак или поломка")
    burst = new_chat()
    await world.telegram.do("disturb", reorder=1.0, duplicate=0.5)
    for text in ("хочу вернуть товар", "123456", "+79161234567"):
        await world.telegram.do("say", chat=burst, text=text)
    await world.telegram.do("disturb")
    await world.gateway.start()
    await client.hear("Опишите")
    await client.say("Крышка треснула в первый же день.", "до пяти фото")
    await client.photo(PICTURE, "По какому телефону")
    await client.contact("79161234567", "Проверьте")
    await check_ticket(world.gateway, number_in(await client.press("Всё верно", "Готово! Заявка")))
    await check_burst(world, burst)


async def check_burst(world: World, chat: int) -> None:
    """Three messages at once, delivered out of their order, some twice: each is taken once.

    A batch of a poll is put in order. Single deliveries of a webhook are answered as they come.
    """
    await world.quiet()
    taken = world.rows(
        "SELECT external_id FROM inbox JOIN conversations ON conversations.id = inbox.conversation WHERE chat = ?",
        str(chat),
    )
    updates = [id for (id,) in taken if id.startswith("u:")]
    assert len(updates) == len(set(updates)) == 3
    if world.mode == "polling":
        assert [text[:20] for text in await world.telegram.texts(chat)] == [
            "Напишите номер заказ",
            "На какой телефон офо",
            "Почему возвращаете?",
        ]


async def test_strangers_at_the_webhook(world: World) -> None:
    """Without the word: 403. Too much: 413. Nothing of it is stored. Where there is no webhook there is no door."""
    message = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "from": {"id": 1}, "text": "canary-1"}
    body = json.dumps({"update_id": 99, "message": message}).encode()
    if world.mode == "polling":
        assert await world.hook(body) == 404
        return
    await world.quiet()
    count = "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM quarantine) + (SELECT count(*) FROM clients)"
    before = world.rows(count)
    assert [await world.hook(body, secret) for secret in ("", "wrong", SECRET + "x")] == [403, 403, 403]
    wall = json.dumps({"update_id": 100, "message": {**message, "text": "w" * (1 << 20)}}).encode()
    assert await world.hook(BytesIO(wall)) == 413
    assert world.rows(count) == before
    assert b"canary-1" not in world.gateway.database.read_bytes()
    assert await world.hook(body) == 200
    assert world.rows(count) != before


async def test_an_invalid_call_would_fail_these_tests(world: World) -> None:
    """A strict Telegram of its own hears one call that breaks the schema: the check at the end says so."""
    async with Telegram(world.gateway.home, "--rates") as other:
        assert other.http is not None
        await other.do("person", chat=7)
        call = {"chat_id": 7, "text": "a", "reply_markup": {"inline_keyboard": [[{"text": "b", "colour": "red"}]]}}
        async with other.http.post(f"{other.url}/bot{TOKEN}/sendMessage", json=call) as answer:
            assert answer.status == 400
        with pytest.raises(AssertionError, match="colour"):
            await other.check()
