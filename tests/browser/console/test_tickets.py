"""Tickets in the console: found, moved, commented for the client, noted for colleagues."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from core.files import StoredFile
from tests.adapters.web.pictures import png
from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def ticketed(desk: Desk, open_page: Open) -> Page:
    """An operator whose client has a ticket, before the list."""
    await desk.house.add("anna", support="operator")
    await desk.house.client("человек", chat="1")
    machine = await desk.house.browser("anna")
    made = await machine.ask("POST", "/conversations/1/tickets", {"desk": "general", "title": "Треснула <i>крышка</i>"})
    assert made.status == 201, made.body
    watched = await open_page(bypass_csp=True)
    await desk.sign_in(watched, "anna")
    await watched.page.goto(f"{desk.url}/tickets")
    return watched.page


async def test_a_ticket_is_found_and_solved(desk: Desk, open_page: Open) -> None:
    page = await ticketed(desk, open_page)
    await expect(page.get_by_role("row", name="Треснула <i>крышка</i>")).to_be_visible()
    assert await findings(page) == []
    await page.select_option("select[name=group]", "done")
    await expect(page.get_by_text("Таких заявок нет")).to_be_visible()
    await page.select_option("select[name=group]", "open")
    await page.get_by_role("link", name="1", exact=True).click()
    await expect(page).to_have_url(re.compile(r"/tickets/1$"))
    done = await page.locator("select[name=status] option").last.get_attribute("value")
    async with page.expect_response(lambda answer: answer.request.method == "PATCH") as changed:
        await page.select_option("select[name=status]", done)
    assert (await changed.value).status == 200
    ticket = await desk.house.store.ticket(1)
    assert ticket is not None
    assert ticket.status == done
    assert await findings(page) == []


async def test_a_comment_reaches_the_client_and_a_note_does_not(desk: Desk, open_page: Open) -> None:
    page = await ticketed(desk, open_page)
    await page.goto(f"{desk.url}/tickets/1")
    await page.fill("textarea[name=comment]", "Новая крышка уже едет")
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.locator(".said").first).to_contain_text("Новая крышка уже едет")
    await page.fill("textarea[name=ticket-note]", "опять та же партия")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".private .said")).to_contain_text("опять та же партия")
    await desk.house.quiet()
    said = " ".join(desk.house.channel.texts)
    assert "Новая крышка уже едет" in said
    assert "партия" not in said


async def test_a_picture_of_a_ticket_is_seen(desk: Desk, open_page: Open) -> None:
    page = await ticketed(desk, open_page)
    house, picture = desk.house, png(900, 30)
    assert house.gateway.floor.files is not None
    await house.store.add_file(StoredFile("p1", 1, "крышка.png", "image/png", len(picture)))
    await house.store.store_file("p1", await house.gateway.floor.files.keep(picture), len(picture), "image/png")
    machine = await house.browser("anna")
    seen = (await machine.ask("GET", "/tickets/1")).body
    answer = await machine.ask("PATCH", "/tickets/1", {"version": seen["version"], "files": ["p1"]})
    assert answer.status == 200, answer.body
    await page.goto(f"{desk.url}/tickets/1")
    shown = page.get_by_role("img", name="крышка.png")
    await expect(shown).to_have_js_property("naturalWidth", 480)  # the small one, of 900
    async with page.context.expect_page() as opened:
        await shown.click()
    whole = await page.request.get((await opened.value).url)
    assert await whole.body() == picture
