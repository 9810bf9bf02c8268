"""The widget on a foreign page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import BrowserContext, expect

from adapters.web.settings import Settings
from core.events import Opened
from core.messages import Button, Outgoing
from core.rich import Mark, Rich, plain
from tests.adapters.web.corpus import XSS
from tests.adapters.web.house import settings
from tests.browser.conftest import Server, Watched
from tests.browser.test_access import DARK, findings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
# The strictest policy a site can have around the chat: no inline anything, and no strings that become script.
STRICT = (
    "default-src 'none'; script-src {host}; frame-src {host}; require-trusted-types-for 'script'; trusted-types 'none'"
)


class Site:
    """Somebody's shop on another origin, with the one line in its page."""

    def __init__(self) -> None:
        self.chat = ""
        self.url = ""
        self.attributes = ""
        self.language = "en"

    async def page(self, request: web.Request) -> web.Response:
        """The shop's page, under a strict policy of its own."""
        body = f"""<!doctype html><html lang="{self.language}"><title>Shop</title><main><h1>Shop</h1></main>
            <script src="{self.chat}/widget.js" data-channel="site" {self.attributes} async></script></html>"""
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


async def dressed(shop: Site, server: Server, context: BrowserContext, attributes: str) -> Watched:
    """The shop's page with a widget of these attributes, the chat open."""
    shop.chat, shop.attributes = server.origin, attributes
    watched = Watched(await context.new_page())
    await watched.page.goto(shop.url)
    await watched.page.locator("#frontline-chat button").click()
    await watched.page.frame_locator("iframe").locator("#list .item").wait_for()
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


async def test_nothing_happens_twice(shop: Site, server: Server, context: BrowserContext) -> None:
    twice = f'></script><script src="{server.origin}/widget.js" data-channel="site"'
    visit = await dressed(shop, server, context, twice)
    await expect(visit.page.locator("#frontline-chat")).to_have_count(1)


async def test_attributes_say_how_it_looks(shop: Site, server: Server, context: BrowserContext) -> None:
    attributes = """data-position="top-left" data-offset="40 10" data-color="#ffcc00" data-theme="dark"
        data-title="Help <b>desk</b>" data-greeting="Ask <i>us</i>" data-language="ru\""""
    visit = await dressed(shop, server, context, attributes)
    frame = visit.page.frame_locator("iframe")
    await expect(frame.locator("h1")).to_have_text("Help <b>desk</b>")
    await expect(frame.locator("#greeting")).to_have_text("Ask <i>us</i>")
    await expect(frame.locator("html")).to_have_attribute("lang", "ru")
    await expect(frame.locator("#chat")).to_have_css("background-color", DARK)
    await expect(frame.locator("html")).to_have_css("--accent", "#ffcc00")
    await expect(frame.locator("html")).to_have_css("--on-accent", "#10131a")
    for side, place in (("left", "40px"), ("top", "10px")):
        await expect(visit.page.locator("#frontline-chat button")).to_have_css(side, place)
    await expect(visit.page.locator("iframe")).to_have_attribute("title", "Help <b>desk</b>")
    assert visit.troubles == []


async def test_the_chat_speaks_the_language_of_the_page_around_it(
    shop: Site, server: Server, context: BrowserContext
) -> None:
    shop.language = "ru-RU"
    visit = await dressed(shop, server, context, "")
    await expect(visit.page.locator("#frontline-chat button")).to_have_attribute("aria-label", "Закрыть чат")
    await expect(visit.page.frame_locator("iframe").locator("html")).to_have_attribute("lang", "ru")


async def test_an_open_chat_is_open_on_the_next_page_and_leaves_the_focus(visit: Watched) -> None:
    await visit.page.get_by_role("button", name="Open the chat").click()
    await visit.page.frame_locator("iframe").locator("#list .item").wait_for()
    await visit.page.reload()
    frame = visit.page.frame_locator("iframe")
    await expect(frame.locator("#list .item")).to_be_visible()
    assert await visit.page.evaluate("document.activeElement === document.body")
    await frame.locator("#text").press("Escape")
    await expect(visit.page.locator("iframe")).to_be_hidden()
    await visit.page.reload()
    await expect(visit.page.get_by_role("button", name="Open the chat")).to_be_visible()
    await expect(visit.page.locator("iframe")).to_be_hidden()


async def test_the_mark_of_a_site_is_told_once(shop: Site, server: Server, context: BrowserContext) -> None:
    visit = await dressed(shop, server, context, 'data-start="autumn-sale"')
    frame = visit.page.frame_locator("iframe")
    await expect(frame.locator("#list .text")).to_have_text(["Hello! autumn-sale"])
    await visit.page.reload()
    await expect(frame.locator("#status")).to_have_text("Online")
    await frame.locator("#text").fill("hi")
    await frame.locator("#send").click()
    await expect(frame.locator("#list .text")).to_have_text(["Hello! autumn-sale", "hi", "Echo: hi"])
    told = [inbound.event for inbound in server.house.accepted if isinstance(inbound.event, Opened)]
    assert told == [Opened("autumn-sale")]


async def test_on_a_phone_it_fills_the_screen_and_never_opens_by_itself(visit: Watched) -> None:
    await visit.page.set_viewport_size({"width": 320, "height": 568})
    await visit.page.get_by_role("button", name="Open the chat").click()
    frame = visit.page.frame_locator("iframe")
    await frame.locator("#list .item").wait_for()
    assert await visit.page.locator("iframe").bounding_box() == {"x": 0, "y": 0, "width": 320, "height": 568}
    await visit.page.reload()
    await expect(visit.page.get_by_role("button", name="Open the chat")).to_be_visible()
    await expect(visit.page.locator("iframe")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_around_and_inside(
    shop: Site, server: Server, context: BrowserContext, theme: str
) -> None:
    visit = await dressed(shop, server, context, f'data-theme="{theme}" data-color="#c2185b"')
    inside = visit.page.frames[1]
    found = [*await findings(visit.page.main_frame), *await findings(inside)]
    assert not found, "\n".join(found)


KEPT = "Object.entries(localStorage).some(([key, value]) => key.endsWith(':theme') && value === 'dark')"  # by the site


async def test_the_choice_of_dark_is_kept_though_frames_have_no_storage(visit: Watched) -> None:
    await visit.page.get_by_role("button", name="Open the chat").click()
    frame = visit.page.frame_locator("iframe")
    await frame.get_by_role("button", name="Dark appearance").click()
    await expect(frame.locator("#chat")).to_have_css("background-color", DARK)
    await visit.page.wait_for_function(KEPT)
    await visit.page.reload()
    await expect(frame.locator("#chat")).to_have_css("background-color", DARK)


BUSY = """
  const held = [];
  const hold = (event) => (event.stopImmediatePropagation(), held.push(event));
  if (window === top) addEventListener("message", hold);
  window.recover = () => {
    removeEventListener("message", hold);
    for (const { data, origin, source } of held) dispatchEvent(new MessageEvent("message", { data, origin, source }));
  };
"""


async def test_a_choice_counts_though_the_page_around_is_still_busy(
    shop: Site, server: Server, context: BrowserContext
) -> None:
    """It says three seconds later what it has kept: nobody began without it, and what was chosen meanwhile is newer."""
    await context.add_init_script(BUSY)
    shop.chat = server.origin
    page = await context.new_page()
    await page.goto(shop.url)
    await page.get_by_role("button", name="Open the chat").click()
    frame = page.frame_locator("iframe")
    await frame.get_by_role("button", name="Dark appearance").click()
    await asyncio.sleep(3)
    await expect(frame.locator("#list .item")).to_have_count(0)
    await page.evaluate("recover()")
    await frame.locator("#list .item").wait_for()
    await expect(frame.locator("#chat")).to_have_css("background-color", DARK)
    await page.wait_for_function(KEPT)


async def test_hostile_texts_stay_texts_in_the_frame(visit: Watched, server: Server) -> None:
    await visit.page.get_by_role("button", name="Open the chat").click()
    frame = visit.page.frame_locator("iframe")
    await frame.locator("#list .item").wait_for()
    marks = (Mark("link", 0, 3, "javascript:top.pwned=1"),)
    hostile = [Outgoing(Rich(text, marks), ((Button(text[:60], f"9.9.{n}"),),)) for n, text in enumerate(XSS)]
    for start in range(0, len(hostile), 40):
        await server.house.say(server.visitor, *hostile[start : start + 40])
    await expect(frame.locator("#list .text")).to_have_count(1 + len(XSS))
    assert (await frame.locator("#list .text").all_text_contents())[1:] == list(XSS)
    assert await visit.page.evaluate("window.pwned ?? null") is None
    assert visit.troubles == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_only_our_own_page_may_talk_to_the_chat(
    visit: Watched, server: Server, context: BrowserContext, headers: dict[str, str], status: int
) -> None:
    await visit.page.get_by_role("button", name="Open the chat").click()
    await visit.page.frame_locator("iframe").locator("#list .item").wait_for()
    token = await visit.page.evaluate("localStorage[Object.keys(localStorage).find(key => key.endsWith(':token'))]")
    headers = {"Authorization": f"Bearer {token}", **headers}
    answer = await context.request.get(f"{server.url}/history", headers=headers)
    assert answer.status == status
    assert server.house.counted["foreign_origin"] == (status == 403)
