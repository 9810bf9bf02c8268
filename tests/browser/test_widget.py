"""The widget on a foreign page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import BrowserContext, expect

from adapters.web.settings import Settings
from core.messages import Outgoing
from core.rich import plain
from tests.adapters.web.house import settings
from tests.browser.conftest import Server, Watched

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
STRICT = "default-src 'self'; script-src {host}; style-src 'self'; frame-src {host}"


class Site:
    """Somebody's shop on another origin, with the one line in its page."""

    def __init__(self) -> None:
        self.chat = ""
        self.url = ""

    async def page(self, request: web.Request) -> web.Response:
        """The shop's page, under a strict policy of its own."""
        body = f"""<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>
            <script src="{self.chat}/widget.js" data-channel="site" async></script></html>"""
        headers = {"Content-Security-Policy": STRICT.format(host=self.chat)}
        return web.Response(text=body, content_type="text/html", headers=headers)


async def nothing(request: web.Request) -> web.Response:
    """No icon."""
    return web.Response(status=204)


@asynccontextmanager
async def opened() -> AsyncIterator[Site]:
    """A shop that listens on `localhost`: another site than the chat's 127.0.0.1."""
    site = Site()
    app = web.Application()
    app.router.add_get("/", site.page)
    app.router.add_get("/favicon.ico", nothing)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0).start()
    site.url = f"http://localhost:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def shop() -> AsyncIterator[Site]:
    """The shop that the chat knows."""
    async with opened() as site:
        yield site


@pytest.fixture
def chat_settings(shop: Site) -> Settings:
    """The chat lets the shop embed it."""
    return settings(origins=(shop.url,))


@pytest_asyncio.fixture(loop_scope="session")
async def visit(shop: Site, server: Server, context: BrowserContext) -> Watched:
    """The shop's page with the bubble."""
    shop.chat = server.origin
    watched = Watched(await context.new_page())
    await watched.page.goto(shop.url)
    await expect(watched.page.get_by_role("button", name="Open the chat")).to_be_visible()
    return watched


async def test_the_bubble_opens_the_chat(visit: Watched) -> None:
    await visit.page.get_by_role("button", name="Open the chat").click()
    frame = visit.page.frame_locator("iframe")
    await frame.locator("#text").fill("hi from the shop")
    await frame.locator("#send").click()
    await expect(frame.locator("#list .text")).to_have_text(["Hello!", "hi from the shop", "Echo: hi from the shop"])
    await frame.get_by_role("button", name="Close").click()
    await expect(visit.page.locator("iframe")).to_be_hidden()
    assert visit.troubles == []


async def test_unread_answers_are_counted_on_the_bubble(visit: Watched, server: Server) -> None:
    await visit.page.get_by_role("button", name="Open the chat").click()
    frame = visit.page.frame_locator("iframe")
    await expect(frame.locator("#list .text")).to_have_text(["Hello!"])
    await visit.page.get_by_role("button", name="Close the chat").click()
    await server.house.say(server.visitor, Outgoing(plain("news")), Outgoing(plain("more news")))
    await expect(visit.page.get_by_role("button", name="Open the chat. Unread messages: 2")).to_be_visible()
    await visit.page.reload()
    await visit.page.get_by_role("button", name="Open the chat. Unread messages: 2").click()
    await expect(visit.page.frame_locator("iframe").locator("#list .text")).to_have_text(
        ["Hello!", "news", "more news"]
    )
    await visit.page.get_by_role("button", name="Close the chat").click()
    await expect(visit.page.get_by_role("button", name="Open the chat", exact=True)).to_be_visible()


async def test_a_site_that_is_not_listed_cannot_embed(server: Server, context: BrowserContext) -> None:
    page = await context.new_page()
    async with opened() as thief:
        thief.chat = server.origin
        await page.goto(thief.url)
        async with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            await page.get_by_role("button", name="Open the chat").click()
        await page.close()
    assert server.house.accepted == []


async def test_nothing_happens_twice(visit: Watched, server: Server) -> None:
    await visit.page.evaluate(
        """src => new Promise(done => {
        const script = document.createElement('script');
        Object.assign(script, {src, onload: done});
        script.dataset.channel = 'site';
        document.head.append(script);
    })""",
        f"{server.origin}/widget.js",
    )
    await expect(visit.page.locator("#frontline-chat")).to_have_count(1)
