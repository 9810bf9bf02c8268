"""The command bar, by keys alone: in both languages and layouts, with what the server allows."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def opened(desk: Desk, open_page: Open, path: str, name: str = "anna") -> Page:
    watched = await open_page(bypass_csp=True)
    await desk.sign_in(watched, name)
    await watched.page.goto(f"{desk.url}/{path}")
    await expect(watched.page.locator("nav.rail")).to_be_visible()
    return watched.page


async def command(page: Page, words: str, first: str) -> None:
    """Opens the bar, types, sees what would be done, and does it."""
    await page.keyboard.press("Control+KeyK")
    await expect(page.locator(".bar input")).to_be_focused()
    await page.keyboard.type(words)
    await expect(page.locator('.bar [aria-selected="true"] .title')).to_have_text(first)
    await page.keyboard.press("Enter")
    await expect(page.locator(".bar")).to_have_count(0)


async def test_a_session_is_taken_and_left_by_commands(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await desk.house.client("человек")
    page = await opened(desk, open_page, "work/1?view=all")
    await expect(page.locator(".acts")).to_contain_text("Взять")
    await command(page, "взя", "Взять")
    await expect(page.locator(".acts")).to_contain_text("Передать")
    await command(page, "gbcfnm pf", "Писать заметку")  # «писать за» on the Latin layout
    await expect(page.locator("textarea[name=note]")).to_be_focused()
    await page.keyboard.type("не моё")
    await page.keyboard.press("Control+KeyK")  # also while one writes
    await expect(page.locator(".bar input")).to_be_focused()
    assert await findings(page) == []
    await page.keyboard.type("взять")  # what the server does not offer any more is no command
    await expect(page.locator(".bar .title").first).to_have_text("Взять следующее из очереди")
    await page.keyboard.press("Escape")
    await expect(page.locator("textarea[name=note]")).to_be_focused()
    await expect(page.locator("textarea[name=note]")).to_have_value("не моё")
    await command(page, "to the q", "В очередь")  # by its name in the other language
    await expect(page.locator(".acts")).to_contain_text("Взять")
    stored = await desk.house.store.conversation(1)
    assert stored is not None
    assert stored.session.status == "queued"


async def test_places_are_reached_and_only_those_that_one_may_see(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await desk.house.client("человек")
    machine = await desk.house.browser("anna")
    await machine.ask("POST", "/conversations/1/tickets", {"desk": "general", "title": "Треснула крышка"})
    page = await opened(desk, open_page, "work")
    await command(page, "pfzdrb", "Заявки")
    await expect(page).to_have_url(re.compile(r"/tickets$"))
    await page.keyboard.press("Control+KeyK")
    await page.keyboard.type("№1")
    await expect(page.locator('.bar [aria-selected="true"]')).to_contain_text("Треснула крышка")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/tickets/1$"))
    await page.keyboard.press("Control+KeyK")
    await page.keyboard.type("rkbtyn")  # «клиент» on the Latin layout: a page, and the client of that name
    await expect(page.locator(".bar .title").first).to_have_text("Клиенты")
    await expect(page.locator("[data-command='client:1']")).to_be_visible()
    names = await page.locator(".bar .command").evaluate_all("all => all.map(one => one.dataset.command)")
    for _ in range(names.index("client:1")):
        await page.keyboard.press("ArrowDown")
    await expect(page.locator("[data-command='client:1']")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/clients/1$"))
    await command(page, "список очер", "Список: Очередь")
    await expect(page).to_have_url(re.compile(r"/work\?view=queue$"))
    await page.keyboard.press("Control+KeyK")
    await page.keyboard.type("учётные")
    await expect(page.locator(".bar .title")).to_have_text(["Искать везде: «учётные»"])  # accounts are for admins
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/search\?q="))


async def test_the_key_is_found_by_its_place(desk: Desk, open_page: Open) -> None:
    """In the Russian layout the key says «л»; the browser's own meaning of it must not come through."""
    await desk.house.add("anna", support="operator")
    page = await opened(desk, open_page, "tickets")
    await expect(page.locator("h1")).to_be_visible()
    prevented = """() => {
        const event = new KeyboardEvent("keydown", {code: "KeyK", key: "л", ctrlKey: true, bubbles: true, cancelable: true});
        return !document.body.dispatchEvent(event);
    }"""
    assert await page.evaluate(prevented)
    await expect(page.locator(".bar input")).to_be_focused()
    await page.keyboard.press("ArrowUp")  # round the end
    await expect(page.locator('.bar [aria-selected="true"] .title')).to_have_text("Выйти")
    await page.keyboard.press("Control+KeyK")
    await expect(page.locator(".bar")).to_have_count(0)


async def test_theme_language_and_presence(desk: Desk, open_page: Open) -> None:
    user = await desk.house.add("anna", support="operator")
    page = await opened(desk, open_page, "tickets")
    await command(page, "тема тёмн", "Тема: тёмная")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    async with page.expect_response(
        lambda answer: answer.url.endswith("/me/presence") and answer.request.method == "PUT"
    ):
        await command(page, "занят", "Присутствие: Занят")
    machine = await desk.house.browser("anna")
    assert (await machine.ask("GET", "/me/presence")).body["said"] == "busy"
    await command(page, "english", "Язык: English")
    await expect(page.locator("h1")).to_have_text("Tickets")
    kept = await desk.house.accounts.user(user.id)
    assert kept is not None
    assert (kept.language, kept.theme) == ("en", "dark")
    assert await findings(page) == []
