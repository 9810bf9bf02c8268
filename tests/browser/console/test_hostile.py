"""What clients say, are called and send is data on every page: nothing runs, and no policy is even tried."""

from __future__ import annotations

import msgspec
import pytest
from playwright.async_api import Page, expect

from core.events import Message
from core.messages import Attachment
from tests.browser.console.conftest import Desk, Open
from tests.browser.console.hostile import CORPUS
from tests.gateway.house import inbound

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


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
    for place in ("tickets", "lines", "reports", "audit"):
        await page.goto(f"{desk.url}/{place}")
        await page.wait_for_selector("h1")
        await harmless(page)
