"""The search in the console, and the way from a find to its place; mentions, from the note to the inbox and back."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings
from tests.gateway.api.house import Browser

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def indexed(desk: Desk) -> None:
    """Returns when everything that was written can be found."""
    await desk.house.quiet()
    indexer = desk.house.gateway.indexer
    async with asyncio.timeout(20):
        while not indexer.idle:
            await asyncio.sleep(0.02)


async def two_people(desk: Desk) -> Browser:
    """Two operators of a line, a client whose session the first one has."""
    for name in ("anna", "boris"):
        await desk.house.add(name, support="operator")
    await desk.house.client("человек")
    machine = await desk.house.browser("anna")
    assert (await machine.ask("POST", "/conversations/1/take", {"epoch": 1})).status == 200
    return machine


async def opened(desk: Desk, open_page: Open, path: str, name: str = "anna") -> Page:
    watched = await open_page(bypass_csp=True)
    await desk.sign_in(watched, name)
    await watched.page.goto(f"{desk.url}/{path}")
    return watched.page


async def test_a_message_is_found_and_leads_to_its_place(desk: Desk, open_page: Open) -> None:
    """By keys alone, although the place is far above the end of a long talk."""
    await two_people(desk)
    await desk.house.client("Мои <b>заказы</b> до сих пор не приехали")
    for n in range(130):
        await desk.house.client(f"ещё {n}")
    await indexed(desk)
    page = await opened(desk, open_page, "search")
    await expect(page.locator("input[name=q]")).to_be_focused()
    await page.keyboard.type("заказов")
    await expect(page.locator("mark")).to_have_text(["заказы"])
    await expect(page.locator(".finds")).to_contain_text("Мои <b>заказы</b> до сих пор не приехали")
    assert await findings(page) == []
    await expect(page).to_have_url(re.compile(r"/search\?q="))
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/work/1\?view=all&seq=\d+$"))
    seq = page.url.rpartition("=")[2]
    place = page.locator(f'.bubble[data-seq="{seq}"]')
    await expect(place).to_contain_text("заказы")
    await expect(place).to_be_in_viewport()
    await page.go_back()
    await expect(page.locator("mark")).to_have_text(["заказы"])


async def test_what_is_found_is_narrowed_and_the_address_keeps_it(desk: Desk, open_page: Open) -> None:
    machine = await two_people(desk)
    await desk.house.client("термос протекает")
    await machine.ask("POST", "/conversations/1/note", {"text": "термос из той же партии"})
    await machine.ask("POST", "/conversations/1/tickets", {"desk": "general", "title": "Замена термоса"})
    await indexed(desk)
    page = await opened(desk, open_page, "search?q=термос")
    await expect(page.locator("[data-find]")).to_have_count(3)
    await page.get_by_role("button", name="Заметки").click()
    await expect(page.locator("[data-find]")).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"kind=note"))
    await page.reload()
    await expect(page.locator("[data-find]")).to_have_count(1)
    await expect(page.get_by_role("button", name="Заметки")).to_have_attribute("aria-pressed", "true")
    await page.locator("[data-find]").click()
    note = page.locator(".private[data-note]")
    await expect(note).to_contain_text("из той же партии")
    await expect(note).to_be_in_viewport()
    await page.goto(f"{desk.url}/search?q=термос&kind=ticket")
    await page.locator("[data-find]").click()
    await expect(page).to_have_url(re.compile(r"/tickets/1$"))
    await page.goto(f"{desk.url}/search?q=термос&to=2001-01-01")
    await expect(page.get_by_text("Ничего не нашлось")).to_be_visible()
    await page.get_by_role("button", name="Сбросить").click()
    await expect(page.locator("[data-find]")).to_have_count(3)


async def test_what_is_written_now_is_found_without_another_question(desk: Desk, open_page: Open) -> None:
    """The answer says that the index still catches up: the page asks again by itself."""
    await two_people(desk)
    indexer = desk.house.gateway.indexer
    page = await opened(desk, open_page, "search")
    answers = []

    async def behind(route: Route) -> None:
        answers.append(route)
        if len(answers) == 1:
            return await route.fulfill(json={"items": [], "next": None, "behind": True})
        return await route.continue_()

    await page.route("**/api/v1/search?*", behind)
    await desk.house.client("самовар")
    await indexed(desk)
    assert indexer.idle
    await expect(page.locator("input[name=q]")).to_be_focused()
    await page.keyboard.type("самовар")
    await expect(page.locator("mark")).to_have_text(["самовар"])
    assert len(answers) >= 2


# --- mentions --------------------------------------------------------------------------------------------------------


async def test_a_colleague_is_called_and_finds_the_note(desk: Desk, open_page: Open) -> None:
    await two_people(desk)
    page = await opened(desk, open_page, "work/1?view=all")
    other = await opened(desk, open_page, "tickets", "boris")
    badge = other.locator(".badge")
    await expect(other.locator("nav.rail")).to_be_visible()
    await expect(badge).to_have_count(0)
    await expect(page.locator(".composer")).to_be_visible()
    await page.keyboard.press("KeyW")
    await page.keyboard.type("глянь, @bo")
    await expect(page.get_by_role("listbox", name="Кого позвать")).to_contain_text("@boris")
    assert await findings(page) == []
    await page.keyboard.press("Enter")
    await expect(page.locator("textarea[name=note]")).to_have_value("глянь, @boris ")
    await page.keyboard.type("это по твоей части")
    await page.keyboard.press("Control+Enter")
    await expect(badge).to_contain_text("1")
    await page.keyboard.type("и ещё @")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("listbox", name="Кого позвать")).to_have_count(0)
    await page.keyboard.type("boris раз")
    await page.keyboard.press("Control+Enter")
    await expect(badge).to_contain_text("2")
    await other.get_by_role("link", name=re.compile("^Упоминания")).click()
    await expect(other.locator("[data-find]")).to_have_count(2)
    assert await findings(other) == []
    await other.keyboard.press("KeyJ")
    await other.keyboard.press("KeyJ")
    await other.keyboard.press("Enter")
    await expect(other.locator(".private[data-note]").first).to_contain_text("по твоей части")
    await expect(other).to_have_url(re.compile(r"/work/1\?view=all&note=\d+$"))
    await expect(badge).to_contain_text("1")  # the newer one is as unread as it was
    await other.goto(f"{desk.url}/mentions")
    await expect(other.locator("[data-find]")).to_have_count(1)
    await other.get_by_role("button", name="Прочитать все").click()
    await expect(other.get_by_text("Всё прочитано")).to_be_visible()
    await expect(badge).to_have_count(0)
    await other.get_by_role("button", name="Все", exact=True).click()
    await expect(other.locator("[data-find]")).to_have_count(2)
