"""The page for everybody: by axe, by keyboard alone, small, enlarged, without motion, dark, and on paper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Frame, Page, expect

from core.messages import Outgoing, Quote
from core.rich import Mark, Rich, plain
from tests.adapters.web.house import MENU
from tests.adapters.web.pictures import png
from tests.browser.conftest import Server, Watched

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
LIGHT, DARK = "rgb(247, 248, 250)", "rgb(20, 23, 29)"  # the paper behind the messages
Theme = Literal["light", "dark"]


@asynccontextmanager
async def visitor(browser: Browser, url: str, **how: Any) -> AsyncIterator[Watched]:
    """A page of a visitor with a browser like this. No script error at the end."""
    context = await browser.new_context(**{"locale": "en-US", **how})
    context.set_default_timeout(15_000)
    watched = Watched(await context.new_page())
    await watched.page.goto(url)
    yield watched
    await context.close()
    assert watched.troubles == []


async def findings(frame: Page | Frame) -> list[str]:
    """What axe finds wrong with a page, with whatever weight."""
    await frame.evaluate(AXE)
    found = await frame.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:120]} {node['failureSummary'][:300]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


async def fill(chat: Watched, server: Server, tmp_path: Path) -> None:
    """A dialogue with one of everything that can stand in it."""
    await chat.until(1)
    await chat.say("a question")
    await chat.until(3)
    visitor = server.house.accepted[-1]
    (tmp_path / "cat.png").write_bytes(png(40, 30))
    (tmp_path / "bill.pdf").write_bytes(b"%PDF-1.7 text")
    await chat.page.set_input_files("#picker", [tmp_path / "cat.png", tmp_path / "bill.pdf"])
    await chat.page.click("#send:enabled")
    await chat.until(5)
    body = Rich(
        "bold, code and a link", (Mark("bold", 0, 4), Mark("code", 6, 10), Mark("link", 17, 21, "https://a.example/"))
    )
    quote = Quote(visitor.message_id, "a question")
    await server.house.say(visitor.chat, Outgoing(body, quote=quote), Outgoing(plain("What next?"), MENU))
    await server.house.say(visitor.chat, Outgoing(plain("From a person")), author="operator")
    await server.house.say(visitor.chat, Outgoing(plain("You are number 3")), author="notice")
    await chat.until(9)
    await chat.page.get_by_role("button", name="Share the phone").click()
    server.house.full = True
    await chat.say("waits")
    server.house.full = False
    await chat.page.keyboard.press("Alt+ArrowUp")
    await chat.page.wait_for_function("() => document.querySelector('.photo img')?.naturalWidth === 40")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing(browser: Browser, server: Server, tmp_path: Path, theme: Theme) -> None:
    context = await browser.new_context(locale="en-US", color_scheme=theme, reduced_motion="reduce")
    chat = Watched(await context.new_page())
    await chat.page.goto(server.url)
    await fill(chat, server, tmp_path)
    found = await findings(chat.page)
    assert not found, "\n".join(found)
    await chat.page.locator(".photo").click()
    await expect(chat.page.locator("#viewer")).to_be_visible()
    found = await findings(chat.page)
    assert not found, "\n".join(found)
    await context.close()


async def test_a_whole_dialogue_by_keyboard(browser: Browser, server: Server) -> None:
    """A button, a message, an answer to an earlier one, a phone: no mouse, no touch."""
    async with visitor(browser, server.url) as chat:
        await chat.until(1)
        keys = chat.page.keyboard
        await expect(chat.page.locator("#text")).to_be_focused()
        for _ in range(3):
            await keys.press("Shift+Tab")
        await expect(chat.page.get_by_role("button", name="Yes")).to_be_focused()
        await keys.press("Enter")
        await chat.until(3)
        await expect(chat.page.locator("#text")).to_be_focused()
        await keys.type("menu")
        await keys.press("Enter")
        await chat.until(5)
        await keys.press("Alt+ArrowUp")
        await keys.press("Alt+ArrowUp")
        await expect(chat.page.locator("#reply-text")).to_have_text("Reply to: menu")
        await keys.press("Escape")
        await expect(chat.page.locator("#reply")).to_be_hidden()
        for _ in range(3):
            await keys.press("Alt+ArrowUp")
        await keys.type("that one")
        await keys.press("Enter")
        await chat.until(7)
        await expect(chat.page.locator(".quote span")).to_have_text("You pressed Yes")
        await chat.page.get_by_role("button", name="Share the phone").focus()
        await keys.press("Enter")
        await keys.type("+7 900 000-00-00")
        await keys.press("Enter")
        assert (await chat.until(9))[-1] == "Phone +7 900 000-00-00"
        await expect(chat.page.locator("#text")).to_be_focused()


async def paper(chat: Watched, color: str) -> None:
    """The colour behind the messages becomes this one."""
    await expect(chat.page.locator("#chat")).to_have_css("background-color", color)


async def test_the_system_the_site_and_the_visitor_say_how_it_looks(browser: Browser, server: Server) -> None:
    async with visitor(browser, server.url, color_scheme="dark") as chat:
        await paper(chat, DARK)
        await chat.page.emulate_media(color_scheme="light")
        await paper(chat, LIGHT)
        await chat.page.get_by_role("button", name="Dark appearance", pressed=False).click()
        await paper(chat, DARK)
        await chat.page.reload()
        await paper(chat, DARK)
        await expect(chat.page.get_by_role("button", name="Dark appearance", pressed=True)).to_be_visible()
    async with visitor(browser, f"{server.url}?theme=dark", color_scheme="light") as chat:
        await paper(chat, DARK)


@pytest.mark.parametrize("size", [(320, 568), (640, 360), (320, 256)])
async def test_small_and_enlarged_pages_lose_nothing(browser: Browser, server: Server, size: tuple[int, int]) -> None:
    """320 px phones; 1280 x 720 at 200 %; 1280 x 1024 at 400 % (WCAG 2.2, 1.4.10)."""
    width, height = size
    async with visitor(browser, server.url, viewport={"width": width, "height": height}) as chat:
        await chat.until(1)
        await chat.say("Verylongword" * 40)
        await chat.say("menu")
        await chat.until(5)
        assert await chat.page.evaluate("document.documentElement.scrollWidth") <= width
        assert await chat.page.evaluate(
            "document.getElementById('scroll').scrollWidth <= document.getElementById('scroll').clientWidth"
        )
        room = await chat.page.locator("#scroll").bounding_box()
        write = await chat.page.locator("#text").bounding_box()
        assert room is not None
        assert write is not None
        assert room["height"] >= height * 0.4
        assert write["y"] + write["height"] <= height


async def test_who_wants_no_motion_gets_none(browser: Browser, server: Server) -> None:
    async with visitor(browser, server.url, reduced_motion="reduce") as chat:
        await chat.until(1)
        await chat.say("hi")
        await chat.until(3)
        assert await chat.page.evaluate("document.getAnimations().length") == 0


async def test_paper_gets_the_whole_dialogue_in_black_on_white(browser: Browser, server: Server) -> None:
    async with visitor(browser, server.url, color_scheme="dark", viewport={"width": 800, "height": 600}) as chat:
        await chat.until(1)
        await server.house.say(server.house.accepted[-1].chat, *[Outgoing(plain(f"line {n}")) for n in range(60)])
        await chat.until(61)
        await chat.page.emulate_media(media="print")
        await paper(chat, LIGHT)
        assert await chat.page.evaluate("document.documentElement.scrollHeight") > 2000
        for shown, selector in ((True, "#list .item >> nth=0"), (False, "#composer"), (False, "#theme")):
            await expect(chat.page.locator(selector)).to_be_visible(visible=shown)


async def test_right_to_left_texts_stand_right(browser: Browser, server: Server) -> None:
    async with visitor(browser, server.url) as chat:
        await chat.until(1)
        await chat.say("مرحبا، أين طلبي؟")
        await chat.until(3)
        assert (
            await chat.page.evaluate("getComputedStyle(document.querySelector('.client .bubble')).direction") == "rtl"
        )


@pytest_asyncio.fixture(loop_scope="session")
async def russian(browser: Browser, server: Server) -> AsyncIterator[Watched]:
    """A visitor whose browser speaks Russian; the server speaks English."""
    async with visitor(browser, server.url, locale="ru-RU") as chat:
        yield chat


async def test_refusals_are_said_in_the_language_of_the_page(russian: Watched) -> None:
    await russian.until(1)
    said = await russian.page.evaluate(
        """() => import("./static/http.js").then(http => http.call("GET", "/history?after=x")).catch(error => error.message)"""
    )
    assert said == "Не удалось прочитать запрос: number"
    russian.troubles.clear()  # the browser logs the 400
