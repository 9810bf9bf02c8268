"""What goes on between the two who write: replies, typing, what was seen, changes, deletions, limits."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Route, expect

from adapters.web.settings import Settings
from core.events import Message
from core.messages import Outgoing, Quote
from core.outbox import OutboxRow
from core.rich import plain
from tests.adapters.web.corpus import XSS
from tests.adapters.web.house import settings
from tests.adapters.web.pictures import png
from tests.browser.conftest import Server, Watched
from tests.browser.test_access import visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def chat_settings(request: pytest.FixtureRequest) -> Settings:
    """The usual settings, with the changes a test asks for."""
    return settings(**getattr(request, "param", {}))


def changed(**changes: object) -> pytest.MarkDecorator:
    """A chat with these settings."""
    return pytest.mark.parametrize("chat_settings", [changes], indirect=True, ids=[""])


async def hover_reply(chat: Watched, text: str) -> None:
    item = chat.page.locator(".item", has=chat.page.locator(".text", has_text=text)).first
    await item.hover()
    await item.get_by_role("button", name="Reply").click()


async def test_a_reply_quotes_and_leads_back(chat: Watched, server: Server) -> None:
    await hover_reply(chat, "Hello!")
    await expect(chat.page.locator("#reply-text")).to_have_text("Reply to: Hello!")
    await chat.say("to the greeting")
    await chat.until(3)
    await expect(chat.page.locator(".client .quote b")).to_have_text("Assistant")
    await expect(chat.page.locator(".client .quote span")).to_have_text("Hello!")
    said = server.house.accepted[-1].event
    assert isinstance(said, Message)
    assert said.quote == Quote("2", "Hello!")  # the opening is the first place
    await server.house.say(server.visitor, *[Outgoing(plain(f"news {n}")) for n in range(150)])
    await chat.until(153)
    await chat.page.reload()
    await chat.until(90)
    quoted = Quote(server.house.accepted[-1].message_id, "to the greeting")
    await server.house.say(server.visitor, Outgoing(plain("yes?"), quote=quoted), author="operator")
    await chat.page.locator(".operator .quote").click()
    await expect(chat.page.locator(".client .text", has_text="to the greeting")).to_be_in_viewport()


async def test_a_tap_offers_the_reply_where_nothing_hovers(browser: Browser, server: Server) -> None:
    how = {"has_touch": True, "is_mobile": True, "viewport": {"width": 320, "height": 568}}
    async with visitor(browser, server.url, **how) as chat:
        await chat.until(1)
        item = chat.page.locator(".item").first
        await expect(item.locator(".answer")).to_be_hidden()
        await item.locator(".bubble").tap()
        await item.locator(".answer").tap()
        await expect(chat.page.locator("#reply-text")).to_have_text("Reply to: Hello!")
        await expect(item.locator(".answer")).to_be_hidden()


async def test_hostile_quotes_stay_texts(chat: Watched, server: Server) -> None:
    for start in range(0, len(XSS), 40):
        part = XSS[start : start + 40]
        await server.house.say(server.visitor, *[Outgoing(plain("x"), quote=Quote(text, text)) for text in part])
    await chat.until(1 + len(XSS))
    assert await chat.page.locator(".quote span").all_text_contents() == list(XSS)
    await chat.page.locator(".quote").first.click()
    await expect(chat.page.locator("#list :is(script, iframe, object, embed, form, img)")).to_have_count(0)


async def test_dots_while_a_person_writes_until_the_message(chat: Watched, server: Server) -> None:
    await server.house.say(server.visitor, Outgoing(plain("I am a person")), author="operator")
    await chat.until(2)
    await server.house.channel.typing(server.visitor)
    await expect(chat.page.locator("#typing")).to_be_visible()
    await expect(chat.page.locator("#typing-text")).to_have_text("The support agent is typing")
    await server.house.say(server.visitor, Outgoing(plain("done")), author="operator")
    await expect(chat.page.locator("#typing")).to_be_hidden()


async def test_dots_end_by_themselves(chat: Watched, server: Server) -> None:
    await chat.page.clock.install()
    await server.house.channel.typing(server.visitor)
    await expect(chat.page.locator("#typing")).to_be_visible()
    await chat.page.clock.run_for(4000)
    await expect(chat.page.locator("#typing")).to_be_visible()
    await chat.page.clock.run_for(1500)
    await expect(chat.page.locator("#typing")).to_be_hidden()


async def test_we_learn_that_the_client_types(chat: Watched, server: Server) -> None:
    assert server.house.channel.writing() == frozenset()
    await chat.page.locator("#text").press_sequentially("hm")
    async with asyncio.timeout(5):
        while not server.house.channel.writing():
            await chat.page.evaluate("new Promise(requestAnimationFrame)")
    conversation = await server.house.store.find_conversation("site", "site", server.visitor)
    assert conversation is not None
    assert server.house.channel.writing() == {conversation.id}
    await chat.page.click("#send")
    await chat.until(3)
    assert server.house.channel.writing() == frozenset()


async def test_changed_and_deleted_messages_are_shown_so(chat: Watched, server: Server) -> None:
    await server.house.say(server.visitor, Outgoing(plain("Monday")), author="operator", slot="day")
    await chat.until(2)
    await server.house.say(server.visitor, Outgoing(plain("Tuesday")), author="operator", slot="day", replace=True)
    last = chat.page.locator("#list .item").last
    await expect(last.locator(".text")).to_have_text("Tuesday")
    await expect(last.locator(".meta")).to_contain_text("edited")
    gone = OutboxRow(8, 1, "delete", "site", "site", server.visitor, "k", target=7, target_ids=("3",))
    await server.house.channel.send(gone)
    await expect(last.locator(".text")).to_have_text("The message was deleted")
    await last.hover()
    await expect(last.get_by_role("button", name="Reply")).to_have_count(0)


@changed(flood=(3, 9))
async def test_a_flood_is_told_with_a_countdown_and_nothing_is_lost(chat: Watched, server: Server) -> None:
    """Three messages at once, then one every three seconds; the greeting's `open` was the first."""
    for number in range(4):
        await chat.say(f"m{number}")
    await expect(chat.page.locator("#banner-text")).to_have_text("Too many messages at once. Wait a little.")
    await expect(chat.page.locator("#countdown")).to_have_text("Goes on in 2 sec")
    await expect(chat.page.locator("#countdown")).to_have_text("Goes on in 1 sec")
    await expect(chat.page.locator('.client [aria-label="Sending"]')).to_have_count(0, timeout=20_000)
    assert [text for text in await chat.texts() if text.startswith("m")] == ["m0", "m1", "m2", "m3"]
    await expect(chat.page.locator("#banner")).to_be_hidden()
    assert server.house.counted["flood"] > 0
    chat.troubles.clear()  # the browser logs each 429


@changed(sessions=(1, 3))
async def test_too_many_new_chats_wait_for_their_turn(server: Server, context: BrowserContext) -> None:
    first = Watched(await context.new_page())
    await first.page.goto(server.url)
    await first.until(1)
    await first.page.evaluate("localStorage.clear()")
    await first.page.reload()
    await expect(first.page.locator("#banner-text")).to_contain_text("Too many chats were opened at once")
    assert await first.until(1) == ["Hello!"]
    await expect(first.page.locator("#banner")).to_be_hidden()


async def test_a_file_that_did_not_arrive_waits_in_the_tray(
    chat: Watched, context: BrowserContext, tmp_path: Path
) -> None:
    lost: list[Route] = []

    async def lose(route: Route) -> None:
        lost.append(route)
        await (route.abort() if len(lost) == 1 else route.continue_())

    await context.route("**/files", lose)
    (tmp_path / "cat.png").write_bytes(png(40, 30))
    await chat.page.set_input_files("#picker", tmp_path / "cat.png")
    await expect(chat.page.locator("#tray")).to_contain_text("Not sent")
    await expect(chat.page.locator("#send")).to_be_disabled()
    await chat.page.get_by_role("button", name="Try again").click()
    await chat.page.click("#send:enabled")
    assert (await chat.until(3))[-1] == "Files: 1"
    chat.troubles = [trouble for trouble in chat.troubles if "ERR_FAILED" not in trouble]


async def test_a_refused_message_can_be_tried_again(chat: Watched, context: BrowserContext) -> None:
    refused: list[Route] = []

    async def refuse(route: Route) -> None:
        refused.append(route)
        body = '{"error": "bad_request", "message": "No."}'
        await (route.fulfill(status=400, body=body) if len(refused) == 1 else route.continue_())

    await context.route("**/messages", refuse)
    await chat.say("please")
    await expect(chat.page.locator(".problem")).to_contain_text("No.")
    await chat.page.get_by_role("button", name="Try again").click()
    assert await chat.until(3) == ["Hello!", "please", "Echo: please"]
    await expect(chat.page.locator(".problem")).to_have_count(0)
    chat.troubles.clear()  # the browser logs the 400
