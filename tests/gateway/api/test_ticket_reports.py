"""The report of tickets: its numbers, what is behind them, who sees what of it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.gateway.api.house import Browser, House, open_house
from tests.gateway.api.test_tickets import SETTINGS, edit, opened

PERIOD = "from=2027-01-01&to=2027-01-31"


@pytest.fixture
async def shop() -> AsyncIterator[House]:
    """Three tickets of returns, of which one is answered, one solved and one joined; one of another desk."""
    async for made in open_house(config=SETTINGS):
        await made.add("anna", support="operator")
        browser = await made.browser("anna")
        numbers = [await opened(made, browser, chat=str(at)) for at in range(3)]
        await opened(made, browser, chat="9", desk="general", title="Иное")
        made.clock.at += 600
        await browser.ask("POST", f"/tickets/{numbers[0]}/comment", {"text": "Смотрим"})
        made.clock.at += 600
        await edit(browser, numbers[1], status="paid")
        await browser.ask("POST", f"/tickets/{numbers[0]}/join", {"number": numbers[2]})
        yield made


async def cells(browser: Browser, asked: str = "") -> dict[str, dict[str, Any]]:
    answer = await browser.ask("GET", f"/reports/tickets?{PERIOD}{asked}")
    assert answer.status == 200, answer.body
    rows = [*answer.body["rows"], answer.body["total"]]
    return {row["key"]: {it["metric"]: it["value"] for it in row["cells"]} for row in rows}


async def test_tickets_are_counted_by_desk(shop: House) -> None:
    await shop.add("ada", "analyst")
    found = await cells(await shop.browser("ada"))
    assert {key: row["tickets"] for key, row in found.items()} == {"general": 1, "returns": 3, "": 4}
    returns = found["returns"]
    assert (returns["tickets_solved"], returns["ticket_first_answer"], returns["ticket_resolution"]) == (1, 600, 1200)
    assert (returns["tickets_overdue"], returns["tickets_reopened"]) == (0, 0)
    assert found["general"]["tickets_overdue"] is None, "nothing was promised"


async def test_a_report_of_sessions_has_no_desks(shop: House) -> None:
    await shop.add("root", "admin")
    root = await shop.browser("root")
    refused = await root.ask("GET", f"/reports/overview?{PERIOD}&by=desk")
    assert (refused.status, refused.kind) == (422, "invalid")
    reports = {it["name"]: it for it in (await root.ask("GET", "/reports")).body["items"]}
    assert (reports["tickets"]["of"], reports["overview"]["of"]) == ("tickets", "sessions")
    assert "desk" in reports["tickets"]["bys"]


async def test_it_is_the_day_of_the_deployment(shop: House) -> None:
    await shop.add("root", "admin")
    now = shop.clock.moment()
    for hour, later in ((20, 0), (22, 1)):  # in Moscow the day begins at 21:00 UTC
        shop.clock.at = now.replace(hour=hour).timestamp()
        expected = (now + timedelta(days=later)).date().isoformat()
        root = await shop.browser("root")
        assert (await root.ask("GET", "/reports")).body["today"] == expected
        assert (await root.ask("GET", "/reports/overview")).body["last"] == expected


async def test_what_is_behind_a_number_is_as_many_as_it_says(shop: House) -> None:
    await shop.add("root", "admin")
    root = await shop.browser("root")
    for key, count in (("returns", 3), ("general", 1)):
        answer = await root.ask("GET", f"/reports/tickets/sessions?{PERIOD}&metric=tickets&key={key}")
        assert (answer.body["count"], len(answer.body["items"])) == (count, count)
    first = (await root.ask("GET", f"/reports/tickets/sessions?{PERIOD}&metric=ticket_first_answer")).body["items"]
    assert [(it["ticket"], it["session"], it["value"], it["title"]) for it in first] == [(1, 0, 600, "Возврат чайника")]
    sessions = (await root.ask("GET", f"/reports/overview/sessions?{PERIOD}&limit=3")).body
    assert (sessions["count"], [it["channel"] for it in sessions["items"]]) == (4, ["telegram"] * 3)


async def test_nobody_opens_what_they_do_not_see(shop: House) -> None:
    await shop.add("boris", "supervisor", billing="supervisor")
    await shop.add("ada", "analyst")
    boris = await shop.browser("boris")
    assert (await cells(boris))[""]["tickets"] == 0
    behind = await boris.ask("GET", f"/reports/tickets/sessions?{PERIOD}&metric=tickets")
    assert (behind.body["items"], behind.body["count"]) == ([], 0)
    ada = await shop.browser("ada")
    assert (await ada.ask("GET", f"/reports/tickets/sessions?{PERIOD}&metric=tickets")).status == 403


async def test_rows_have_titles_and_an_analyst_sees_no_names(shop: House) -> None:
    await shop.add("root", "admin")
    await shop.add("ada", "analyst")
    root, ada = await shop.browser("root"), await shop.browser("ada")

    async def titles(browser: Browser, by: str) -> dict[str, str]:
        rows = (await browser.ask("GET", f"/reports/tickets?{PERIOD}&by={by}")).body["rows"]
        return {row["key"]: row["title"] for row in rows}

    assert await titles(root, "desk") == {"general": "Обращения", "returns": "Возвраты"}
    assert (await titles(root, "operator"))["user:1"] == "Anna"
    assert (await titles(ada, "operator"))["user:1"] == ""
    text = await ada.client.get(f"/api/v1/reports/tickets/csv?{PERIOD}", headers=ada.headers)
    rows = list(csv.DictReader(io.StringIO(await text.text())))
    assert {(row["key"], row["value"]) for row in rows if row["metric"] == "tickets"} == {
        ("general", "1"),
        ("returns", "3"),
        ("", "4"),
    }
