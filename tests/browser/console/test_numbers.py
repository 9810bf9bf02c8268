"""What supervisors and analysts look at: lines as they are now, reports, and the sessions behind a number."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_supervisor_sees_who_waits_and_why(desk: Desk, open_page: Open) -> None:
    await desk.house.add("root", "supervisor", support="supervisor")
    await desk.house.client("человек", chat="1")
    watched = await open_page(bypass_csp=True)
    await desk.sign_in(watched, "root")
    page = watched.page
    await page.goto(f"{desk.url}/lines")
    line = page.locator(".tile", has_text="Поддержка")
    await expect(line.locator(".numbers div", has_text="Ждут").locator("dd")).to_have_text("1")
    await expect(line).to_contain_text("никого на линии: 1")
    assert await findings(page) == []
    await desk.house.client("человек", chat="2")
    await expect(line.locator(".numbers div", has_text="Ждут").locator("dd")).to_have_text("2")


async def test_a_number_opens_to_its_sessions(desk: Desk, open_page: Open) -> None:
    await desk.house.add("root", "admin")
    for chat in ("1", "2"):
        await desk.house.client("человек", chat=chat)
    today = desk.house.clock.moment()
    period = f"from={(today - timedelta(days=2)).date()}&to={(today + timedelta(days=2)).date()}"
    watched = await open_page(bypass_csp=True)
    await desk.sign_in(watched, "root")
    page = watched.page
    await page.goto(f"{desk.url}/reports?{period}&by=day")
    total = page.locator("tr.total")
    await expect(total.get_by_role("button").first).to_have_text("2")
    await expect(page.locator("canvas")).to_be_visible()
    assert await findings(page) == []
    await page.select_option("select[name=by]", "line")
    await expect(page).to_have_url(re.compile("by=line"))
    await expect(page.locator("tbody tr").first).to_contain_text("Поддержка")
    await total.get_by_role("button").first.click()
    await page.get_by_role("dialog").get_by_role("link").first.click()
    await expect(page).to_have_url(re.compile(r"/work/\d+"))


async def numbers(desk: Desk, open_page: Open, path: str, role: str = "admin") -> Page:
    """A report of the days around, before whoever may read it."""
    await desk.house.add("root", role)  # type: ignore[arg-type]
    watched = await open_page(bypass_csp=True, accept_downloads=True)
    await watched.page.clock.set_fixed_time(desk.house.clock.moment())
    await desk.sign_in(watched, "root")
    await watched.page.goto(f"{desk.url}/reports/{path}")
    return watched.page


async def test_today_is_the_deployments_day(desk: Desk, open_page: Open) -> None:
    """Not the reader's: a clock that is wrong, or stands in another zone, would end the report before the newest sessions."""
    await desk.house.add("root", "admin")
    await desk.house.client("человек", chat="1")
    desk.house.clock.at += timedelta(hours=24 - desk.house.clock.moment().hour).total_seconds() - 3600  # 23:00 UTC …
    await desk.house.client("человек", chat="2")
    watched = await open_page(timezone_id="America/Los_Angeles")
    await desk.sign_in(watched, "root")
    page = watched.page
    await page.goto(f"{desk.url}/reports")
    tomorrow = (desk.house.clock.moment() + timedelta(hours=3)).date()  # … is the next day in Moscow already
    await expect(page.locator("input[name=to]")).to_have_value(tomorrow.isoformat())
    await expect(page.locator("tr.total td[data-metric=sessions]")).to_have_text("2")


async def test_every_number_opens_as_many_as_it_says(desk: Desk, open_page: Open) -> None:
    for chat in range(5):
        await desk.house.client("человек" if chat % 2 else "привет", chat=str(chat))
    page = await numbers(desk, open_page, "overview?by=line")
    await expect(page.locator("tr.total td[data-metric=sessions]")).to_have_text("5")
    opened = 0
    for button in await page.locator(
        "tbody td[data-metric=sessions] button, tbody td[data-metric=to_people] button"
    ).all():
        said = await button.inner_text()
        await button.click()
        await expect(page.locator(".behind li")).to_have_count(int(said))
        await expect(page.locator(".sheet .count")).to_contain_text(f"{said} обращени")
        await page.keyboard.press("Escape")
        await expect(page.locator(".sheet")).to_have_count(0)
        opened += 1
    assert opened == 4


async def test_what_was_chosen_comes_back_with_the_address(desk: Desk, open_page: Open) -> None:
    await desk.house.client("человек", chat="1")
    page = await numbers(desk, open_page, "bot")
    await page.select_option("select[name=period]", "month")
    await page.select_option("select[name=by]", "channel")
    await page.locator(".tile[data-metric=to_people] .name button").first.click()
    await page.locator("tr.total td[data-metric=to_people] button").click()
    await expect(page.locator(".behind li")).to_have_count(1)
    await page.reload()
    await expect(page.locator(".behind li")).to_have_count(1)
    await expect(page.locator("select[name=by]")).to_have_value("channel")
    await expect(page.locator("select[name=period]")).to_have_value("month")
    await expect(page.locator(".tile.drawn")).to_have_attribute("data-metric", "to_people")
    await page.keyboard.press("Escape")
    await expect(page).not_to_have_url(re.compile("open="))


async def test_a_file_holds_what_the_table_shows(desk: Desk, open_page: Open, tmp_path: Path) -> None:
    for chat in range(3):
        await desk.house.client("человек", chat=str(chat))
    page = await numbers(desk, open_page, "volume?by=line")
    await expect(page.locator("tr.total td[data-metric=sessions]")).to_have_text("3")
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Скачать CSV").click()
    await (await coming.value).save_as(tmp_path / "volume.csv")
    rows = list(csv.DictReader((tmp_path / "volume.csv").read_text("utf-8").splitlines()))
    assert rows
    for row in rows:
        line = page.locator("tr.total" if row["by"] == "total" else f'tbody tr[data-key="{row["key"]}"]')
        assert await line.locator(f"td[data-metric={row['metric']}]").inner_text() == row["value"]


async def test_a_definition_is_read_by_keys(desk: Desk, open_page: Open) -> None:
    await desk.house.client("человек", chat="1")
    page = await numbers(desk, open_page, "overview")
    mark = page.get_by_role("button", name="Что такое «Обращения»")
    await page.locator(".tile[data-metric=sessions] .name button").first.focus()
    await page.keyboard.press("Tab")
    await expect(mark).to_be_focused()
    await expect(page.get_by_role("tooltip").first).to_contain_text("Обращения, начавшиеся за период")


async def test_a_week_is_seen_hour_by_hour(desk: Desk, open_page: Open) -> None:
    for chat in range(2):
        await desk.house.client("человек", chat=str(chat))
    page = await numbers(desk, open_page, "load?by=weekhour")
    await expect(page.locator(".heat tbody tr")).to_have_count(7)
    await expect(page.locator(".heat td.some")).to_have_text("2")
    assert await findings(page) == []
    await page.locator(".heat td.some button").click()
    await expect(page.locator(".behind li")).to_have_count(2)


async def test_tickets_have_a_report_that_leads_to_them(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await desk.house.client("человек", chat="1")
    machine = await desk.house.browser("anna")
    await machine.ask("POST", "/conversations/1/tickets", {"desk": "general", "title": "Чайник"})
    await desk.house.quiet()
    page = await numbers(desk, open_page, "tickets")
    await expect(page.locator("tbody tr").first).to_contain_text("Обращения")
    await page.locator("tr.total td[data-metric=tickets] button").click()
    await page.get_by_role("dialog").get_by_role("link", name="№ 1 · Чайник").click()
    await expect(page).to_have_url(re.compile(r"/tickets/1$"))


async def test_an_analyst_sees_numbers_and_no_talk(desk: Desk, open_page: Open) -> None:
    await desk.house.add("ada", "analyst")
    await desk.house.client("человек", chat="1")
    watched = await open_page()
    await desk.sign_in(watched, "ada")
    page = watched.page
    await expect(page.locator("h1")).to_have_text("Отчёты")
    await expect(page.locator("nav.rail").get_by_text("Работа")).to_have_count(0)
    today = desk.house.clock.moment().date()
    await page.goto(f"{desk.url}/reports?from={today}&to={today}")
    await expect(page.locator("tr.total")).to_contain_text("1")
    await expect(page.locator("tr.total").get_by_role("button")).to_have_count(0)
