"""Tickets as boards and pages ask for them: counted by status, people by their titles, deadlines with their ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.gateway.api.house import House, open_house
from tests.gateway.api.test_tickets import SETTINGS, edit, opened, page

HOUR = 3600.0


@pytest.fixture
async def shop() -> AsyncIterator[House]:
    async for made in open_house(config=SETTINGS):
        await made.add("anna", support="operator")
        yield made


async def later(shop: House, seconds: float) -> Any:
    """Time passes; the session of before has ended by then."""
    shop.clock.at += seconds
    return await shop.browser("anna")


async def counted(browser: Any, asked: str = "") -> dict[str, int]:
    answer = await browser.ask("GET", f"/tickets/counts{asked}")
    assert answer.status == 200, answer.body
    return {f"{it['desk']}/{it['status']}": it["count"] for it in answer.body["items"]}


async def test_a_board_counts_what_its_lists_hold(shop: House) -> None:
    browser = await shop.browser("anna")
    numbers = [await opened(shop, browser, chat=str(at)) for at in range(3)]
    await opened(shop, browser, chat="9", desk="general", title="Иное")
    await edit(browser, numbers[0], status="ask")
    anna = (await browser.ask("GET", "/me")).body["id"]
    await edit(browser, numbers[1], assignee=anna)
    assert await counted(browser) == {"general/new": 1, "returns/ask": 1, "returns/new": 2}
    assert await counted(browser, "?desk=returns&group=open") == {"returns/new": 2}
    assert await counted(browser, "?assignee=me") == {"returns/new": 1}
    assert await counted(browser, "?assignee=nobody&desk=returns") == {"returns/ask": 1, "returns/new": 1}
    assert await counted(browser, "?overdue=true") == {}
    browser = await later(shop, 5 * 24 * HOUR)
    assert await counted(browser, "?overdue=true") == {"returns/new": 2}, "the clock of one that waits stands"
    late = (await browser.ask("GET", "/tickets?overdue=true&assignee=me")).body["items"]
    assert [(it["number"], it["assignee_title"], it["channel"]) for it in late] == [(numbers[1], "Anna", "telegram")]
    # Who sees none of it counts none of it.
    await shop.add("boris", billing="operator")
    assert await counted(await shop.browser("boris")) == {}


async def test_history_and_notes_call_people_by_their_titles(shop: House) -> None:
    browser = await shop.browser("anna")
    number = await opened(shop, browser)
    anna = (await browser.ask("GET", "/me")).body["id"]
    await edit(browser, number, assignee=anna)
    await browser.ask("POST", f"/tickets/{number}/note", {"text": "позвонить"})
    await browser.ask("POST", f"/tickets/{number}/comment", {"text": "Ждём курьера"})
    shown = await page(browser, number)
    assert {it["by_title"] for it in shown["history"]} == {"Anna"}
    given = next(it for it in shown["history"] if "assignee" in it["data"])
    assert (given["data"]["assignee_title"], shown["assignee_title"], shown["author_title"]) == ("Anna", "Anna", "Anna")
    assert [it["by_title"] for it in (*shown["notes"], *shown["comments"])] == ["Anna", "Anna"]


async def test_only_those_who_work_there_may_be_given_it(shop: House) -> None:
    browser = await shop.browser("anna")
    for name, role, lines in (
        ("boris", "operator", {"billing": "operator"}),
        ("root", "admin", {}),
        ("ada", "analyst", {}),
        ("vera", "operator", {"support": "operator"}),
    ):
        await shop.add(name, role, **lines)  # type: ignore[arg-type]
    gone = await shop.add("zoya", support="operator")
    await browser.ask("GET", "/me")
    root = await shop.browser("root")
    assert (await root.ask("PATCH", f"/users/{gone.id}", {"active": False})).status == 200
    number = await opened(shop, browser)
    found = await browser.ask("GET", f"/tickets/{number}/people")
    assert [it["title"] for it in found.body["items"]] == ["Anna", "Root", "Vera"]
    for one in found.body["items"]:
        assert (await edit(browser, number, assignee=one["user"])).status == 200


async def test_the_clock_of_a_ticket_stands_while_it_waits_for_the_client(shop: House) -> None:
    """8 hours of a line that works from 9 to 18: what was left when it began to wait is left when it goes on."""
    browser = await shop.browser("anna")  # Friday, 11:00 in Moscow
    number = await opened(shop, browser)
    first = await page(browser, number)
    assert first["deadline"] == "2027-01-18T07:00:00Z"
    assert (first["ledger"]["promised"], first["ledger"]["line"], first["ledger"]["left"]) == (
        8 * HOUR,
        "billing",
        8 * HOUR,
    )
    browser = await later(shop, 2 * HOUR)
    await edit(browser, number, status="ask")
    browser = await later(shop, 3 * HOUR)
    stands = (await page(browser, number))["ledger"]
    assert (stands["left"], stands["spent"]) == (None, {"counted": 2 * HOUR, "client": 3 * HOUR, "done": 0, "hours": 0})
    await edit(browser, number, status="check")
    goes = await page(browser, number)
    assert goes["deadline"] == "2027-01-18T10:00:00Z", "three working hours later"
    assert goes["ledger"]["left"] == 6 * HOUR
    assert [(it["stood"], it["was"], it["due"]) for it in goes["ledger"]["moves"]] == [
        (0, None, "2027-01-18T07:00:00Z"),
        (3 * HOUR, "2027-01-18T07:00:00Z", "2027-01-18T10:00:00Z"),
    ]
    browser = await later(shop, 24 * HOUR)
    spent = (await page(browser, number))["ledger"]["spent"]
    assert spent == {"counted": 4 * HOUR, "client": 3 * HOUR, "done": 0, "hours": 22 * HOUR}


async def test_a_deadline_set_by_hand_says_by_whom_and_is_not_moved_by_waiting_too_late(shop: House) -> None:
    browser = await shop.browser("anna")
    number = await opened(shop, browser)
    await edit(browser, number, deadline="2027-01-15T09:00:00Z")
    browser = await later(shop, 2 * HOUR)
    assert (await page(browser, number))["ledger"]["late"] is True
    await edit(browser, number, status="ask")
    browser = await later(shop, HOUR)
    await edit(browser, number, status="check")
    shown = await page(browser, number)
    assert shown["deadline"] == "2027-01-15T09:00:00Z", "it was late before it began to wait"
    assert [(it["by_title"], it["due"]) for it in shown["ledger"]["moves"]][1:] == [("Anna", "2027-01-15T09:00:00Z")]


async def test_a_duplicate_names_its_master(shop: House) -> None:
    browser = await shop.browser("anna")
    one, two = [await opened(shop, browser, chat=chat) for chat in ("1", "2")]
    assert (await browser.ask("POST", f"/tickets/{one}/join", {"number": two})).status == 200
    shown = await page(browser, two)
    assert (shown["master"], shown["master_ticket"]["number"], shown["master_ticket"]["title"]) == (
        one,
        one,
        "Возврат чайника",
    )
    assert [it["number"] for it in (await page(browser, one))["joined"]] == [two]
