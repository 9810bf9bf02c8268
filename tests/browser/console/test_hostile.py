"""What clients say, are called and send is data on every page: nothing runs, and no policy is even tried."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from playwright.async_api import Page, expect

from core.events import Message
from core.messages import Attachment
from tests.browser.console.conftest import Desk, Open
from tests.browser.console.hostile import CORPUS
from tests.gateway.api.house import Browser
from tests.gateway.house import inbound

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PLACES = (
    *("tickets", "tickets/board", "reports/tickets?open=tickets", "flows?tab=uncaught", "lines", "reports"),
    *("audit", "channels", "hooks", "tokens", "clients", "mentions"),
)


async def harmless(page: Page) -> None:
    """Nothing ran. What a policy forbade is found when the page is closed (`open_page`)."""
    assert await page.evaluate("window.pwned ?? null") is None


async def said_by_all(desk: Desk) -> None:
    """Each string as the name of a client, as what they say, and as the name of a file."""
    for chat, hostile in enumerate(CORPUS, 1):
        desk.house.said += 1
        files = (Attachment("file", "ref", name=hostile[:60]),) if chat % 10 == 0 else ()
        event = inbound(desk.house.said, Message(hostile, files), str(chat), desk.house.clock.moment())
        await desk.house.gateway.intake.accept([msgspec.structs.replace(event, sender_name=hostile)])
    await desk.house.quiet()


async def test_there_are_two_hundred() -> None:
    assert len(set(CORPUS)) == 200


def line(hostile: str, most: int = 60) -> str:
    """As much of a string as may be a tag or a name of a card."""
    return "".join(sign for sign in hostile[:most] if sign >= " " and sign != "\x7f").strip() or "-"


async def cards_are_harmless(desk: Desk, page: Page, machine: Browser) -> None:
    """Names, tiers, tags and notes of cards; the search and its finds; commands; two cards beside each other."""
    for at in range(0, 200, 20):
        tags = [line(CORPUS[at]), line(CORPUS[at + 1])]
        card = (await machine.ask("GET", f"/clients/{at + 1}")).body
        change = {"name": line(CORPUS[at], 200), "tier": line(CORPUS[at + 2]), "tags": tags, "reason": line(CORPUS[at])}
        done = await machine.ask("PATCH", f"/clients/{at + 1}", {"version": card["version"], **change})
        assert done.status == 200, done.body
        await machine.ask("POST", f"/clients/{at + 1}/notes", {"text": CORPUS[at]})
        await machine.ask("POST", f"/conversations/{at + 1}/note", {"text": f"@anna {CORPUS[at]}"})
    for client in range(1, 200, 40):
        for tab in ("", "?tab=edits"):
            await page.goto(f"{desk.url}/clients/{client}{tab}")
            await expect(page.locator(".tags li").first).to_be_visible()
            await expect(page.locator("[role=tabpanel] .said, [role=tabpanel] td").first).to_be_visible()
            await harmless(page)
    await page.get_by_role("button", name="Объединить…").click()
    await page.fill("input[name=other]", "a")
    await page.locator(".sheet li button").last.click()
    await expect(page.locator(".sheet table")).to_be_visible()
    await harmless(page)
    async with asyncio.timeout(60):
        while not desk.house.gateway.indexer.idle:  # the search knows all of it
            await asyncio.sleep(0.05)
    for place in ("clients", "mentions", "search?q=pwned", "search?q=script"):
        await page.goto(f"{desk.url}/{place}")
        await expect(page.locator("[data-find]").first).to_be_visible()
        await harmless(page)
    await page.keyboard.press("Control+KeyK")
    await page.keyboard.type("<img src=x onerror=pwned=1>")
    await expect(page.locator(".bar .title").last).to_contain_text("<img")
    await page.fill(".bar input", "script")
    await expect(page.locator("[data-command^=client]").first).to_be_visible()
    await harmless(page)


async def test_nothing_of_it_runs(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "admin", support="supervisor")
    await said_by_all(desk)
    machine = await desk.house.browser("anna")
    for at in range(0, 200, 20):
        body = {"desk": "general", "title": CORPUS[at], "text": CORPUS[at], "fields": {CORPUS[at][:90]: CORPUS[at]}}
        made = await machine.ask("POST", f"/conversations/{at + 1}/tickets", body)
        assert made.status == 201, made.body
        await machine.ask("POST", f"/conversations/{at + 1}/note", {"text": CORPUS[at]})
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/work?view=all")
    rows = page.locator(".list .rows")
    await expect(page.locator(".list [role=option]").first).to_be_visible()
    for _ in range(20):  # the whole list, as it is scrolled
        await rows.evaluate("it => it.scrollBy(0, 800)")
        await page.wait_for_timeout(30)
    await harmless(page)
    for conversation in (*range(1, 200, 20), 10, 30, 200):
        await page.goto(f"{desk.url}/work/{conversation}?view=all")
        await expect(page.locator(".bubble.client").first).to_be_visible()
        assert CORPUS[conversation - 1] in await page.locator(".bubble.client").first.locator(".text").inner_text()
        await harmless(page)
    for number in range(1, 11):
        await page.goto(f"{desk.url}/tickets/{number}")
        await expect(page.locator("h1")).to_contain_text("№")
        await harmless(page)
    await cards_are_harmless(desk, page, machine)
    for place in PLACES:
        await page.goto(f"{desk.url}/{place}")
        await page.wait_for_selector("h1")
        await harmless(page)
