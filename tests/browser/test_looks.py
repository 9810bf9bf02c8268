"""One dialogue in both languages, both themes, on a desk and on a phone. FRONTLINE_PICTURES=1 draws it for the docs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, FloatRect, FrameLocator, expect

from adapters.web.settings import Settings
from core.events import Event, Message, Opened
from core.messages import Button, Outgoing, Quote
from core.rich import plain
from tests.adapters.web.house import settings
from tests.browser.conftest import VIOLATIONS, Server, Watched
from tests.browser.test_access import findings
from tests.browser.test_widget import Site, shop

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
__all__ = ["shop"]
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"
SAID = {
    "ru": {
        "title": "Магазин «Полюс»",
        "greeting": "Отвечаем с 9 до 18 по Москве.",
        "hello": "Здравствуйте! Чем помочь?",
        "buttons": ("Где мой заказ", "Вернуть товар"),
        "client": "Крышка треснула в первый же день",
        "bot": "Сожалеем! Передаю специалисту.",
        "person": "Здравствуйте! Пришлите, пожалуйста, фото крышки: оформим замену сегодня.",
    },
    "en": {
        "title": "Pole shop",
        "greeting": "We answer from 9 to 18, Moscow time.",
        "hello": "Hello! How can we help?",
        "buttons": ("Where is my order", "Return something"),
        "client": "The lid cracked on the first day",
        "bot": "We are sorry! A colleague takes over.",
        "person": "Hello! Please send a photo of the lid: we will arrange a new one today.",
    },
}
LOOKS = [("ru", "light", 1000, 720), ("en", "dark", 1000, 720), ("ru", "dark", 320, 600), ("en", "light", 320, 600)]


def shopkeeper(said: dict[str, Any]) -> Callable[[Event], Sequence[Outgoing]]:
    """A bot that greets and gives the rest to a person."""

    def answer(event: Event) -> Sequence[Outgoing]:
        if isinstance(event, Opened):
            rows = (tuple(Button(label, f"1.1.{n}") for n, label in enumerate(said["buttons"])),)
            return [Outgoing(plain(said["hello"]), rows)]
        return [Outgoing(plain(said["bot"]))] if isinstance(event, Message) else []

    return answer


@pytest.fixture
def chat_settings(shop: Site) -> Settings:
    """The chat lets the shop embed it."""
    return settings(origins=(shop.url,))


@pytest.fixture(params=LOOKS, ids=["-".join(map(str, look[:3])) for look in LOOKS])
def look(request: pytest.FixtureRequest) -> tuple[str, str, int, int]:
    """Language, theme, width and height."""
    chosen: tuple[str, str, int, int] = request.param
    return chosen


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, look: tuple[str, str, int, int]) -> AsyncIterator[BrowserContext]:
    """Somebody who sits before such a screen."""
    language, theme, width, height = look
    context = await browser.new_context(
        locale={"ru": "ru-RU", "en": "en-GB"}[language],
        timezone_id="Europe/Moscow",
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    await context.add_init_script(VIOLATIONS)
    yield context
    await context.close()


async def talk(server: Server, frame: FrameLocator, said: dict[str, Any]) -> None:
    """The client complains, the bot answers, a person takes over and is about to write more."""
    await frame.locator("#text").fill(said["client"])
    await frame.locator("#send").click()
    await frame.get_by_text(said["bot"]).wait_for()
    complaint = server.house.accepted[-1]
    answer = Outgoing(plain(said["person"]), quote=Quote(complaint.message_id, said["client"]))
    await server.house.say(complaint.chat, answer, author="operator")
    await frame.locator(".operator").wait_for()
    await server.house.channel.typing(complaint.chat)
    await expect(frame.locator("#typing")).to_be_visible()


async def test_it_stands_well(
    shop: Site, server: Server, visitor: BrowserContext, look: tuple[str, str, int, int]
) -> None:
    language, theme, width, height = look
    said: dict[str, Any] = SAID[language]
    server.house.script = shopkeeper(said)
    shop.chat, shop.language = server.origin, language
    shop.attributes = f'data-title="{said["title"]}" data-greeting="{said["greeting"]}" data-color="#0b7a5c"'
    watched = Watched(await visitor.new_page())
    await watched.page.goto(shop.url)
    await watched.page.locator("#frontline-chat button").click()
    frame = watched.page.frame_locator("iframe")
    await frame.get_by_text(said["hello"]).wait_for()
    await talk(server, frame, said)
    await expect(frame.locator(".operator")).to_be_in_viewport()
    inside = watched.page.frames[1]
    assert await inside.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = await findings(inside)
    assert not found, "\n".join(found)
    if os.environ.get("FRONTLINE_PICTURES") == "1":
        path = PICTURES / f"web-chat-{language}-{theme}-{'phone' if width < 500 else 'widget'}.png"
        corner: FloatRect = {"x": max(0, width - 450), "y": 0, "width": min(450, width), "height": height}
        await watched.page.screenshot(path=path, animations="disabled", caret="hide", clip=corner)
    assert watched.troubles == []
