"""Tickets through the API: out of a conversation, changed, told to the client once, seen by those who may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.gateway.api.house import CONFIG, Browser, House, open_house

DESKS = """\
desks:
  general: {title: Обращения}
  returns:
    title: Возвраты
    needs: [Номер заказа]
    categories: [Брак, Передумал]
    resolve: 8h
    line: billing
    statuses:
      new: {title: новая}
      check: {title: проверяем}
      ask: {title: ждём вас, means: waiting}
      paid: {title: деньги вернули, means: done}
"""
SETTINGS = CONFIG.replace("desks: {general: {title: Обращения}}\n", DESKS)


@pytest.fixture
async def shop() -> AsyncIterator[House]:
    async for made in open_house(config=SETTINGS):
        await made.add("anna", support="operator")
        yield made


async def opened(house: House, browser: Browser, said: str = "привет", chat: str = "1", **more: Any) -> int:
    """A ticket out of a conversation of a client; its number."""
    home = (await house.client(said, chat)).conversation
    body = {
        "desk": "returns",
        "title": "Возврат чайника",
        "fields": {"Номер заказа": "ORD-77001"},
        "tell": False,
        **more,
    }
    answer = await browser.ask("POST", f"/conversations/{home}/tickets", body)
    assert answer.status == 201, answer.body
    await house.quiet()
    return int(answer.body["number"])


def told(house: House) -> list[str]:
    """What clients were sent, greetings aside."""
    return [text for text in house.channel.texts if text != "Здравствуйте"]


async def page(browser: Browser, number: int) -> dict[str, Any]:
    answer = await browser.ask("GET", f"/tickets/{number}")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


async def edit(browser: Browser, number: int, **changes: Any) -> Any:
    version = (await page(browser, number))["version"]
    return await browser.ask("PATCH", f"/tickets/{number}", {"version": version, **changes})


async def test_a_ticket_out_of_a_conversation(shop: House) -> None:
    browser = await shop.browser("anna")
    home = (await shop.client("привет")).conversation
    draft = await browser.ask("GET", f"/conversations/{home}/ticket-draft?desk=returns")
    assert (draft.status, draft.body["missing"], draft.body["categories"]) == (
        200,
        ["Номер заказа"],
        ["Брак", "Передумал"],
    )
    assert [it["label"] for it in draft.body["fields"]] == ["Номер заказа"], "the name stands on the client's card"
    bare = {"desk": "returns", "title": "Возврат"}
    refused = await browser.ask("POST", f"/conversations/{home}/tickets", bare)
    assert (refused.status, refused.kind) == (422, "needs-missing")
    assert [it["pointer"] for it in refused.body["errors"]] == ["/fields/Номер заказа"]
    made = await browser.ask(
        "POST", f"/conversations/{home}/tickets", {**bare, "fields": {"Номер заказа": "ORD-77001"}}
    )
    assert made.status == 201
    await shop.quiet()
    assert any(str(made.body["number"]) in text and "Возврат" in text for text in told(shop))
    shown = await page(browser, made.body["number"])
    assert (shown["status"], shown["status_title"], shown["means"], shown["line"]) == (
        "new",
        "новая",
        "open",
        "support",
    )
    assert [(it["conversation"], it["session"]) for it in shown["sessions"]] == [(home, 1)]
    assert shown["deadline"] == "2027-01-18T07:00:00Z", "8 working hours of the desk's line: 7 on Friday, 1 on Monday"
    assert [it["what"] for it in shown["history"]] == ["created"]


async def test_a_repeat_under_the_same_key_makes_one_ticket(shop: House) -> None:
    browser = await shop.browser("anna")
    home = (await shop.client("привет")).conversation
    body = {"desk": "general", "title": "Раз"}
    asked = [browser.ask("POST", f"/conversations/{home}/tickets", body, Idempotency_Key="t1") for _ in range(3)]
    answers = [await it for it in asked]
    assert {answer.body["number"] for answer in answers} == {answers[0].body["number"]}
    assert len((await browser.ask("GET", "/tickets")).body["items"]) == 1


async def test_every_public_change_is_told_once_and_no_private_one(shop: House) -> None:
    browser = await shop.browser("anna")
    number = await opened(shop, browser)
    anna = (await browser.ask("GET", "/me")).body["id"]
    for change in ({"category": "Брак"}, {"priority": "высокая"}, {"assignee": anna}, {"title": "Возврат чайника!"}):
        assert (await edit(browser, number, **change)).status == 200
    assert (await browser.ask("POST", f"/tickets/{number}/note", {"text": "ТАЙНА"})).status == 200
    await shop.quiet()
    assert told(shop) == []
    assert (await edit(browser, number, status="check", comment="Смотрим.")).status == 200
    await shop.quiet()
    assert len(told(shop)) == 1
    assert "проверяем" in told(shop)[0]
    assert "Смотрим." in told(shop)[0]
    assert (await browser.ask("POST", f"/tickets/{number}/comment", {"text": "Ещё день."})).status == 200
    await shop.quiet()
    assert len(told(shop)) == 2
    assert told(shop)[1].endswith("Ещё день.")
    shown = await page(browser, number)
    assert [it["text"] for it in shown["notes"]] == ["ТАЙНА"]
    assert [it["text"] for it in shown["comments"]] == ["Смотрим.", "Ещё день."]
    assert "ТАЙНА" not in str(shown["history"])
    assert not any("ТАЙНА" in text for text in told(shop))


async def test_two_edits_at_once(shop: House) -> None:
    browser = await shop.browser("anna")
    number = await opened(shop, browser)
    asked = [browser.ask("PATCH", f"/tickets/{number}", {"version": 1, "status": word}) for word in ("check", "ask")]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert next(answer for answer in answers if answer.status == 409).kind == "ticket-changed"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"status": "solved"}, "unknown-status"),
        ({"category": "Прочее"}, "unknown-category"),
        ({"assignee": 999}, "unknown-person"),
        ({"files": ["f999-0"]}, "unknown-file"),
        ({"title": ""}, "invalid"),
        ({"rating": 5}, "invalid"),
    ],
)
async def test_what_a_ticket_cannot_become(shop: House, change: dict[str, Any], kind: str) -> None:
    browser = await shop.browser("anna")
    number = await opened(shop, browser)
    answer = await edit(browser, number, **change)
    assert (answer.status, answer.kind) == (422, kind)


async def test_another_line_sees_nothing_of_it(shop: House) -> None:
    browser = await shop.browser("anna")
    number = await opened(shop, browser)
    carl = await shop.add("carl", billing="operator")
    other = await shop.browser("carl")
    assert (await other.ask("GET", "/tickets")).body["items"] == []
    deeds = [
        ("GET", f"/tickets/{number}", None),
        ("PATCH", f"/tickets/{number}", {"version": 1, "status": "paid"}),
        ("POST", f"/tickets/{number}/comment", {"text": "x"}),
        ("POST", f"/tickets/{number}/note", {"text": "x"}),
        ("POST", f"/tickets/{number}/unjoin", {}),
    ]
    for method, path, body in deeds:
        answer = await other.ask(method, path, body)
        assert (answer.status, answer.kind) == (404, "not-found"), path
    assert (await edit(browser, number, assignee=carl.id)).kind == "unknown-person", "not of the ticket's line"


async def test_whoever_sees_a_session_of_it_sees_the_ticket(shop: House) -> None:
    await shop.add("root", "admin")
    await shop.add("carl", billing="operator")
    browser, root, other = await shop.browser("anna"), await shop.browser("root"), await shop.browser("carl")
    number = await opened(shop, browser)
    home = (await shop.client("привет", "2")).conversation
    session = {"conversation": home, "session": 1}
    assert (await browser.ask("POST", f"/tickets/{number}/link", session)).status == 200
    assert len((await page(browser, number))["sessions"]) == 2
    found = await browser.ask("GET", f"/tickets?conversation={home}&session=1")
    assert [it["number"] for it in found.body["items"]] == [number]
    assert (await other.ask("GET", f"/tickets/{number}")).status == 404
    await move_to_billing(shop, home)
    assert (await other.ask("GET", f"/tickets/{number}")).status == 200
    assert (await root.ask("POST", f"/tickets/{number}/unlink", session)).status == 200
    assert (await other.ask("GET", f"/tickets/{number}")).status == 404
    assert (await browser.ask("POST", f"/tickets/{number}/link", {**session, "session": 9})).status == 404


async def move_to_billing(house: House, home: int) -> None:
    """The session is on another line, as if it had been transferred."""
    import msgspec

    from storage.work.projecting import session_row

    def work(ledger: Any) -> None:
        found = ledger.rows.conversation(home)
        session = msgspec.structs.replace(found.session, line="billing")
        ledger.rows.put_session(session_row(found, session, ledger.clock()))

    await house.gateway.floor.units.write(work, [home])


async def test_lists_are_filtered_sorted_and_paged(shop: House) -> None:
    browser = await shop.browser("anna")
    first = await opened(shop, browser, desk="general", title="Вопрос по счёту", fields={})
    numbers = [await opened(shop, browser) for _ in range(3)]
    shop.clock.at += 60
    assert (await edit(browser, numbers[0], status="paid")).status == 200

    async def found(query: str) -> list[int]:
        answer = await browser.ask("GET", f"/tickets?{query}")
        assert answer.status == 200, answer.body
        return [it["number"] for it in answer.body["items"]]

    in_order = [*numbers[1:], first, numbers[0]]  # those without a promise behind, those that are solved at the end
    assert await found("") == in_order
    assert await found("group=done") == [numbers[0]]
    assert await found("group=open&desk=returns") == numbers[1:]
    assert await found("desk=general") == [first]
    assert await found("q=СЧЕТ") == [first]
    assert await found(f"q={numbers[1]}") == [numbers[1]]
    assert await found("q=ord-77001&group=open") == numbers[1:]
    assert (await found("sort=updated"))[0] == numbers[0]
    assert await found("line=billing") == []
    assert await found("assignee=me") == []
    seen: list[int] = []
    cursor = ""
    while True:
        answer = await browser.ask("GET", f"/tickets?limit=1&cursor={cursor}")
        seen += [it["number"] for it in answer.body["items"]]
        cursor = answer.body["next"] or ""
        if not cursor:
            break
    assert seen == in_order
    assert (await browser.ask("GET", "/tickets?cursor=abc")).kind == "invalid"


async def test_duplicates_are_suggested_joined_and_taken_apart_exactly(shop: House) -> None:
    browser = await shop.browser("anna")
    first = await opened(shop, browser)
    home = (await shop.client("привет")).conversation
    body = {"desk": "returns", "title": "Чайник вернуть", "fields": {"Номер заказа": "ORD-77001"}, "tell": False}
    made = await browser.ask("POST", f"/conversations/{home}/tickets", body)
    second = made.body["number"]
    assert [it["number"] for it in made.body["likely"]] == [first]
    assert [it["number"] for it in (await page(browser, first))["likely"]] == [second]
    before = await page(browser, second)
    assert (await browser.ask("POST", f"/tickets/{first}/join", {"number": second})).status == 200
    joined = await page(browser, second)
    assert joined["master"] == first
    assert [it["number"] for it in (await page(browser, first))["joined"]] == [second]
    assert [it["number"] for it in (await browser.ask("GET", "/tickets")).body["items"]] == [first]
    assert (await browser.ask("POST", f"/tickets/{first}/join", {"number": second})).kind == "ticket-joined"
    assert (await browser.ask("POST", f"/tickets/{second}/join", {"number": first})).kind == "ticket-joined"
    assert (await edit(browser, second, status="paid")).kind == "ticket-joined"
    assert (await browser.ask("POST", f"/tickets/{second}/unjoin", {})).status == 200
    after = await page(browser, second)
    moving = ("version", "updated_at", "history", "likely")
    assert {k: v for k, v in after.items() if k not in moving} == {k: v for k, v in before.items() if k not in moving}


async def test_clients_of_joined_tickets_hear_of_the_master_each_once(shop: House) -> None:
    browser = await shop.browser("anna")
    first = await opened(shop, browser, chat="1")
    second = await opened(shop, browser, chat="2", title="Чайник не вернули")
    third = await opened(shop, browser, chat="2", title="Где деньги за чайник")
    for duplicate in (second, third):
        assert (await browser.ask("POST", f"/tickets/{first}/join", {"number": duplicate})).status == 200
    assert (await edit(browser, first, status="paid", comment="Вернули.")).status == 200
    await shop.quiet()
    assert len(told(shop)) == 2, "two clients, whatever the number of their tickets"
    assert sorted(str(number) in text for text in told(shop) for number in (first,)) == [False, True]
    assert any(f"{second}" in text and "деньги вернули" in text for text in told(shop))


async def test_whoever_does_not_exist(shop: House) -> None:
    browser = await shop.browser("anna")
    for path in ("/tickets/999", "/conversations/999/ticket-draft?desk=general"):
        assert (await browser.ask("GET", path)).status == 404
    home = (await shop.client("привет")).conversation
    assert (await browser.ask("GET", f"/conversations/{home}/ticket-draft?desk=x")).kind == "unknown-desk"
    assert (await browser.ask("POST", f"/tickets/{await opened(shop, browser)}/push", {})).kind == "not-outer"


async def test_desks_are_told(shop: House) -> None:
    found = (await (await shop.browser("anna")).ask("GET", "/desks")).body["items"]
    by = {it["desk"]: it for it in found}
    assert [it["means"] for it in by["returns"]["statuses"]] == ["open", "open", "waiting", "done"]
    assert [it["word"] for it in by["general"]["statuses"]] == ["new", "open", "waiting", "done"]
    assert by["returns"]["needs"] == ["Номер заказа"]


async def test_the_feed_and_the_records_follow(shop: House) -> None:
    browser = await shop.browser("anna")
    number = await opened(shop, browser)
    await edit(browser, number, status="paid")
    await browser.ask("POST", f"/tickets/{number}/note", {"text": "частное"})

    from storage.codec import decode_dict
    from storage.tables import metadata

    lines = await shop.gateway.floor.units.ask(lambda reads: reads.all(metadata.tables["feed"].select()))
    told = [decode_dict.decode(it["data"]) for it in lines if it["kind"] == "ticket"]
    assert [it["what"] for it in told] == [["created"], ["done", "status", "waiting"], ["note"]] or [
        it["what"] for it in told
    ] == [["created"], ["done", "status"], ["note"]]
    assert {it["number"] for it in told} == {number}
    assert "частное" not in str(lines)
    records = await shop.gateway.floor.units.ask(lambda reads: reads.all(metadata.tables["records"].select()))
    kinds = {it["kind"]: decode_dict.decode(it["data"]) for it in records if it["kind"].startswith("ticket")}
    assert kinds["ticket_created"]["desk"] == "returns"
    assert (kinds["ticket_moved"]["to"], kinds["ticket_moved"]["means"], kinds["ticket_moved"]["line"]) == (
        *("paid", "done"),
        "support",
    )
