"""Hostile clients: control characters, walls, RTL tricks and markup arrive as plain text everywhere, and never in logs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.house import TOKEN, Client, Gateway, Telegram, Visitor, number_in
from tests.adapters.web.pictures import png

pytestmark = pytest.mark.asyncio(loop_scope="module")
CANARY = "kanareyka"
MARKUP = (
    f"<b>{CANARY}</b> <script>alert(1)</script> **жирно** _курсив_ `код` [ссылка](https://evil.example) "
    "{{ 7 * 7 }} {% raw %} {номер} &lt; %s $HOME"
)
CONTROLS = f"\x00\x07\x1b[31m{CANARY}\x1b[0m\x9b2J\x7f\u061c\u202eexe.gpj\u2066\u200f\ufeff конец"
CLEAN = f"[31m{CANARY}[0m2Jexe.gpj конец"
NAME = f"<i>{CANARY}</i> **Анна** {{{{ 7 * 7 }}}}"
PHONE = "+79161234567"
PNG = png(8, 8)


@dataclass
class World:
    """Telegram and the gateway."""

    telegram: Telegram
    gateway: Gateway

    async def sent(self, client: Client) -> list[dict[str, Any]]:
        """Parameters of the messages that went into the client's chat."""
        return [call["params"] for call in await self.telegram.do("sent", chat=client.chat)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("hostile")
    async with Telegram(folder) as telegram:
        account = {"token": TOKEN, "mode": "polling", "api_url": telegram.url, "limits": "off"}
        async with Gateway(folder, flood="off", channels__telegram=account) as gateway:
            yield World(telegram, gateway)
            log = gateway.process.said()
            await gateway.stop()
        await telegram.check()
    assert log.count("\n") > 3
    for canary in (CANARY, PHONE, "9161234567", TOKEN, TOKEN.split(":")[1], "Traceback", "evil.example"):
        assert canary not in log


def is_plain(text: str) -> bool:
    """No control character but the line feed, nothing that turns the direction of what follows."""
    return not any(unicodedata.category(sign) in ("Cc", "Cf") and sign not in "\n\u200d" for sign in text)


def marked(params: dict[str, Any]) -> list[str]:
    """What stands under the marks of a message."""
    units = params["text"].encode("utf-16-le")
    return [
        units[mark["offset"] * 2 : (mark["offset"] + mark["length"]) * 2].decode("utf-16-le")
        for mark in params.get("entities", ())
    ]


async def to_the_description(client: Client | Visitor) -> None:
    await client.say("вернуть заказ 123456", "На какой телефон")
    await client.say(PHONE, "Почему возвращаете")
    await client.press("Не подошло", "Опишите")


async def test_a_name_is_only_a_name(world: World) -> None:
    client = Client(world.telegram)
    await world.telegram.do("say", chat=client.chat, text="/start", name=NAME)
    await client.hear("Здравствуйте", "Чем помочь?")
    greeting = (await world.sent(client))[0]
    assert greeting["text"] == f"Здравствуйте, {NAME}! Это магазин «Север»."
    assert marked(greeting) == ["«Север»"]
    assert "parse_mode" not in greeting


@pytest.mark.parametrize(("said", "kept"), [(MARKUP, MARKUP), (CONTROLS, CLEAN)], ids=["markup", "controls"])
async def test_a_text_is_only_a_text(world: World, said: str, kept: str) -> None:
    """Back to the client, in the ticket, and on the terminal of who reads it."""
    client = Client(world.telegram)
    await to_the_description(client)
    await client.say(said, "По какому телефону")
    await client.say(PHONE, "Проверьте")
    summary = (await world.sent(client))[-1]
    assert f"Описание: {kept}\n" in summary["text"]
    assert (marked(summary), is_plain(summary["text"])) == ([], True)
    assert not {"parse_mode"} & summary.keys()
    number = number_in(await client.press("Всё верно", "Готово! Заявка"))
    assert (await world.gateway.ticket(number))["text"] == kept
    shown = await world.gateway.command("tickets", str(number))
    assert f"Описание: {kept}" in shown.splitlines()
    assert is_plain(shown.replace("\xa0", " "))


async def test_a_wall_is_taken_and_shown_in_parts(world: World) -> None:
    client = Client(world.telegram)
    await to_the_description(client)
    wall = ("стена " * 700)[:4090].strip() + " конец"
    assert len(wall) <= 4096
    await client.say(wall, "По какому телефону")
    await client.say(PHONE, "Проверьте", "Телефон: +7 916 123-45-67")
    parts = [params["text"] for params in await world.sent(client)][-2:]
    assert all(len(part) <= 4096 for part in parts)
    assert " ".join(wall.split()) in " ".join(" ".join(parts).split())
    number = number_in(await client.press("Всё верно", "Готово! Заявка"))
    assert (await world.gateway.ticket(number))["text"] == wall


async def test_names_of_files_are_only_names(world: World) -> None:
    client = Client(world.telegram)
    await client.say("вернуть заказ 123456", "На какой телефон")
    await client.say(PHONE, "Почему возвращаете")
    await client.press("Брак или поломка", "Опишите")
    await client.say("Крышка треснула.", "до пяти фото")
    name = f"../../\x1b[2J\u202e<img src=x onerror=alert(1)>{CANARY}.png"
    await world.telegram.do("document", chat=client.chat, name=name, mime="image/png")
    await client.hear("По какому телефону")
    await client.say(PHONE, "Проверьте")
    (file,) = (await world.gateway.ticket(number_in(await client.press("Всё верно", "Готово!"))))["stored"]
    assert file["name"] == f"[2J<img src=x onerror=alert(1)>{CANARY}.png"


@pytest.mark.parametrize(("said", "kept"), [(MARKUP, MARKUP), (CONTROLS, CLEAN)], ids=["markup", "controls"])
async def test_the_site_keeps_texts_plain(world: World, said: str, kept: str) -> None:
    """The page makes nodes of texts and marks (tests/browser); here: texts come without a mark that a client made."""
    client = await Visitor(world.gateway).open()
    await to_the_description(client)
    await client.say(said, "По какому телефону")
    name = f"\u202e<img src=x onerror=alert(1)>{CANARY}.png"
    file = await client.upload(name, PNG)
    await client.say(PHONE, "Проверьте")
    items = await client.history()
    mine = [item for item in items if item["author"] == "client"][-2]
    assert (mine["text"], "marks" in mine) == (kept, False)
    summary = items[-1]
    assert f"Описание: {kept}\n" in summary["text"]
    assert (summary.get("marks"), is_plain(summary["text"])) == (None, True)
    await client.say("вот файл", files=(file,))
    shown = next(item for item in reversed(await client.history()) if item.get("files"))
    assert shown["files"][0]["name"] == f"<img src=x onerror=alert(1)>{CANARY}.png"
    assert shown["files"][0]["image"] is True


async def test_numbers_for_prometheus_hold_nothing_of_a_client(world: World) -> None:
    client = Client(world.telegram)
    await client.say("меню", "Чем помочь?")
    await client.say(f"{CANARY} <b>", "Пока не понял")
    _, page = await world.gateway.ask("GET", "/metrics")
    assert CANARY not in page
    assert re.search(r'frontline_messages_total\{channel="telegram",kind="message"\} [1-9]', page)
