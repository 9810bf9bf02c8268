"""The shipped return dialogue over MAX, by webhook and by polling: processes, real HTTP, and every trouble on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.hands.max import MaxHand
from tests.acceptance.house import SECRET, Gateway, Ground, Max, number_in, until
from tests.acceptance.talk import PICTURE, begin, check_ticket, dialogue, unnumbered
from tests.emulators.max import TOKEN

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODES = ("webhook", "polling")
COUNT = "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM quarantine) + (SELECT count(*) FROM clients)"
SENDS = "POST /messages"


@dataclass
class World(Ground):
    """A MAX and a gateway behind it."""

    max: Max
    gateway: Gateway
    mode: str

    async def quiet(self) -> None:
        await self.settled(self.max)

    async def hook(self, update: dict[str, Any], secret: str = SECRET) -> int:
        """Posts to the door as MAX does, or as somebody else."""
        headers = {"X-Max-Bot-Api-Secret": secret}
        return (await self.gateway.ask("POST", "/hooks/max", json=update, headers=headers))[0]


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=MODES)
async def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Both processes, shared by all tests of a mode. At the end every call ever made must have been valid."""
    folder = tmp_path_factory.mktemp("max")
    async with Max(folder) as max_:
        account = {"token": TOKEN, "mode": request.param, "secret": SECRET, "api_url": max_.url, "limits": "off"}
        async with Gateway(folder, flood="off", channels__max=account) as gateway:
            yield World(max_, gateway, request.param)
            await gateway.stop()
            assert "Traceback" not in gateway.process.said()
        await max_.check()


def card(world: World, chat: int) -> dict[str, Any]:
    query = "SELECT card FROM clients JOIN identities ON identities.client = clients.id WHERE sender = ?"
    found: dict[str, Any] = json.loads(world.rows(query, str(chat))[0][0])
    return found


async def test_a_return_ends_with_a_ticket(world: World) -> None:
    client = MaxHand(world.max)
    await dialogue(client)
    await check_ticket(world.gateway, number_in(await world.max.texts(client.chat)))
    known = card(world, client.chat)
    assert (known["name"], known["phone"]) == ("Анна Иванова", "+79161234567")
    assert "phone" in known["verified"], "MAX has signed the client's own card"
    await world.max.check()


async def test_pressed_buttons_are_answered(world: World) -> None:
    client = MaxHand(world.max)
    before = (await world.max.do("state"))["answered"]
    await begin(client)
    await client.say("123456", "На какой телефон")
    await client.contact("+79161234567", "Почему возвращаете")
    await client.press("Брак или поломка", "Опишите")

    async def answered() -> bool:
        return bool((await world.max.do("state"))["answered"] == before + 1)

    await until(answered, "the button's clock is stopped")


async def test_a_card_of_somebody_else_is_only_an_answer(world: World) -> None:
    client = MaxHand(world.max)
    await begin(client)
    await client.say("123456", "На какой телефон")
    await client.contact("+79161234567", "Почему возвращаете", own=False)
    assert "phone" not in card(world, client.chat)["verified"]


async def test_a_client_who_stopped_the_bot_is_let_be(world: World) -> None:
    """403 is final for the message, not for the conversation: when the client starts the bot again, it goes on."""
    client = MaxHand(world.max)
    await begin(client)
    await world.max.do("block", chat=client.chat)
    await world.quiet()
    await world.max.do("fail", kind="403", method=SENDS, chat=client.chat, words="Key: error.dialog.suspended")
    await world.max.do("say", chat=client.chat, text="123456")
    await world.quiet()
    refused = [call for call in await world.max.do("sent", chat=client.chat) if call["error"]]
    assert len(refused) == 1, "a client who stopped the bot is not tried again"
    assert await world.gateway.metric('frontline_sends_total{channel="max",kind="send",verdict="unreachable"}') >= 1
    await world.max.do("person", chat=client.chat)
    await world.max.do("unblock", chat=client.chat)
    await world.quiet()
    assert await client.hear()


async def test_an_edit_changes_nothing_and_a_deletion_neither(world: World) -> None:
    client = MaxHand(world.max)
    asked = await world.max.do("say", chat=client.chat, text="хочу вернуть товар")
    await client.hear("Напишите номер заказа")
    mid = asked["message"]["body"]["mid"]
    await world.max.do("edit", chat=client.chat, mid=mid, text="позовите человека")
    await world.max.do("remove", chat=client.chat, mid=mid)
    await world.quiet()
    assert len(await world.max.texts(client.chat)) == client.heard
    await client.say("123456", "На какой телефон")


async def test_a_wait_that_max_asks_for_is_kept(world: World) -> None:
    client = MaxHand(world.max)
    await world.max.do("fail", kind="429", method=SENDS, chat=client.chat, retry_after=1)
    await begin(client)
    refused, sent = await world.max.do("sent", chat=client.chat)
    assert refused["error"] == "429"
    assert sent["at"] - refused["at"] >= 0.95


async def test_what_cannot_be_read_is_set_aside_and_stops_nobody(world: World) -> None:
    name = 'frontline_quarantined_total{channel="max"}'
    before = await world.gateway.metric(name)
    await world.max.do("push", update={"update_type": "message_created", "message": "canary-broken"})
    await world.max.do("push", update={"update_type": "message_callback", "callback": {"payload": "canary-broken"}})
    await begin(MaxHand(world.max))
    await world.quiet()
    assert await world.gateway.metric(name) == before + 2
    assert "canary-broken" not in world.gateway.process.said()


async def test_disturbed_deliveries_change_nothing(world: World) -> None:
    """Twice, late, out of order: every client hears exactly what one in a quiet world hears."""
    expected = await dialogue(MaxHand(world.max))
    await world.max.do("disturb", duplicate=0.5, reorder=0.5, delay=0.05)
    clients = [MaxHand(world.max) for _ in range(6)]
    try:
        said = await asyncio.gather(*(dialogue(client) for client in clients))
    finally:
        await world.max.do("disturb")
    await world.quiet()
    assert said == [expected] * len(clients)
    for client in clients:
        assert unnumbered(await world.max.texts(client.chat)) == expected, "and nothing after that"
    assert await world.gateway.metric('frontline_duplicates_total{channel="max"}') > 0


async def test_a_kill_in_the_middle_loses_nothing(world: World) -> None:
    """SIGKILL in the middle of the form: what was acknowledged is there, what the client did meanwhile is answered."""
    client = MaxHand(world.max)
    await begin(client)
    await client.say("123456", "На какой телефон")
    await client.contact("+79161234567", "Почему возвращаете")
    await client.press("Брак или поломка", "Опишите")
    await world.quiet()
    await world.gateway.kill()
    await world.max.do("disturb", duplicate=1.0)
    await world.max.do("say", chat=client.chat, text="Крышка треснула в первый же день.")
    await world.max.do("disturb")
    await world.gateway.start()
    await client.hear("до пяти фото")
    await client.photo(PICTURE, "По какому телефону")
    await client.contact("+79161234567", "Проверьте")
    await check_ticket(world.gateway, number_in(await client.press("Всё верно", "Готово! Заявка")))
    await world.quiet()
    assert world.heard(client.chat, "Крышка треснула в первый же день.") == 1


async def test_a_kill_between_call_and_answer_repeats_at_most_one_message(world: World) -> None:
    """MAX takes no key against repeats: what had no answer when the process died comes again, once."""
    client = MaxHand(world.max)
    await begin(client)
    await world.max.do("fail", kind="slow", method=SENDS, chat=client.chat, seconds=3.0)
    sends = len(await world.max.do("sent", chat=client.chat))
    await world.max.do("say", chat=client.chat, text="123456")

    async def under_way() -> bool:
        return len(await world.max.do("sent", chat=client.chat)) > sends

    await until(under_way, "the answer is under way")
    await world.gateway.kill()
    await world.gateway.start()
    await client.hear("На какой телефон")
    await world.quiet()
    asked = [text for text in await world.max.texts(client.chat) if "На какой телефон" in text]
    assert 1 <= len(asked) <= 2
    client.heard = len(await world.max.texts(client.chat))
    await client.contact("+79161234567", "Почему возвращаете")


async def test_strangers_at_the_door(world: World) -> None:
    """Without the word: 403, nothing is stored. Where there is no webhook there is no door."""
    message = {
        "sender": {"user_id": 5, "first_name": "x", "is_bot": False},
        "recipient": {"chat_id": 5, "chat_type": "dialog", "user_id": 1},
        "body": {"mid": "mid.forged", "seq": 1, "text": "canary-forged"},
    }
    update = {"update_type": "message_created", "timestamp": 1, "message": message}
    if world.mode == "polling":
        assert await world.hook(update) == 404
        return
    await world.quiet()
    before = world.rows(COUNT)
    assert [await world.hook(update, secret) for secret in ("", "wrong", SECRET + "x")] == [403] * 3
    assert await world.hook(update) == 403, "the secret, but another bot's dialog"
    assert world.rows(COUNT) == before
    assert await world.gateway.metric('frontline_door_total{channel="max",what="wrong_secret"}') == 3
    assert await world.gateway.metric('frontline_door_total{channel="max",what="foreign_account"}') == 1
    assert "canary-forged" not in world.gateway.process.said()


async def test_secrets_stay_inside(world: World) -> None:
    said = world.gateway.process.said()
    assert TOKEN not in said
    assert SECRET not in said
