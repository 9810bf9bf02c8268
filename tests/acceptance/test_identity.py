"""One client in two messengers, with real processes: a form begun in Telegram is finished in VK after the code, with its
fields and its photo; undone by the command, both clients are as before."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.house import TOKEN, Client, Gateway, Ground, Telegram, Visitor, Vk, number_in, until
from tests.emulators.vk import GROUP
from tests.emulators.vk import TOKEN as VK_TOKEN

pytestmark = pytest.mark.asyncio(loop_scope="module")
PICTURE = b"\xff\xd8\xff\xe0\x00\x10JFIF a cracked lid" + bytes(range(256))
CODE = re.compile(r"[2-9A-HJKMNP-Z]{5}-[2-9A-HJKMNP-Z]{5}")


@dataclass
class World(Ground):
    """Two messengers and the gateway between them."""

    telegram: Telegram
    vk: Vk
    gateway: Gateway

    async def command(self, *arguments: str) -> Any:
        """What `frontline clients …` gives scripts."""
        return json.loads(await self.gateway.command("clients", *arguments, "--format", "json"))

    def client_of(self, channel: str, chat: int) -> int:
        """The client of a conversation now."""
        query = "SELECT client FROM conversations WHERE channel = ? AND chat = ?"
        return int(self.rows(query, channel, str(chat))[0][0])

    def people(self, *clients: int) -> list[Any]:
        """Cards and identities, as they are stored."""
        cards = [self.rows("SELECT phone, card FROM clients WHERE id = ?", client) for client in clients]
        identities = [
            self.rows("SELECT * FROM identities WHERE client = ? ORDER BY sender", client) for client in clients
        ]
        return [cards, identities]


def account(telegram: Telegram, vk: Vk) -> dict[str, Any]:
    return {
        "flood": "off",
        "channels__telegram": {"token": TOKEN, "mode": "polling", "api_url": telegram.url, "limits": "off"},
        "channels__vk": {
            "token": VK_TOKEN, "group_id": GROUP, "mode": "longpoll", "api_url": vk.url, "limits": "off",
        },
    }  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("identity")
    async with Telegram(folder) as telegram, Vk(folder) as vk:
        async with Gateway(folder, **account(telegram, vk)) as gateway:
            await vk.do("wait_call", method="groups.getLongPollServer", timeout=20)
            yield World(telegram, vk, gateway)
            await gateway.stop()
            assert "Traceback" not in gateway.process.said()
        await telegram.check()
        await vk.check()


async def begun(world: World) -> Client:
    """A return in Telegram up to its last question, with a phone that Telegram has proved and a photo."""
    client = Client(world.telegram)
    await client.say("хочу вернуть заказ 123456", "На какой телефон")
    await client.contact("79161234567", "Почему возвращаете")
    await client.press("Брак или поломка", "Опишите")
    await client.say("Крышка треснула в первый же день", "Пришлите до пяти фото")
    await client.photo(PICTURE, "По какому телефону")
    return client


async def code_for(client: Client) -> str:
    """The code that the client is given."""
    said = "\n".join(await client.say("/continue", "Ваш код"))
    found = CODE.search(said)
    assert found, said
    return found[0]


async def test_a_form_begun_in_telegram_is_finished_in_vk_and_undone(world: World) -> None:
    one, two = await begun(world), Client(world.vk)
    await two.say("Здравствуйте", "Чем помочь")
    first, second = world.client_of("telegram", one.chat), world.client_of("vk", two.chat)
    before = world.people(first, second)

    code = await code_for(one)
    await two.say(code.lower(), "Продолжаем здесь: «Возврат товара»", "По какому телефону")
    await one.hear("Продолжаем в VK")
    assert world.client_of("vk", two.chat) == first
    await two.say("+7 916 765-43-21", "Проверьте")
    number = number_in(await two.press("Всё верно", "Готово"))

    ticket = await world.gateway.ticket(number)
    assert ticket["fields"]["Номер заказа"] == "123456"
    assert ticket["fields"]["Причина"] == "Брак или поломка"
    assert ticket["fields"]["Телефон"] == "+79167654321"
    assert ticket["text"] == "Крышка треснула в первый же день"
    assert [world.gateway.stored(file) for file in ticket["stored"]] == [PICTURE]
    assert ticket["client"] == first

    # Both see the ticket; what happens to it is told where the client wrote last.
    await one.say("мои заявки", f"№ {number}")
    await one.press("Ничего, спасибо", "Хорошо")
    shown = await world.command("show", str(second))
    assert shown["card"]["_into"] == first
    (join,) = await world.command("joins", str(first))
    assert (join["how"], join["state"], join["kept"], join["gone"]) == ("code", "done", first, second)

    said = await world.gateway.command("clients", "unjoin", str(join["id"]))
    assert str(join["id"]) in said
    assert world.client_of("vk", two.chat) == second
    cards, identities = world.people(first, second)
    assert identities == before[1]
    assert cards[0] == before[0][0]
    ((_, was),), ((phone, now),) = before[0][1], cards[1]
    assert (phone, json.loads(now)) == (
        "+79167654321",
        json.loads(was) | {"phone": "+79167654321"},
    )  # typed in VK since
    assert (await world.gateway.ticket(number))["client"] == second
    (undone,) = await world.command("joins", str(first))
    assert (undone["state"], bool(undone["undone_by"])) == ("undone", True)
    await one.say("мои заявки", "нет заявок")


async def test_the_code_comes_by_a_link(world: World) -> None:
    one, two = await begun(world), Client(world.vk)
    said = await one.say("продолжить в другом мессенджере", "Ваш код")
    code = CODE.search("\n".join(said))
    assert code
    links = await shown_links(world, one)
    link = f"go-{code[0].replace('-', '')}"
    assert [it for it in links if "vk.me" in it] == [f"https://vk.me/club{GROUP}?ref={link}"]
    assert [it for it in links if "/chat/site#start=" in it] == [f"{world.gateway.url}/chat/site#start={link}"]
    assert not [it for it in links if "t.me" in it]
    await world.vk.do("open", chat=two.chat, ref=link)
    await two.hear("Продолжаем здесь: «Возврат товара»", "По какому телефону")
    answers = await two.say(code[0], "уже использован", "По какому телефону")
    assert not [text for text in answers if "Чем помочь" in text]


async def shown_links(world: World, client: Client) -> list[str]:
    """The addresses of buttons that Telegram was asked to show."""
    calls = await world.telegram.do("sent", method="sendMessage", chat=client.chat)
    rows = [row for call in calls for row in (call["params"].get("reply_markup") or {}).get("inline_keyboard", ())]
    return [button["url"] for row in rows for button in row if "url" in button]


async def test_the_web_chat_goes_on_in_telegram(world: World) -> None:
    visitor, client = await Visitor(world.gateway).open(), Client(world.telegram)
    await visitor.say("хочу вернуть заказ 123456", "На какой телефон")
    said = "\n".join(await visitor.say("/continue", "Ваш код"))
    code = CODE.search(said)
    assert code
    await world.telegram.do("say", chat=client.chat, text=f"/start go-{code[0].replace('-', '')}")
    await client.hear("Продолжаем здесь: «Возврат товара»", "На какой телефон")
    await client.contact("79161234567", "Почему возвращаете")
    await visitor.hear("Продолжаем в Telegram")


async def test_a_code_of_one_s_own_conversation_and_a_wrong_one(world: World) -> None:
    client = await begun(world)
    code = await code_for(client)
    await client.say(code, "для другого мессенджера", "По какому телефону")
    await client.say("7KMPX-Q2WT5", "Такого кода нет", "По какому телефону")
    assert await world.gateway.metric('frontline_codes_total{answer="unknown"}') >= 1


async def test_a_phone_that_both_accounts_proved_joins_by_itself(world: World) -> None:
    """Typed phones never do: they are only suggested."""
    one, two, typed = await begun(world), await begun(world), await begun(world)
    for client in (one, two):
        await client.contact("79165550011", "Проверьте")
    await typed.say("+7 916 555-00-11", "Проверьте")
    first = world.client_of("telegram", one.chat)

    async def joined() -> bool:
        return world.client_of("telegram", two.chat) == first

    await until(joined, "the two are one client")
    assert world.client_of("telegram", typed.chat) != first
    listed = [card["id"] for card in await world.command("list", "--phone", "+79165550011")]
    assert listed == [first, world.client_of("telegram", typed.chat)]
    (join,) = await world.command("joins", str(first))
    assert (join["how"], join["proof"]) == ("phone", "+79165550011")
    suggested = [it for it in await world.command("suggestions") if it["phone"] == "+79165550011"]
    assert [(it["why"], it["clients"]) for it in suggested] == [("typed", listed)]
    number = number_in(await two.press("Всё верно", "Готово"))
    await one.press("Всё верно", "Готово")
    await one.say("мои заявки", f"№ {number}")


async def test_a_kill_in_the_middle_of_a_join_loses_nothing(tmp_path: Path) -> None:
    """The process dies right after the join is on the disk, and again before its code is told."""
    async with Telegram(tmp_path) as telegram, Vk(tmp_path) as vk:
        gateway = Gateway(tmp_path, **account(telegram, vk))
        gateway.process.environ |= {"FRONTLINE_FAIL": "identity.offered:kill@n=1", "FRONTLINE_CAREFUL_SECONDS": "1"}
        async with gateway:
            world = World(telegram, vk, gateway)
            await vk.do("wait_call", method="groups.getLongPollServer", timeout=20)
            one, two = await begun(world), Client(vk)
            await telegram.do("say", chat=one.chat, text="/continue")
            await died(world)
            gateway.process.environ["FRONTLINE_FAIL"] = "identity.joined:kill@n=1"
            await gateway.start()
            code = CODE.search("\n".join(await one.hear("Ваш код")))
            assert code
            await vk.do("say", chat=two.chat, text=code[0])
            await died(world)
            gateway.process.environ["FRONTLINE_FAIL"] = ""
            await gateway.start()
            await two.hear("Продолжаем здесь: «Возврат товара»", "По какому телефону")
            await two.say("+7 916 765-43-21", "Проверьте")
            number = number_in(await two.press("Всё верно", "Готово"))
            ticket = await gateway.ticket(number)
            assert [gateway.stored(file) for file in ticket["stored"]] == [PICTURE]
            (join,) = await world.command("joins")
            assert join["state"] == "done"
            await gateway.stop()
        await telegram.check()
        await vk.check()


async def died(world: World) -> None:
    async def dead() -> bool:
        return not world.gateway.process.running

    await until(dead, "the process has died")
