"""People as they are, over real processes: albums cut by a kill, second thoughts, marks, blocks, groups, and the menu."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.house import SECRET, TOKEN, Client, Gateway, Ground, Telegram, new_chat, number_in, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
MENU = [
    {"command": "contacts", "description": "Часы и контакты"},
    {"command": "tickets", "description": "Мои заявки"},
    {"command": "status", "description": "Где мой заказ"},
    {"command": "operator", "description": "Позвать оператора"},
]


class World(Ground):
    """A Telegram and a gateway behind it."""

    def __init__(self, telegram: Telegram, gateway: Gateway) -> None:
        self.telegram, self.gateway = telegram, gateway

    def conversation(self, chat: int) -> int:
        ((number,),) = self.rows("SELECT id FROM conversations WHERE chat = ?", str(chat))
        return int(number)

    def said(self, chat: int) -> list[dict[str, Any]]:
        """What the client said, as the history has it."""
        query = "SELECT event FROM messages WHERE conversation = ? AND event IS NOT NULL ORDER BY seq"
        return [json.loads(event) for (event,) in self.rows(query, self.conversation(chat))]

    async def taken(self, chat: int, events: int) -> None:
        """Waits until so many updates of a chat are on the disk."""

        async def found() -> bool:
            query = "SELECT count(*) FROM inbox WHERE conversation = ? AND channel <> ''"
            return bool(self.rows(query, self.conversation(chat))[0][0] >= events)

        await until(found, f"{events} events of {chat}", 20)


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["polling", "webhook"])
async def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Both processes, shared by all tests of a mode. At the end every call ever made must have been valid."""
    folder = tmp_path_factory.mktemp("people")
    async with Telegram(folder) as telegram:
        account = {"token": TOKEN, "mode": request.param, "secret": SECRET, "api_url": telegram.url, "limits": "off"}
        async with Gateway(folder, flood="off", channels__telegram=account) as gateway:
            yield World(telegram, gateway)
            await gateway.stop()
            assert "Traceback" not in gateway.process.said()
        await telegram.check()


async def ask_for_photos(client: Client) -> None:
    """The return dialogue up to the photos."""
    await client.say("/start vozvrat-qr", "Напишите номер заказа")
    await client.say("123456", "На какой телефон")
    await client.contact("79161234567", "Почему возвращаете")
    await client.press("Брак или поломка", "Опишите")
    await client.say("Крышка треснула в первый же день.", "до пяти фото")


async def test_the_menu_follows_the_flows(world: World) -> None:
    async def commands() -> list[dict[str, str]]:
        found: list[dict[str, str]] = (await world.telegram.do("state"))["commands"]
        return found

    async def shipped() -> bool:
        return sorted(map(str, await commands())) == sorted(map(str, MENU))

    await until(shipped, "the menu of the shipped flows", 20)
    flow = world.gateway.home / "flows" / "contacts.yaml"
    whole = flow.read_text("utf-8")
    flow.write_text(whole.replace("flow: Часы и контакты", "flow: Как нас найти", 1), "utf-8")

    async def changed() -> bool:
        return {"command": "contacts", "description": "Как нас найти"} in await commands()

    await until(changed, "the new title", 30)
    calls = await world.telegram.do("sent", method="setMyCommands")
    assert len(calls) == 2, "once at the start, once when it changed"
    flow.write_text(whole, "utf-8")
    await until(shipped, "the old title", 30)


async def test_an_album_is_one_message_although_the_gateway_dies_in_its_middle(world: World) -> None:
    client = Client(world.telegram)
    await ask_for_photos(client)
    before = len(world.said(client.chat))
    await world.telegram.do("disturb", reorder=0.5, duplicate=0.5)
    await world.telegram.do("album", chat=client.chat, count=4, caption="вот они")
    await world.taken(client.chat, before + 4)
    await world.gateway.kill()
    await world.telegram.do("disturb")
    await world.gateway.start()
    await client.hear("По какому телефону")
    (album,) = world.said(client.chat)[before:]
    assert (album["text"], len(album["attachments"])) == ("вот они", 4)
    await client.contact("79161234567", "Проверьте")
    await client.press("Всё верно", "Готово! Заявка")
    ticket = await world.gateway.ticket(number_in(await world.telegram.texts(client.chat)))
    assert [file["kind"] for file in ticket["stored"]] == ["photo"] * 4


async def test_second_thoughts_are_kept_with_the_first(world: World) -> None:
    client = Client(world.telegram)
    await client.say("/start vozvrat-qr", "Напишите номер заказа")
    said = await world.telegram.do("say", chat=client.chat, text="123456")
    await client.hear("На какой телефон")
    number = said["message"]["message_id"]
    await world.telegram.do("edit", chat=client.chat, message_id=number, text="123456")
    await world.telegram.do("edit", chat=client.chat, message_id=number, text="654321")
    home = world.conversation(client.chat)

    async def kept() -> bool:
        return bool(world.rows("SELECT 1 FROM message_marks WHERE conversation = ?", home))

    await until(kept, "the edit in the history", 20)
    assert world.said(client.chat)[-1]["text"] == "654321"
    shown = await world.gateway.command("replay", str(home))
    assert "✎ «123456» → «654321»" in shown
    assert shown.count("✎") == 1, "an edit that changes nothing is nothing"


async def test_marks_and_answers_name_the_message(world: World) -> None:
    client = Client(world.telegram)
    await client.say("/start vozvrat-qr", "Напишите номер заказа")
    call = (await world.telegram.do("sent", chat=client.chat))[-1]
    await world.telegram.do("reply", chat=client.chat, message_id=call["message_id"], text="123456")
    await client.hear("На какой телефон")
    assert world.said(client.chat)[-1]["quote"]["text"].startswith("Напишите номер заказа")
    # `react` takes emojis by place, which the control door cannot: the update as Telegram sends it.
    person = await world.telegram.do("person", chat=client.chat)
    body = {
        "chat": {"id": client.chat, "type": "private"}, "message_id": call["message_id"], "user": person,
        "date": 1_790_000_000, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}],
    }  # fmt: skip
    await world.telegram.do("push", update={"message_reaction": body})
    home = world.conversation(client.chat)

    async def marked() -> bool:
        found = world.rows("SELECT marks FROM message_marks WHERE conversation = ?", home)
        return any(json.loads(marks).get("reactions") == ["👍"] for (marks,) in found)

    await until(marked, "the mark at our message", 20)


async def test_who_blocks_the_bot_and_comes_back_goes_on(world: World) -> None:
    client = Client(world.telegram)
    await client.say("/start vozvrat-qr", "Напишите номер заказа")
    await world.telegram.do("block", chat=client.chat)
    home = world.conversation(client.chat)

    def reachable() -> bool:
        ((state,),) = world.rows("SELECT state FROM conversations WHERE id = ?", home)
        return bool(json.loads(state).get("reachable", True))

    async def gone() -> bool:
        return not reachable()

    await until(gone, "the block", 20)
    assert await world.gateway.metric('frontline_store{what="outbox"}') == 0
    assert not [call for call in await world.telegram.do("sent", chat=client.chat) if call["error"]]
    await world.telegram.do("unblock", chat=client.chat)
    await client.say("123456", "На какой телефон")
    assert reachable()


async def test_a_group_is_left_politely(world: World) -> None:
    group = -1_000_000_000_000 - new_chat()
    await world.telegram.do("speak_in_group", group=group, text="/start@frontline_bot")

    async def left() -> bool:
        return group in (await world.telegram.do("state"))["left"]

    await until(left, "the goodbye", 20)
    (said,) = await world.telegram.do("sent", chat=group)
    assert "личные сообщения" in said["params"]["text"]
    assert world.rows("SELECT count(*) FROM conversations WHERE chat = ?", str(group)) == [(0,)]
