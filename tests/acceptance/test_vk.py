"""The shipped return dialogue over VK, by callbacks and by long poll: processes, real HTTP, and every trouble on the way."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.hands.vk import VkHand, listening
from tests.acceptance.house import SECRET, Gateway, Ground, Vk, number_in, until
from tests.acceptance.talk import begin, check_ticket, dialogue
from tests.emulators.vk import GROUP, TOKEN

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODES = ("longpoll", "callback", "both")
COUNT = "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM quarantine) + (SELECT count(*) FROM clients)"


@dataclass
class World(Ground):
    """A VK and a gateway behind it."""

    vk: Vk
    gateway: Gateway
    mode: str

    async def quiet(self) -> None:
        await self.settled(self.vk)

    async def quiet_inbox(self) -> None:
        """Everything that came is taken; answers may be under way."""
        await self.settled(self.vk, sent=False)

    async def hook(self, event: dict[str, Any], **how: Any) -> tuple[int, str]:
        """Posts to the door as VK does, or as somebody else."""
        return await self.gateway.ask("POST", "/hooks/vk", json=event, **how)


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=MODES)
async def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Both processes, shared by all tests of a mode. At the end every call ever made must have been valid."""
    folder = tmp_path_factory.mktemp("vk")
    async with Vk(folder) as vk:
        account = {
            "token": TOKEN, "group_id": GROUP, "mode": request.param, "secret": SECRET, "api_url": vk.url, "limits": "off",
        }  # fmt: skip
        async with Gateway(folder, flood="off", channels__vk=account) as gateway:
            world = World(vk, gateway, request.param)
            await listening(vk, request.param)
            yield world
            await gateway.stop()
            assert "Traceback" not in gateway.process.said()
        await vk.check()


async def test_a_return_ends_with_a_ticket(world: World) -> None:
    client = VkHand(world.vk)
    await dialogue(client)
    await check_ticket(world.gateway, number_in(await world.vk.texts(client.chat)))
    cards = world.rows(
        "SELECT card FROM clients JOIN identities ON identities.client = clients.id WHERE sender = ?", str(client.chat)
    )
    card = json.loads(cards[0][0])
    assert card["name"] == "Анна Иванова"
    assert card["verified"] == [], "VK gives out no phones: a typed one is no proof"
    await world.vk.check()


async def test_pressed_buttons_are_answered(world: World) -> None:
    client = VkHand(world.vk)
    await begin(client)
    await client.say("123456", "На какой телефон")
    await client.say("+79161234567", "Почему возвращаете")
    before = len(await world.vk.do("sent", method="messages.sendMessageEventAnswer"))
    await client.press("Брак или поломка", "Опишите")
    answers = await world.vk.do("wait_call", method="messages.sendMessageEventAnswer", count=before + 1)
    assert [call["error"] for call in answers] == [""] * len(answers)


async def test_a_colleague_in_vk_silences_the_bot(world: World) -> None:
    """An administrator answers by hand in the middle of a form: it stands in the history, and the bot says no more."""
    client = VkHand(world.vk)
    await begin(client)
    await world.vk.do("colleague", chat=client.chat, text="Здравствуйте, я помогу сам")
    await world.quiet()
    said = len(await world.vk.texts(client.chat))
    await world.vk.do("say", chat=client.chat, text="123456")
    await world.quiet()
    assert len(await world.vk.texts(client.chat)) == said
    query = (
        "SELECT author, operator, messages.state FROM messages JOIN conversations ON conversations.id = messages.conversation "
        "WHERE chat = ? ORDER BY seq"
    )
    assert ("operator", "vk:77", "sent") in world.rows(query, str(client.chat))


async def test_a_button_of_another_conversation_does_nothing(world: World) -> None:
    one, other = VkHand(world.vk), VkHand(world.vk)
    for client in (one, other):
        await begin(client)
        await client.say("123456", "На какой телефон")
    await one.say("+79161234567", "Почему возвращаете")
    (call,) = [call for call in await world.vk.do("sent", chat=one.chat) if "Почему" in call["params"]["message"]]
    foreign = json.loads(json.loads(call["params"]["keyboard"])["buttons"][0][0]["action"]["payload"])
    await world.vk.do("press_payload", chat=other.chat, payload=foreign)
    await world.quiet()
    before = world.rows("SELECT count(*) FROM tickets")
    await other.say("+79161234567", "Почему возвращаете")
    assert world.rows("SELECT count(*) FROM tickets") == before


async def test_who_forbids_messages_is_let_be(world: World) -> None:
    """901 is final for the message, not for the conversation: when the client allows messages, it goes on."""
    client = VkHand(world.vk)
    await begin(client)
    await world.vk.do("fail", kind="901", chat=client.chat, method="messages.send")
    await world.vk.do("say", chat=client.chat, text="123456")
    await world.vk.do("deny", chat=client.chat)
    await world.quiet()
    refused = [call for call in await world.vk.do("sent", chat=client.chat) if call["error"]]
    assert len(refused) == 1, "who has forbidden messages is not tried again"
    await world.vk.do("allow", chat=client.chat)
    await client.say("+79161234567", "Почему возвращаете")


async def test_an_edit_changes_nothing(world: World) -> None:
    client = VkHand(world.vk)
    asked = await world.vk.do("say", chat=client.chat, text="хочу вернуть товар")
    await client.hear("Напишите номер заказа")
    number = asked["object"]["message"]["conversation_message_id"]
    await world.vk.do("edit", chat=client.chat, number=number, text="позовите человека")
    await world.quiet()
    assert len(await world.vk.texts(client.chat)) == client.heard
    await client.say("123456", "На какой телефон")


async def test_what_cannot_be_read_is_set_aside_and_stops_nobody(world: World) -> None:
    name = 'frontline_quarantined_total{channel="vk"}'
    before = await world.gateway.metric(name)
    for body in ({"message": {"peer_id": "canary-broken"}}, {"message": {"text": "canary-broken"}}):
        event = {"type": "message_new", "object": body, "group_id": GROUP, "event_id": "x", "v": "5.199"}
        await world.vk.do("push", event=event)
    await begin(VkHand(world.vk))
    await world.quiet()
    ways = 2 if world.mode == "both" else 1
    assert await world.gateway.metric(name) == before + 2 * ways
    assert "canary-broken" not in world.gateway.process.said()


async def test_one_event_five_times_slowly_is_one_message(world: World) -> None:
    """VK repeats what it has delivered already: every copy is acknowledged, one is taken."""
    if world.mode == "longpoll":  # nothing is delivered there
        return
    client = VkHand(world.vk)
    event = await world.vk.do("say", chat=client.chat, text="хочу вернуть товар")
    await client.hear("Напишите номер заказа")
    before = await world.gateway.metric('frontline_door_total{channel="vk",what="redelivery"}')
    began = time.monotonic()
    await world.vk.do("repeat", event=event, times=5, pause=0.3)
    assert time.monotonic() - began >= 1.2
    await world.quiet()
    assert world.heard(client.chat, "хочу вернуть товар") == 1
    assert len(await world.vk.texts(client.chat)) == client.heard
    assert await world.gateway.metric('frontline_door_total{channel="vk",what="redelivery"}') == before + 4


async def test_long_poll_dies_for_an_hour_and_is_backfilled(world: World) -> None:
    """The loop gets no answers, clients write, VK forgets the events: the history tells them, in order, each once."""
    if world.mode != "longpoll":
        return
    client = VkHand(world.vk)
    await begin(client)
    await world.vk.do("long_poll", down=True)
    for text in ("123456", "+79161234567"):
        await world.vk.do("say", chat=client.chat, text=text)
    late = VkHand(world.vk)
    await world.vk.do("say", chat=late.chat, text="хочу вернуть товар")
    await world.vk.do("long_poll", forget=True, down=False)
    await client.hear("На какой телефон", "Почему возвращаете")
    await late.hear("Напишите номер заказа")
    await world.quiet()
    assert [world.heard(client.chat, text) for text in ("123456", "+79161234567")] == [1, 1]
    assert world.heard(late.chat, "хочу вернуть товар") == 1
    query = (
        "SELECT event FROM messages JOIN conversations ON conversations.id = messages.conversation "
        "WHERE chat = ? AND author = 'client' ORDER BY seq"
    )
    said = [json.loads(event).get("text") for (event,) in world.rows(query, str(client.chat))]
    assert [text for text in said if text] == ["123456", "+79161234567"], "in the order of the client"
    assert [len(await world.vk.texts(one.chat)) for one in (client, late)] == [client.heard, late.heard], (
        "answered once"
    )
    assert "vk_history_brought_messages" in world.gateway.process.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
async def test_a_restart_keeps_the_dialogue(world: World, number: signal.Signals) -> None:
    """In the middle of a form the process goes; what the client wrote meanwhile is answered when it is back: events that VK
    repeats, or has forgotten, alike."""
    client = VkHand(world.vk)
    await begin(client)
    await client.say("123456", "На какой телефон")
    await world.quiet()
    await (world.gateway.stop() if number is signal.SIGTERM else world.gateway.kill())
    await world.vk.do("say", chat=client.chat, text="+79161234567")
    await world.vk.do("long_poll", forget=True)
    await until(lambda: delivered(world), "VK has given up", 20)
    await world.gateway.start()
    await client.hear("Почему возвращаете")
    await client.press("Брак или поломка", "Опишите")
    await world.quiet()
    assert world.heard(client.chat, "+79161234567") == 1
    before = {call["params"]["random_id"] for call in await world.vk.do("sent") if call["message_id"]}
    messages = {call["message_id"] for call in await world.vk.do("sent") if call["message_id"]}
    assert len(before) == len(messages), "no key was used twice, no message shown twice"


async def test_a_kill_before_the_answers_repeats_nothing(world: World) -> None:
    """Messages are out, VK's answers are on their way, the process is killed: they are sent again and shown once."""
    clients = [VkHand(world.vk) for _ in range(8)]
    for client in clients:
        await world.vk.do("person", chat=client.chat)
        await world.vk.do("fail", kind="late", method="messages.send", chat=client.chat, seconds=20)
    for client in clients:
        await world.vk.do("open", chat=client.chat, ref="vozvrat-qr")

    async def some_are_out() -> bool:
        return sum([bool(await world.vk.texts(client.chat)) for client in clients]) >= 3

    await until(some_are_out, "messages are out")
    await world.gateway.kill()
    await world.gateway.start()
    for client in clients:
        await client.hear("Напишите номер заказа")
    await world.quiet()
    assert [len(await world.vk.texts(client.chat)) for client in clients] == [1] * len(clients)
    keys = [
        call["params"]["random_id"]
        for call in await world.vk.do("sent")
        if call["chat"] in {one.chat for one in clients}
    ]
    assert len(keys) > len(set(keys)) == len(clients), "some were sent again, under their keys"


async def test_a_stop_does_not_wait_for_vk(world: World) -> None:
    """VK hangs over a message; the service manager's ten seconds are kept, and the message goes out after the next start."""
    client = VkHand(world.vk)
    await world.vk.do("person", chat=client.chat)
    await world.vk.do("fail", kind="hang", method="messages.send", chat=client.chat, seconds=60)
    await world.vk.do("open", chat=client.chat, ref="vozvrat-qr")
    await world.quiet_inbox()
    began = time.monotonic()
    await world.gateway.stop()
    assert time.monotonic() - began < 10
    await world.gateway.start()
    await client.hear("Напишите номер заказа")
    assert len(await world.vk.texts(client.chat)) == 1


async def delivered(world: World) -> bool:
    return not (await world.vk.do("state"))["waiting"]


async def test_strangers_at_the_door(world: World) -> None:
    """A wrong secret, a foreign community, a replay, no JSON: refused, counted, stored nowhere. Without callbacks there is no
    door."""
    message = {
        "id": 1,
        "conversation_message_id": 1,
        "peer_id": 1,
        "from_id": 1,
        "date": int(time.time()),
        "text": "canary-1",
    }
    event = {
        "type": "message_new", "object": {"message": message}, "group_id": GROUP, "event_id": "a", "v": "5.199",
        "secret": SECRET,
    }  # fmt: skip
    if world.mode == "longpoll":
        assert (await world.hook(event))[0] == 404
        return
    await world.quiet()
    before = world.rows(COUNT)
    old = {**message, "date": int(time.time()) - 90_000}
    for what, forged in (
        ("wrong_secret", {**event, "secret": "wrong"}),
        ("wrong_secret", {name: value for name, value in event.items() if name != "secret"}),
        ("foreign_account", {**event, "group_id": GROUP + 1}),
        ("replay", {**event, "object": {"message": old}}),
    ):
        name = f'frontline_door_total{{channel="vk",what="{what}"}}'
        counted = await world.gateway.metric(name)
        assert (await world.hook(forged))[0] == 403, what
        assert await world.gateway.metric(name) == counted + 1
    assert (await world.gateway.ask("POST", "/hooks/vk", data=b"{" * 50))[0] == 403
    assert (await world.gateway.ask("POST", "/hooks/vk", data=b"w" * (1 << 20)))[0] in {403, 413}
    foreign = {"type": "confirmation", "group_id": GROUP + 1}
    assert (await world.hook(foreign))[0] == 403
    assert world.rows(COUNT) == before
    assert b"canary-1" not in world.gateway.database.read_bytes()
    assert await world.hook(event) == (200, "ok")
    assert world.rows(COUNT) != before


async def test_disturbed_deliveries_change_nothing(world: World) -> None:
    """Eight clients at once: every one hears exactly what one in a quiet world hears."""
    expected = await dialogue(VkHand(world.vk))
    clients = [VkHand(world.vk) for _ in range(8)]
    said = await asyncio.gather(*(dialogue(client) for client in clients))
    await world.quiet()
    assert said == [expected] * len(clients)
    assert len({number_in(await world.vk.texts(client.chat)) for client in clients}) == len(clients)
