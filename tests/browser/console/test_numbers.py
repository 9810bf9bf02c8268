"""What supervisors and analysts look at: lines as they are now, reports, and the sessions behind a number."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

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
