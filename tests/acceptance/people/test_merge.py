"""A10: two clients are made one by somebody's word, and are exactly what they were when it is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.gateway.api.house import CONFIG, FLOWS, Browser, House, open_house

TICKET = """
flow: Вопрос
triggers: [{exact: [вопрос]}]
fields:
  город: {label: Город, type: text, ask: Ваш город?, keep: client.city}
steps:
  - ask: город
  - ticket: general
    title: Вопрос клиента
  - say: Записали
  - end: создан
"""


@pytest.fixture
async def house(url: str) -> AsyncIterator[House]:
    config = CONFIG.replace("sqlite:///house.db", url) if url else CONFIG
    async for made in open_house(config=config, flows={**FLOWS, "ticket.yaml": TICKET}):
        yield made


async def client_of(house: House, home: int) -> int:
    found = await house.store.conversation(home)
    assert found is not None
    return found.client


async def ask(browser: Browser, method: str, path: str, body: Any = None) -> Any:
    answer = await browser.ask(method, path, body)
    assert answer.status < 300, (path, answer.body)
    return answer.body


async def two(house: House, browser: Browser) -> tuple[dict[int, int], list[int]]:
    """Two clients with all that one can have; conversation by client, and the clients."""
    homes: dict[int, int] = {}
    for chat, city in (("1", "Тверь"), ("2", "Псков")):
        for said in ("привет", "вопрос", city, "человек"):
            house.clock.at += 1
            home = (await house.client(said, chat)).conversation
        client = await client_of(house, home)
        homes[client] = home
        version = (await ask(browser, "GET", f"/clients/{client}"))["version"]
        change = {"tier": f"t{chat}", "tags": ["общий", f"свой {chat}"], "fields": {"email": f"a{chat}@example.org"}}
        await ask(browser, "PATCH", f"/clients/{client}", {"version": version, "reason": "знаем", **change})
        await ask(browser, "POST", f"/clients/{client}/notes", {"text": f"о клиенте {chat}"})
        await ask(browser, "POST", f"/conversations/{home}/note", {"text": f"в беседе {chat}"})
        await ask(browser, "POST", f"/conversations/{home}/read", {"seq": int(chat)})
    async with asyncio.timeout(10):  # routing says in a moment why they wait
        while not all(row["cause"] for row in (await ask(browser, "GET", "/conversations?view=queue"))["items"]):
            await asyncio.sleep(0.02)
    return homes, sorted(homes)


async def picture(house: House, browser: Browser, homes: dict[int, int]) -> dict[str, Any]:
    """All that the API says of the clients."""
    found: dict[str, Any] = {}
    for client, home in homes.items():
        for path in (f"/clients/{client}", f"/clients/{client}/timeline?limit=200", f"/clients/{client}/suggestions"):
            found[path] = await ask(browser, "GET", path)
        for path in (f"/conversations/{home}", f"/conversations/{home}/messages?limit=200"):
            found[path] = await ask(browser, "GET", path)
        found[f"tickets {client}"] = [it.number for it in await house.store.tickets(client=client)]
        found[f"raw {client}"] = await house.store.client(client)
    tags = ("общий", "свой 1", "свой 2")
    found["lists"] = await ask(browser, "GET", "/conversations?view=all&sort=last")
    found["counts"] = await ask(browser, "GET", "/conversations/counts")
    found["clients"] = [await ask(browser, "GET", f"/clients?{it}") for it in ("", "tier=t1", "tier=t2", "q=example")]
    found["tags"] = [await ask(browser, "GET", f"/clients?tag={tag}") for tag in tags]
    return found


async def test_merge_and_unmerge_restore_both_exactly(house: House) -> None:
    """A10."""
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    homes, (kept, gone) = await two(house, browser)
    before = await picture(house, browser, homes)
    expected = await ask(browser, "GET", f"/clients/{gone}/join?other={kept}")
    join = await ask(browser, "POST", f"/clients/{kept}/join", {"other": gone, "reason": "назвал номер заказа"})
    assert (join["kept"], join["gone"], join["by"]["title"], join["reason"]) == (
        kept,
        gone,
        "Anna",
        "назвал номер заказа",
    )
    card = await ask(browser, "GET", f"/clients/{kept}")
    shown = ("name", "tier", "tags", "contacts", "fields")
    assert expected == {"kept": kept, "gone": gone} | {name: card[name] for name in shown}
    assert card["tags"] == ["общий", "свой 1", "свой 2"]
    assert {it["text"] for it in card["notes"]} == {"о клиенте 1", "о клиенте 2"}
    assert {it["conversation"] for it in card["talks"]} == set(homes.values())
    assert (len(card["tickets"]), len(card["identities"]), card["parts"]) == (2, 2, [gone])
    assert await ask(browser, "GET", f"/clients/{gone}") == card  # who follows an old link comes to the whole client
    rows = (await ask(browser, "GET", "/conversations?view=all"))["items"]
    assert {row["client"]["id"] for row in rows} == {kept}
    assert [it["id"] for it in (await ask(browser, "GET", "/clients"))["items"]] == [kept]
    assert [it["unread"] for it in rows] == [it["unread"] for it in before["lists"]["items"]]
    undone = await ask(browser, "POST", f"/joins/{join['id']}/undo")
    assert (undone["state"], undone["undone_by"]["title"]) == ("undone", "Anna")
    after = await picture(house, browser, homes)
    for name, was in before.items():
        assert after[name] == was, name
    (known,) = (await ask(browser, "GET", f"/clients/{gone}/joins"))["items"]
    assert known == undone


async def test_what_was_written_meanwhile_goes_with_its_talk(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    homes, (kept, gone) = await two(house, browser)
    join = await ask(browser, "POST", f"/clients/{gone}/join", {"other": kept, "reason": "один человек"})
    version = (await ask(browser, "GET", f"/clients/{kept}"))["version"]
    change = {"fields": {"city": "Клин"}, "conversation": homes[gone]}
    version = (await ask(browser, "PATCH", f"/clients/{kept}", {"version": version, **change}))["version"]
    await ask(browser, "PATCH", f"/clients/{kept}", {"version": version, "tags": ["общий"], "tier": "t3"})
    for home, text in ((homes[gone], "отсюда"), (0, "ниоткуда")):
        await ask(browser, "POST", f"/clients/{kept}/notes", {"text": text, "conversation": home})
    await ask(browser, "POST", f"/joins/{join['id']}/undo")
    cards = {client: await ask(browser, "GET", f"/clients/{client}") for client in (kept, gone)}
    cities = {
        client: next(it["value"] for it in card["fields"] if it["name"] == "city") for client, card in cards.items()
    }
    assert cities == {kept: "Тверь", gone: "Клин"}
    assert (cards[kept]["tier"], cards[kept]["tags"]) == ("t3", ["общий"])
    assert (cards[gone]["tier"], cards[gone]["tags"]) == ("t2", ["общий", "свой 2"])
    assert {it["text"] for it in cards[kept]["notes"]} == {"о клиенте 1", "ниоткуда"}
    assert {it["text"] for it in cards[gone]["notes"]} == {"о клиенте 2", "отсюда"}
    assert [it["id"] for it in (await ask(browser, "GET", "/clients?tag=свой 2"))["items"]] == [gone]
    assert (await ask(browser, "GET", "/clients?tag=свой 1"))["items"] == []


async def test_joins_that_cannot_be(house: House) -> None:
    await house.add("anna", support="operator")
    await house.add("carl", billing="operator")
    browser, other = await house.browser("anna"), await house.browser("carl")
    _, (kept, gone) = await two(house, browser)
    reason = {"reason": "один человек"}
    for client, body, kind in (
        (kept, {"other": kept, **reason}, "conflict"),
        (kept, {"other": 999, **reason}, "not-found"),
        (kept, {"other": gone, "reason": ""}, "invalid"),
        (kept, {"other": gone}, "invalid"),
    ):
        assert (await browser.ask("POST", f"/clients/{client}/join", body)).kind == kind, body
    join = await ask(browser, "POST", f"/clients/{kept}/join", {"other": gone, **reason})
    same = await browser.ask("GET", f"/clients/{kept}/join?other={gone}", Accept_Language="ru")
    assert (same.kind, same.body["detail"]) == ("conflict", "Это уже один клиент.")
    assert (await browser.ask("POST", f"/clients/{kept}/join", {"other": gone, **reason})).kind == "conflict"
    assert (await other.ask("POST", f"/joins/{join['id']}/undo")).kind == "not-found"
    assert (await browser.ask("POST", "/joins/999/undo")).kind == "not-found"
    await ask(browser, "POST", f"/joins/{join['id']}/undo")
    assert (await browser.ask("POST", f"/joins/{join['id']}/undo")).kind == "conflict"


async def test_who_may_be_the_same_person_is_only_suggested(house: House) -> None:
    """Never automatic on an e-mail or a name."""
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    _, (kept, gone) = await two(house, browser)
    for client in (kept, gone):
        version = (await ask(browser, "GET", f"/clients/{client}"))["version"]
        change = {"version": version, "fields": {"email": "one@example.org"}, "name": "Пётр Петров"}
        await ask(browser, "PATCH", f"/clients/{client}", change)
    found = (await ask(browser, "GET", f"/clients/{kept}/suggestions"))["items"]
    assert [(it["client"]["id"], it["why"]) for it in found] == [(gone, "email")]
    assert [it["id"] for it in (await ask(browser, "GET", "/clients"))["items"]] == [gone, kept]
    join = await ask(browser, "POST", f"/clients/{kept}/join", {"other": gone, "reason": "один человек"})
    assert (await ask(browser, "GET", f"/clients/{kept}/suggestions"))["items"] == []
    await ask(browser, "POST", f"/joins/{join['id']}/undo")
    found = (await ask(browser, "GET", f"/clients/{kept}/suggestions"))["items"]
    assert [(it["client"]["id"], it["why"]) for it in found] == [(gone, "undone")]
