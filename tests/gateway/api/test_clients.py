"""The client card through the API: found, read, written on, in one stream, by whoever may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import literal_column, select

from core.access import Role
from core.events import Message
from core.messages import Contact
from storage.work.schema import feed
from tests.gateway.api.house import CONFIG, Browser, House, open_house
from tests.gateway.api.test_conversations import deed
from tests.gateway.house import FLOWS

CLIENT_LINES = select(feed).where(feed.c.kind == literal_column("'client'"))
CITY = """
flow: Город
triggers: [{exact: [город]}]
fields:
  город: {label: Город, type: text, ask: Ваш город?, max: 20, keep: client.city}
steps:
  - ask: город
  - say: Спасибо
  - end: готово
"""


@pytest.fixture
async def desk() -> AsyncIterator[House]:
    """A house with a flow that keeps a city."""
    async for made in open_house(config=CONFIG, flows={**FLOWS, "city.yaml": CITY}):
        yield made


async def known(house: House, chat: str = "1") -> tuple[int, int]:
    """A client who waits for a person: the client and the conversation."""
    await house.client("привет", chat)
    home = (await house.client("человек", chat)).conversation
    conversation = await house.store.conversation(home)
    assert conversation is not None
    return conversation.client, home


async def card_of(browser: Browser, client: int) -> Any:
    answer = await browser.ask("GET", f"/clients/{client}")
    assert answer.status == 200, answer.body
    return answer.body


def field_of(card: Any, name: str) -> Any:
    return next(it for it in card["fields"] if it["name"] == name)


async def test_the_card_holds_what_flows_keep(desk: House) -> None:
    await desk.add("anna", support="operator")
    browser = await desk.browser("anna")
    for said in ("привет", "город", "Тверь", "человек"):
        await desk.client(said)
    client, home = await known(desk)
    card = await card_of(browser, client)
    assert (card["name"], card["tier"], card["tags"], card["notes"]) == ("Клиент", "", [], [])
    assert field_of(card, "city") == {
        "name": "city", "label": "Город", "type": "text", "value": "Тверь", "text": "Тверь", "editable": True,
    }  # fmt: skip
    assert [(it["channel"], it["sender"]) for it in card["identities"]] == [("telegram", "1")]
    assert [(it["conversation"], it["status"], it["reachable"]) for it in card["talks"]] == [(home, "queued", True)]
    assert [(it["conversation"], it["number"]) for it in card["sessions"]] == [(home, 1)]


async def test_people_write_on_the_card_and_it_is_kept_who(desk: House) -> None:
    await desk.add("anna", support="operator")
    browser = await desk.browser("anna")
    client, _ = await known(desk)
    card = await card_of(browser, client)
    change = {
        "tier": "vip",
        "tags": ["опт", "юрлицо"],
        "name": "Пётр",
        "fields": {"city": " Псков ", "phone": "8 912 345-67-89"},
    }
    answer = await browser.ask(
        "PATCH", f"/clients/{client}", {"version": card["version"], "reason": "звонил", **change}
    )
    assert answer.status == 200, answer.body
    fresh = answer.body
    assert (fresh["name"], fresh["tier"], fresh["tags"]) == ("Пётр", "vip", ["опт", "юрлицо"])
    assert field_of(fresh, "city")["value"] == "Псков"
    assert fresh["contacts"] == [{"kind": "phone", "value": "+79123456789", "proof": "typed"}]
    assert {(it["name"], it["author"]["title"], it["reason"]) for it in fresh["edits"]} >= {
        ("city", "Anna", "звонил"),
        ("tier", "Anna", "звонил"),
    }
    for query in (
        "q=%D0%9F%D0%B5%D1%82%D1%80",
        "q=345",
        "tag=%D0%BE%D0%BF%D1%82",
        "tier=vip",
        "tag=%D0%BE%D0%BF%D1%82&tier=vip",
    ):
        found = (await browser.ask("GET", f"/clients?{query}")).body["items"]
        assert [it["id"] for it in found] == [client], query
    assert (await browser.ask("GET", "/clients?tag=other")).body["items"] == []
    stored = await desk.store.client(client)
    assert stored is not None
    assert (stored["city"], stored["tier"]) == ("Псков", "vip")  # flows read them


async def test_of_two_who_write_one_is_told(desk: House) -> None:
    for name in ("anna", "boris"):
        await desk.add(name, support="operator")
    browsers = [await desk.browser(name) for name in ("anna", "boris")]
    client, _ = await known(desk)
    version = (await card_of(browsers[0], client))["version"]
    asked = (
        it.ask("PATCH", f"/clients/{client}", {"version": version, "tier": f"t{n}"}) for n, it in enumerate(browsers)
    )
    answers = await asyncio.gather(*asked)
    assert sorted(it.status for it in answers) == [200, 409]
    assert next(it for it in answers if it.status == 409).kind == "card-changed"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"city": "т" * 21}, "/fields/city"),
        ({"phone": "нет"}, "/fields/phone"),
        ({"nobody": "x"}, "/fields/nobody"),
        ({"_tag:x": "1"}, "/fields/_tag:x"),
        ({"verified": "1"}, "/fields/verified"),
    ],
)
async def test_what_is_no_value_is_refused(desk: House, fields: dict[str, str], place: str) -> None:
    await desk.add("anna", support="operator")
    browser = await desk.browser("anna")
    client, _ = await known(desk)
    before = await card_of(browser, client)
    answer = await browser.ask("PATCH", f"/clients/{client}", {"version": before["version"], "fields": fields})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, place)
    assert await card_of(browser, client) == before


async def test_what_the_messenger_proved_is_not_changed_by_hand(desk: House) -> None:
    await desk.add("anna", support="operator")
    browser = await desk.browser("anna")
    await desk.client("привет")
    await desk.client("заявка")
    await desk.client(Message(contact=Contact("+79990000001", own=True)))
    await desk.client("отмена")
    client, _ = await known(desk)
    card = await card_of(browser, client)
    assert card["contacts"] == [{"kind": "phone", "value": "+79990000001", "proof": "messenger"}]
    assert not field_of(card, "phone")["editable"]
    change = {"version": card["version"], "fields": {"phone": "+79990000002"}}
    answer = await browser.ask("PATCH", f"/clients/{client}", change)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/fields/phone")


async def test_notes_are_for_colleagues_and_never_leave(desk: House) -> None:
    for name in ("anna", "boris"):
        await desk.add(name, support="operator")
    client, home = await known(desk)
    browser = await desk.browser("anna")
    said = {"text": "СЕКРЕТ: любит звонки", "conversation": home}
    assert (await browser.ask("POST", f"/clients/{client}/notes", said)).status == 201
    assert (await browser.ask("POST", f"/clients/{client}/notes", {"text": "  "})).kind == "nothing-said"
    await deed(browser, home, "take", epoch=1)
    await deed(browser, home, "reply", epoch=2, text="Слушаю")
    await deed(browser, home, "close", epoch=2)
    await desk.quiet()
    assert not [text for text in desk.channel.texts if "СЕКРЕТ" in text]
    (note,) = (await card_of(await desk.browser("boris"), client))["notes"]
    assert (note["text"], note["author"]["title"], note["conversation"]) == (said["text"], "Anna", home)


async def test_who_has_no_conversation_of_theirs_sees_nobody(desk: House) -> None:
    await desk.add("carl", billing="operator")
    await desk.add("anna", support="operator")
    client, _ = await known(desk)
    version = (await card_of(await desk.browser("anna"), client))["version"]
    browser = await desk.browser("carl")
    assert (await browser.ask("GET", "/clients")).body["items"] == []
    for path in ("", "/notes", "/edits", "/timeline", "/joins", "/suggestions"):
        assert (await browser.ask("GET", f"/clients/{client}{path}")).status == 404, path
    writes: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", "", {"version": version, "tier": "x"}),
        ("POST", "/notes", {"text": "x"}),
        ("POST", "/join", {"other": client, "reason": "one person"}),
    ]
    for method, path, body in writes:
        assert (await browser.ask(method, f"/clients/{client}{path}", body)).status == 404, path


@pytest.mark.parametrize("role", ["analyst"])
async def test_numbers_people_see_no_person(desk: House, role: Role) -> None:
    await desk.add("ines", role)
    client, home = await known(desk)
    browser = await desk.browser("ines")
    for path in (
        "/clients",
        f"/clients/{client}",
        f"/clients/{client}/timeline",
        "/conversations",
        f"/conversations/{home}",
    ):
        assert (await browser.ask("GET", path)).kind == "not-allowed"


async def test_one_stream_of_all_talks(desk: House) -> None:
    anna = await desk.add("anna", support="operator")
    browser = await desk.browser("anna")
    client, home = await known(desk)
    desk.clock.at += 10
    other, second = await known(desk, "2")
    desk.clock.at += 10
    await desk.store.join(client, other, f"user:{anna.id}", "one person")
    for n in range(6):
        desk.clock.at += 1
        await desk.client(f"m{n}", "1" if n % 2 else "2")
    await browser.ask("POST", f"/conversations/{home}/note", {"text": "частное"})
    whole = (await browser.ask("GET", f"/clients/{client}/timeline?limit=200")).body
    assert (whole["next"], whole["hidden"]) == (None, 0)
    assert {it["conversation"] for it in whole["items"]} == {home, second}
    assert [it["text"] for it in whole["items"] if it.get("text", "").startswith("m")] == [f"m{n}" for n in range(6)]
    assert [it["type"] for it in whole["items"]].count("session") == 2
    back: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = (await browser.ask("GET", f"/clients/{client}/timeline?limit=3&before={cursor}")).body
        back = page["items"] + back
        cursor = page["next"]

    def names(items: list[Any]) -> list[Any]:
        return sorted((it["conversation"], it["type"], it.get("seq", it.get("id", 1))) for it in items)

    assert names(back) == names(whole["items"])
    assert (await browser.ask("GET", f"/clients/{client}/timeline?before=abc")).status == 422


async def test_whoever_watches_hears_of_changes(desk: House) -> None:
    await desk.add("anna", support="operator")
    browser = await desk.browser("anna")
    client, home = await known(desk)
    version = (await card_of(browser, client))["version"]
    await browser.ask("PATCH", f"/clients/{client}", {"version": version, "tier": "vip"})
    rows = await desk.gateway.floor.units.ask(lambda reads: reads.all(CLIENT_LINES))
    lines = [row | {"data": msgspec.json.decode(row["data"])} for row in rows]
    assert [(it["conversation"], it["client"], it["line"], it["data"]["names"]) for it in lines] == [
        (home, client, "support", ["tier"])
    ]
