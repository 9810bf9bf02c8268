"""Outgoing webhooks in the console: how they fare, what was sent, once more from a number, on after a stop."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from gateway.hooks.deliver import Delivery
from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings
from tests.gateway.api.test_deeds import queued
from tests.gateway.hooks.test_hooks import Receiver, begun, drained, settings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    app = web.Application()
    made = Receiver(TestServer(app))
    app.router.add_post("/in", made.take)
    await made.server.start_server()
    yield made
    await made.server.close()


async def failing(desk: Desk, receiver: Receiver) -> Delivery:
    """A webhook `crm` with something to tell, whose other side has failed until it was stopped."""
    desk.house.gateway.config.webhooks["crm"] = settings(receiver, stop_after="1h")
    made = await begun(desk.house, receiver, stop_after="1h")
    await queued(desk.house)
    await drained(made)
    receiver.answers = [503] * 3
    await desk.house.client("ещё раз")
    for _ in range(3):
        await drained(made)
        desk.house.clock.at += 4000
    return made


async def test_a_stopped_webhook_goes_on(desk: Desk, open_page: Open, receiver: Receiver) -> None:
    await desk.house.add("anna", "admin")
    delivery = await failing(desk, receiver)
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/hooks")
    card = page.get_by_role("region", name=re.compile("^crm"))
    await expect(card).to_contain_text("остановлен")
    await expect(card).to_contain_text("HTTP 503")
    assert "whsec_" not in await page.content()
    await card.get_by_role("button", name="Отправки").click()
    await page.get_by_role("button", name="Неудачные").click()
    await expect(page).to_have_url(re.compile("only=failed"))
    log = page.get_by_role("region", name="Отправки crm")
    await expect(log.get_by_role("row")).to_have_count(3)  # the head and two that failed
    receiver.answers = []
    await card.get_by_role("button", name="Продолжить").click()
    await expect(card).not_to_contain_text("остановлен")
    await drained(delivery)
    await expect(card.locator("dd").first).to_have_text("0")
    await page.get_by_role("button", name="Все", exact=True).click()
    await expect(log).to_contain_text("204")


async def test_events_are_sent_again_from_one_of_them(desk: Desk, open_page: Open, receiver: Receiver) -> None:
    await desk.house.add("anna", "admin")
    delivery = await failing(desk, receiver)
    receiver.answers = []
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/hooks?open=crm")
    first = receiver.events[0]["seq"]
    count = len(receiver.calls)
    await page.get_by_role("button", name=f"Повторить отсюда № {first}").last.click()
    sheet = page.get_by_role("dialog")
    await expect(sheet.locator("input[name=seq]")).to_have_value(str(first))
    await sheet.locator("input[name=seq]").fill("0")
    await expect(sheet.get_by_role("button", name="Повторить")).to_be_disabled()
    await sheet.locator("input[name=seq]").fill(str(first))
    await sheet.get_by_role("button", name="Повторить").click()
    await expect(sheet).to_have_count(0)
    await drained(delivery)
    assert receiver.events[count]["seq"] == first
    await page.goto(f"{desk.url}/audit?action=hook_replayed")
    await expect(page.locator("tbody tr")).to_contain_text("hook:crm")


async def test_a_house_without_webhooks_says_how_to_get_one(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "admin")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    await watched.page.goto(f"{desk.url}/hooks")
    await expect(watched.page.get_by_text("Исходящих вебхуков нет")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_it_stands_well(desk: Desk, open_page: Open, receiver: Receiver, width: int, theme: str) -> None:
    await desk.house.add("anna", "admin")
    await failing(desk, receiver)
    watched = await open_page(bypass_csp=True, color_scheme=theme, viewport={"width": width, "height": 800})
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/hooks?open=crm")
    await page.wait_for_selector(".card table")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await findings(page) == []
