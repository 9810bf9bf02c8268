"""Tokens of machines in the console: made with scopes and an end, shown once, listed, ended."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_token_is_shown_once_works_and_ends(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "admin")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/tokens")
    await expect(page.get_by_text("Ключей нет")).to_be_visible()
    await page.get_by_role("button", name="Новый ключ").click()
    make = page.get_by_role("button", name="Создать ключ")
    await page.fill("input[name=token-name]", "CRM <b>отдела</b>")
    await expect(make).to_be_disabled()
    await page.check("input[value='system:read']")
    await page.select_option("select[name=days]", "30")
    await make.click()
    secret = await page.locator(".secret").inner_text()
    machine = await desk.house.browser(token=secret)
    assert (await machine.ask("GET", "/channels")).status == 200
    assert (await machine.ask("GET", "/users")).status == 403
    await page.keyboard.press("Escape")
    row = page.locator("tbody tr")
    await expect(row).to_contain_text("CRM <b>отдела</b>")
    await expect(row).to_contain_text("каналы и система: читать")
    await expect(row).to_contain_text("Anna")
    await page.reload()
    await expect(row).to_have_count(1)
    assert secret not in await page.content(), "shown once"
    await page.get_by_role("button", name="Отозвать: CRM").click()
    await page.get_by_role("dialog").get_by_role("button", name="Отозвать").click()
    await expect(page.get_by_text("Ключей нет")).to_be_visible()
    assert (await machine.ask("GET", "/channels")).status == 401


async def test_ones_own_stand_in_the_profile(desk: Desk, open_page: Open) -> None:
    await desk.house.add("boris", support="operator")
    watched = await open_page()
    await desk.sign_in(watched, "boris")
    page = watched.page
    await page.goto(f"{desk.url}/profile")
    await page.get_by_role("button", name="Новый ключ").click()
    await page.fill("input[name=token-name]", "скрипт")
    await page.check("input[value='tickets:read']")
    await page.get_by_role("button", name="Создать ключ").click()
    await expect(page.locator(".secret")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("row", name="скрипт Boris")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_it_stands_well(desk: Desk, open_page: Open, width: int, theme: str) -> None:
    await desk.house.add("anna", "admin")
    machine = await desk.house.browser("anna")
    await machine.ask("POST", "/tokens", {"name": "CRM", "scopes": ["clients:read", "tickets:write"], "days": 30})
    watched = await open_page(bypass_csp=True, color_scheme=theme, viewport={"width": width, "height": 800})
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/tokens")
    await page.wait_for_selector(".card table")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await findings(page) == []
    await page.get_by_role("button", name="Новый ключ").click()
    await page.wait_for_selector("input[name=token-name]")
    assert await findings(page) == []
