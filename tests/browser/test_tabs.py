"""Several tabs, lost connections, closed windows: one outbox, nothing twice, what was read is read everywhere."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, expect

from core.messages import Outgoing
from core.rich import plain
from tests.browser.conftest import Server, Watched

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def another(server: Server, context: BrowserContext) -> Watched:
    """One more tab of the same browser."""
    tab = Watched(await context.new_page())
    await tab.page.goto(server.url)
    await tab.until(1)
    await tab.online()
    return tab


def quiet(*tabs: Watched) -> None:
    """Nothing went wrong, but for requests that the network took."""
    for tab in tabs:
        tab.troubles = [trouble for trouble in tab.troubles if "ERR_" not in trouble and "503" not in trouble]
        assert tab.troubles == []


async def test_two_tabs_offline_send_everything_once_in_order(
    chat: Watched, server: Server, context: BrowserContext
) -> None:
    other = await another(server, context)
    requests: list[str] = []
    context.on("request", lambda asked: requests.append(asked.post_data or "") if "/messages" in asked.url else None)
    await context.set_offline(True)
    for number in range(6):
        await (chat, other)[number % 2].say(f"m{number}")
    await expect(other.page.locator(".client .text")).to_have_text([f"m{n}" for n in range(6)])
    await expect(chat.page.locator(".client .text")).to_have_text([f"m{n}" for n in range(6)])
    requests.clear()
    await context.set_offline(False)
    for tab in (chat, other):
        await expect(tab.page.locator('.client [aria-label="Delivered"]')).to_have_count(6)
        assert [text for text in await tab.texts() if text.startswith("m")] == [f"m{n}" for n in range(6)]
    assert [text for text in await chat.texts() if text.startswith("Echo")] == [f"Echo: m{n}" for n in range(6)]
    assert len(server.house.accepted) == 1 + 6
    assert len(set(requests)) == 6
    quiet(chat, other)


async def test_who_reads_back_is_not_dragged_down_by_another_tab(
    chat: Watched, server: Server, context: BrowserContext
) -> None:
    await server.house.say(server.visitor, *[Outgoing(plain(f"news {n}")) for n in range(60)])
    await chat.until(61)
    other = await another(server, context)
    await chat.page.evaluate("() => { document.getElementById('scroll').scrollTop = 0 }")
    await expect(chat.page.locator("#latest")).to_be_visible()
    await other.say("from another tab")
    await chat.until(63)
    assert await chat.page.evaluate("() => document.getElementById('scroll').scrollTop") == 0
    quiet(chat, other)


async def test_what_one_tab_leaves_another_sends(chat: Watched, server: Server, context: BrowserContext) -> None:
    other = await another(server, context)
    server.house.full = True
    await other.say("from a tab that closes")
    await expect(chat.page.locator('.client [aria-label="Sending"]')).to_have_count(1)
    await other.page.close()
    server.house.full = False
    assert await chat.until(3) == ["Hello!", "from a tab that closes", "Echo: from a tab that closes"]
    quiet(chat, other)


async def test_a_closed_window_does_not_lose_what_was_written(
    chat: Watched, server: Server, context: BrowserContext
) -> None:
    await server.stop()
    await chat.say("written in a tunnel")
    await expect(chat.page.locator('.client [aria-label="Sending"]')).to_have_count(1)
    await chat.page.goto("about:blank")
    await server.start()
    await chat.page.goto(server.url)
    assert await chat.until(3) == ["Hello!", "written in a tunnel", "Echo: written in a tunnel"]
    assert len(server.house.accepted) == 2
    quiet(chat)


async def test_what_one_tab_has_seen_is_unread_in_none(chat: Watched, server: Server, context: BrowserContext) -> None:
    other = await another(server, context)
    for tab in (chat, other):
        await tab.page.evaluate(
            "Object.defineProperty(document, 'visibilityState', {get: () => window.hiding ?? 'visible'})"
        )
        await tab.page.evaluate("window.hiding = 'hidden'")
    await server.house.say(server.visitor, Outgoing(plain("news")), Outgoing(plain("more")))
    for tab in (chat, other):
        await expect(tab.page).to_have_title("(2) Support")
    await other.page.evaluate("window.hiding = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    for tab in (chat, other):
        await expect(tab.page).to_have_title("Support")
    quiet(chat, other)


async def test_the_state_of_the_connection_is_shown(chat: Watched, server: Server) -> None:
    await expect(chat.page.locator("#status")).to_have_text("Online")
    await server.stop()
    await expect(chat.page.locator("#status")).to_have_text("Connecting")
    await expect(chat.page.locator("#banner-text")).to_contain_text("No connection")
    await server.start()
    await expect(chat.page.locator("#status")).to_have_text("Online")
    await expect(chat.page.locator("#banner")).to_be_hidden()


async def test_five_hundred_messages_scroll_without_a_jerk(chat: Watched, server: Server) -> None:
    """All of the past is fetched while scrolling back; nothing the reader looks at moves, no frame takes long."""
    news = [
        Outgoing(plain(f"news {n}. " + "Something longer to read, in several lines. " * (n % 7))) for n in range(500)
    ]
    for start in range(0, 500, 50):
        await server.house.say(server.visitor, *news[start : start + 50])
    await chat.until(501)
    await chat.page.reload()
    await chat.until(90)
    await chat.online()
    measured = await chat.page.evaluate(
        """async () => {
        const scroll = document.getElementById("scroll");
        const frame = () => new Promise(requestAnimationFrame);
        const long = [];
        new PerformanceObserver(list => long.push(...list.getEntries().map(one => one.duration))).observe({type: "longtask"});
        let worst = 0;
        while (document.querySelectorAll("#list .item").length < 501 || scroll.scrollTop > 0) {
            const step = Math.min(300, scroll.scrollTop);
            const seen = document.elementsFromPoint(300, 200).map(one => one.closest(".item")).find(Boolean);
            const before = seen?.getBoundingClientRect().top;
            scroll.scrollTop -= step;
            await frame();
            await frame();
            if (seen?.isConnected) worst = Math.max(worst, Math.abs(seen.getBoundingClientRect().top - before - step));
        }
        return {worst, longest: Math.max(0, ...long)};
    }"""
    )
    assert measured["worst"] <= 1
    assert measured["longest"] < 500
    assert len(await chat.texts()) == 501
