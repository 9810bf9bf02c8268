"""Signing in, one's own account, accounts of others and the audit, as people use them."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.async_api import expect

from core.access import Role
from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings
from tests.gateway.api.house import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_deep_link_leads_to_the_page_after_signing_in(desk: Desk, open_page: Open) -> None:
    await desk.house.add("root", "admin")
    page = (await open_page()).page
    await page.goto(f"{desk.url}/users")
    await page.fill("input[name=name]", "root")
    await page.fill("input[name=password]", "not this one")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Имя или пароль неверны")
    await expect(page.locator("input[name=password]")).to_be_focused()
    await page.fill("input[name=password]", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Учётные записи")
    assert page.url.endswith("/console/users")


async def test_a_new_account_gets_a_password_that_works(desk: Desk, open_page: Open) -> None:
    await desk.house.add("root", "admin")
    watched = await open_page()
    await desk.sign_in(watched, "root")
    page = watched.page
    await page.goto(f"{desk.url}/users")
    await page.get_by_role("button", name="Новая учётная запись").click()
    await page.fill("input[name=user-name]", "Имя с пробелом")
    await page.get_by_role("button", name="Добавить").click()
    await expect(page.locator("input[name=user-name]")).to_have_attribute("aria-invalid", "true")
    await page.fill("input[name=user-name]", "maria")
    await page.fill("input[name=user-title]", "Мария <b>К.</b>")
    await expect(page.get_by_label("Поддержка").locator("option")).to_have_text(
        ["не работает в ней", "Оператор", "Старший"]
    )
    await page.get_by_label("Поддержка").select_option("supervisor")
    await page.get_by_label("Расчёты").select_option("operator")
    await page.get_by_role("button", name="Добавить").click()
    password = await page.locator(".password").inner_text()
    await page.keyboard.press("Escape")
    row = page.get_by_role("row", name="Мария <b>К.</b> maria")
    await expect(row).to_contain_text("Поддержка (старший)")
    await expect(row).to_contain_text("Расчёты")
    await page.goto(f"{desk.url}/audit?action=user_added")
    told = page.get_by_role("row", name="maria").first
    await expect(told).to_contain_text("Мария <b>К.</b> user:")
    await expect(told).to_contain_text("линии: Поддержка (старший), Расчёты (оператор)")
    other = await open_page()
    await other.page.goto(f"{desk.url}/sign-in")
    await other.page.fill("input[name=name]", "maria")
    await other.page.fill("input[name=password]", password)
    await other.page.keyboard.press("Enter")
    await expect(other.page.locator("nav .me")).to_contain_text("Мария <b>К.</b>")


async def test_language_and_theme_stay(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/profile")
    await page.select_option("select[name=language]", "en")
    await expect(page.locator("h1")).to_have_text("Profile")
    await page.select_option("select[name=theme]", "dark")
    await expect(page.locator("html[data-theme=dark]")).to_have_count(1)
    await page.reload()
    await expect(page.locator("h1")).to_have_text("Profile")
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert await page.evaluate("document.documentElement.lang") == "en"


async def test_a_second_factor_is_set_up_and_asked_for(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/profile")
    await page.fill("input[name=totp-password]", PASSWORD)
    await page.keyboard.press("Enter")
    secret = await page.locator(".card code").inner_text()
    await expect(page.locator("img.qr")).to_be_visible()
    clock = desk.house.clock
    await page.fill("input[name=first-code]", pyotp.TOTP(secret).at(int(clock.at)))
    await page.keyboard.press("Enter")
    codes = (await page.locator(".codes").inner_text()).split()
    assert len(codes) >= 8
    await page.get_by_role("button", name="Выйти").click()
    await page.fill("input[name=name]", "anna")
    await page.fill("input[name=password]", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("input[name=code]")).to_be_focused()
    clock.at += 60
    await page.fill("input[name=code]", pyotp.TOTP(secret).at(int(clock.at)))
    await page.keyboard.press("Enter")
    await expect(page.locator("nav.rail")).to_be_visible()


async def test_other_devices_are_signed_out(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    first, second = await open_page(), await open_page()
    for watched in (first, second):
        await desk.sign_in(watched, "anna")
    await first.page.goto(f"{desk.url}/profile")
    await first.page.get_by_role("button", name="Завершить остальные").click()
    await expect(first.page.get_by_text("это устройство")).to_be_visible()
    await second.page.goto(f"{desk.url}/profile")
    await expect(second.page).to_have_url(re.compile(r"/sign-in"))


async def test_who_may_not_see_accounts_is_not_shown_them(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    await expect(watched.page.locator("nav").get_by_text("Журнал")).to_have_count(0)
    await watched.page.goto(f"{desk.url}/audit")
    await expect(watched.page.locator("h1")).to_have_text("Здесь ничего нет")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("path", "role"), [("profile", "operator"), ("users", "admin"), ("audit", "admin")])
async def test_axe_finds_nothing(desk: Desk, open_page: Open, path: str, role: Role, theme: str) -> None:
    await desk.house.add("anna", role)
    watched = await open_page(color_scheme=theme, bypass_csp=True)  # axe is put into the page by the test
    await watched.page.goto(f"{desk.url}/{path}")
    await watched.page.wait_for_selector("h1")
    assert await findings(watched.page) == []
    await desk.sign_in(watched, "anna")
    await watched.page.goto(f"{desk.url}/{path}")
    await watched.page.wait_for_selector("h1")
    assert await findings(watched.page) == []


@pytest.mark.parametrize("width", [360, 1280])
async def test_nothing_is_cut_off(desk: Desk, open_page: Open, width: int) -> None:
    await desk.house.add("anna", "admin")
    watched = await open_page(viewport={"width": width, "height": 700})
    await desk.sign_in(watched, "anna")
    for path in ("profile", "users", "audit"):
        await watched.page.goto(f"{desk.url}/{path}")
        await watched.page.wait_for_selector("h1")
        assert await watched.page.evaluate("document.documentElement.scrollWidth") <= width
