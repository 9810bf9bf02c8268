"""Sound, notifications and counts: who is told of what on this device, what stays quiet, and the edge of the pages."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, expect

from core.events import Message
from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings
from tests.gateway.api.house import Browser
from tests.gateway.house import inbound

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
WORDS = "у меня секретное дело"
# Notifications and sounds are written down, and the window is looked at or not as the test says: a page without a window
# cannot be put behind another.
WATCH = """
window.told = []; window.played = []; window.lookedAt = true;
window.Notification = class { constructor(title, more) { window.told.push({title, ...more}); } close() {}
  static permission = "granted"; static async requestPermission() { return "granted"; } };
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  return play.call(this).then((it) => { window.played.push(this.src); return it; });
};
document.hasFocus = () => window.lookedAt;
"""


async def at_work(desk: Desk, open_page: Open, where: str = "work", **choices: Any) -> Page:
    """Anna, with choices of this device, and what she is told of written down."""
    watched = await open_page(permissions=["notifications"])
    await watched.page.context.add_init_script(WATCH)
    if choices:
        await watched.page.context.add_init_script(f"localStorage.setItem('alerts', {json.dumps(json.dumps(choices))})")
    await desk.sign_in(watched, "anna")
    await open_watching(watched.page, f"{desk.url}/{where}")
    return watched.page


async def open_watching(page: Page, url: str) -> None:
    """Opens a page, and waits until it has had its first look: only what comes after that is news."""
    async with page.expect_response(lambda it: it.url.endswith("/conversations?view=mine&sort=due&limit=200")):
        await page.goto(url)
    await page.wait_for_load_state("networkidle")


async def behind(page: Page) -> None:
    await page.mouse.click(1, 1)  # somebody has been here: the page may be heard
    await page.evaluate("window.lookedAt = false")


async def until(page: Page, holds: str) -> None:
    """Waits for it; Playwright's own way of doing so is forbidden by the policy of the page."""
    async with asyncio.timeout(20):
        while not await page.evaluate(holds):
            await asyncio.sleep(0.05)


async def told(page: Page, count: int) -> list[dict[str, Any]]:
    """What notifications said, once there are so many."""
    await until(page, f"window.told.length >= {count}")
    found: list[dict[str, Any]] = await page.evaluate("window.told")
    assert len(found) == count, found
    return found


async def says(desk: Desk, text: str, chat: str = "1") -> None:
    desk.house.said += 1
    event = inbound(desk.house.said, Message(text), chat, desk.house.clock.moment())
    await desk.house.gateway.intake.accept([msgspec.structs.replace(event, sender_name="Мария Орлова")])
    await desk.house.quiet()


async def online(desk: Desk, name: str) -> Browser:
    browser = await desk.house.browser(name)
    assert (await browser.ask("PUT", "/me/presence", {"state": "online"})).status == 200
    return browser


async def test_a_new_session_and_a_message_are_told_without_the_clients_words(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    page = await at_work(desk, open_page, notify=True)
    await behind(page)
    await online(desk, "anna")
    await says(desk, "человек")
    (offer,) = await told(page, 1)
    assert (offer["title"], offer["body"]) == ("Новое обращение", "Откройте консоль, чтобы прочитать")
    await says(desk, WORDS)
    _, message = await told(page, 2)
    assert message["title"] == "Новое сообщение клиента"
    assert WORDS not in json.dumps(message, ensure_ascii=False)
    assert "Мария" not in json.dumps(message, ensure_ascii=False)
    await until(page, "window.played.length >= 2")
    assert all(src.startswith("blob:") for src in await page.evaluate("window.played"))
    await expect(page).to_have_title("(1) Работа · frontline")
    await until(page, "document.querySelector('link[rel=icon]').href.startsWith('data:image/png')")


async def test_with_the_clients_words_where_that_was_chosen(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    anna = await online(desk, "anna")
    await says(desk, "человек")
    await anna.ask("POST", "/conversations/1/take", {"epoch": 1})
    page = await at_work(desk, open_page, notify=True, words=True, offer=False)
    await expect(page.locator(".list [role=option]")).to_have_count(1)
    await behind(page)
    await says(desk, WORDS)
    (message,) = await told(page, 1)
    assert (message["title"], message["body"]) == ("Новое сообщение клиента: Мария Орлова", WORDS)


async def test_quiet_while_it_is_looked_at_and_about_what_is_switched_off(desk: Desk, open_page: Open) -> None:
    """The mention comes last and is told; nothing before it was."""
    await desk.house.add("anna", support="operator")
    await desk.house.add("olga", "supervisor", support="supervisor")
    page = await at_work(desk, open_page, notify=True, message=False)
    await online(desk, "anna")
    await says(desk, "человек")
    await expect(page.locator(".list [role=option]")).to_have_count(1)  # given to her while she looks
    await expect(page).to_have_title("(1) Работа · frontline")
    await behind(page)
    await says(desk, WORDS)
    await expect(page.locator(".list .count")).to_have_text("2")
    olga = await desk.house.browser("olga")
    assert (await olga.ask("POST", "/conversations/1/note", {"text": "@anna глянь"})).status == 200
    (mention,) = await told(page, 1)
    assert mention["title"] == "Вас упомянули"
    await expect(page).to_have_title("(2) Работа · frontline")


async def test_two_windows_tell_once(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    page = await at_work(desk, open_page, notify=True)
    other = await page.context.new_page()
    await open_watching(other, f"{desk.url}/work")
    for one in (page, other):
        await one.evaluate("window.lookedAt = false")
    await online(desk, "anna")
    await says(desk, "человек")
    for one in (page, other):
        await expect(one.locator(".list [role=option]")).to_have_count(1)
        await expect(one).to_have_title("(1) Работа · frontline")
    await until(page, "Object.keys(localStorage).some((it) => it.startsWith('alerts.told.offer'))")
    await says(desk, WORDS)
    await until(page, "Object.keys(localStorage).some((it) => it.startsWith('alerts.told.message'))")
    counts = [len(await one.evaluate("window.told")) for one in (page, other)]
    assert sum(counts) == 2


async def test_choices_are_tried_and_kept_on_the_device(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    page = await at_work(desk, open_page, "profile")
    await page.get_by_role("button", name="Проверить звук").click()
    await until(page, "window.played.length === 1")
    await page.get_by_role("button", name="Проверить уведомление").click()
    (sample,) = await told(page, 1)
    assert "Мария" not in sample["title"]
    await page.get_by_label("Показывать в уведомлении имя клиента и его слова").check()
    await page.get_by_role("button", name="Проверить уведомление").click()
    assert "Мария Орлова" in (await told(page, 2))[1]["title"]
    await page.get_by_label("Меня упомянули в заметке").uncheck()
    await page.get_by_label("Уведомления системы").check()
    await page.reload()
    await expect(page.get_by_label("Меня упомянули в заметке")).not_to_be_checked()
    await expect(page.get_by_label("Уведомления системы")).to_be_checked()
    await expect(page.get_by_label("Показывать в уведомлении имя клиента и его слова")).to_be_checked()


async def test_a_browser_that_forbids_it_is_said_so(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    watched = await open_page(bypass_csp=True)
    await watched.page.context.add_init_script("window.Notification = class { static permission = 'denied' }")
    await desk.sign_in(watched, "anna")
    await watched.page.goto(f"{desk.url}/profile")
    await expect(watched.page.get_by_text("Браузер запретил уведомления")).to_be_visible()
    await expect(watched.page.get_by_role("button", name="Проверить уведомление")).to_be_disabled()
    assert await findings(watched.page) == []


# --- the edge of the pages ---------------------------------------------------------------------------------------------

PLACES = ("work", "tickets", "clients", "search", "mentions", "lines", "reports", "profile", "users", "audit")


async def test_every_page_fits_a_phone(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "admin", support="supervisor")
    await says(desk, "человек")
    watched = await open_page(viewport={"width": 390, "height": 844}, has_touch=True, bypass_csp=True)
    await desk.sign_in(watched, "anna")
    page = watched.page
    wide = []
    for name in PLACES:
        await page.goto(f"{desk.url}/{name}")
        await page.wait_for_selector("h1", state="attached")
        if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wide.append(name)
    assert wide == []
    await page.get_by_role("button", name="Меню").click()
    menu = page.get_by_role("dialog")
    await expect(menu.locator("select[name=presence]")).to_be_visible()
    assert await findings(page) == []
    await menu.get_by_role("link", name="Журнал").click()
    await expect(menu).to_have_count(0)
    await expect(page.locator("h1")).to_have_text("Журнал")


async def test_the_edge_can_be_narrow_and_says_the_same(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "admin", support="supervisor")
    await says(desk, "человек")
    watched = await open_page(bypass_csp=True)
    await desk.sign_in(watched, "anna")
    page = watched.page
    await expect(page.get_by_role("link", name="Работа В очереди: 1")).to_be_visible()
    await page.get_by_role("button", name="Свернуть меню").click()
    assert await page.evaluate("document.querySelector('nav.rail').offsetWidth") <= 64
    await page.reload()
    await expect(page.get_by_role("link", name="Журнал")).to_be_visible()
    assert await page.evaluate("document.querySelector('nav.rail').offsetWidth") <= 64
    assert await findings(page) == []
    await page.get_by_role("button", name="Тёмная тема").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("link", name="Audit")).to_be_visible()


async def test_the_keyboard_comes_to_the_content_first(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/profile")
    await expect(page.locator("h1")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="К содержимому")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()


async def test_who_lost_the_connection_hears_what_comes_of_it(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await expect(page.get_by_text("Новые обращения не назначаются")).to_be_visible()
    await page.select_option("select[name=presence]", "online")
    await expect(page.get_by_text("Новые обращения не назначаются")).to_have_count(0)
    async with desk.away():
        await expect(page.locator(".presence [role=status]")).to_contain_text("вы станете «Отошёл»")
        await expect(page.locator(".offline-banner")).to_be_visible()
    await expect(page.locator(".presence [role=status]")).to_have_count(0, timeout=20_000)
