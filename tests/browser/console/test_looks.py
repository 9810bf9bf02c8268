"""Every page of the console with life in it, in both languages and themes: nothing cut off, nothing that axe finds.

With `FRONTLINE_PICTURES=1` the pictures of `docs/images` are taken anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Page, expect

from core.events import Message
from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings
from tests.gateway.api.house import ROOT
from tests.gateway.house import inbound

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PICTURES = Path(__file__).resolve().parents[3] / "docs" / "images"
CLIENTS = {
    "1": ("Мария Орлова", ("человек", "Здравствуйте! Крышка термоса треснула в первый же день")),
    "2": ("Игорь", ("человек", "Где мой заказ 123456? Обещали вчера")),
    "3": ("Светлана К.", ("человек", "Не приходит чек на почту")),
    "4": ("Дмитрий", ("привет",)),
}
ANSWER = "Здравствуйте, Мария! Пришлите, пожалуйста, фото крышки: оформим замену сегодня."
NOTE = "Третья такая крышка за неделю, похоже на партию"
WISH = "Просит звонить после обеда: до этого на работе и трубку не берёт"
CALL = "@anna, у Игоря та же история с доставкой, что и на той неделе"
LOOKS = [("ru", "light"), ("ru", "dark"), ("en", "light"), ("en", "dark")]
# What shows that the page is there, where that is not a card.
READY = {
    "reports": "canvas",
    "tickets/board": ".ticket",
    "clients": "[data-find]",
    "clients/1": ".said",
    "search?q=крышка": "mark",
    "mentions": "[data-find]",
}
PAGES = (
    "clients",
    "clients/1",
    "search?q=крышка",
    "mentions",
    "tickets",
    "tickets/board",
    "tickets/1",
    "lines",
    "reports",
    "profile",
    "users",
    "audit",
    "channels",
    "hooks",
    "tokens",
)


async def life(desk: Desk) -> None:
    """Clients who wait, one whom a person answers, one with the bot."""
    for chat, (name, words) in CLIENTS.items():
        for text in words:
            desk.house.said += 1
            event = inbound(desk.house.said, Message(text), chat, desk.house.clock.moment())
            await desk.house.gateway.intake.accept([msgspec.structs.replace(event, sender_name=name)])
            await desk.house.quiet()


async def answered(desk: Desk) -> None:
    """The first client's session is taken, answered and noted."""
    browser = await desk.house.browser("anna")
    await browser.ask("POST", "/conversations/1/take", {"epoch": 1})
    await browser.ask("POST", "/conversations/1/reply", {"epoch": 2, "text": ANSWER})
    await browser.ask("POST", "/conversations/1/note", {"text": NOTE})
    await browser.ask("POST", "/conversations/1/tickets", {"desk": "general", "title": "Треснула крышка термоса"})
    card = (await browser.ask("GET", "/clients/1")).body
    fields = {"phone": "+7 912 345-67-89", "email": "orlova@example.org"}
    change = {"version": card["version"], "tier": "vip", "tags": ["постоянный покупатель", "опт"], "fields": fields}
    await browser.ask("PATCH", "/clients/1", change)
    await browser.ask("POST", "/clients/1/notes", {"text": WISH})
    await desk.house.add("boris", support="operator")
    await (await desk.house.browser("boris")).ask("POST", "/conversations/2/note", {"text": CALL})
    await desk.house.quiet()


async def stands_well(page: Page, name: str, language: str, theme: str) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await findings(page) == []
    if os.environ.get("FRONTLINE_PICTURES") == "1":
        path = PICTURES / f"console-{name}-{language}-{theme}.png"
        await page.screenshot(path=path, animations="disabled", caret="hide")


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_every_page_stands_well(desk: Desk, open_page: Open, language: str, theme: str) -> None:
    user = await desk.house.add("anna", "admin", support="supervisor")
    await desk.house.accounts.change_user(
        user.id, {"title": "Анна", "language": language, "theme": theme}, ROOT, desk.house.clock.at
    )
    await life(desk)
    await answered(desk)
    watched = await open_page(bypass_csp=True, timezone_id="Europe/Moscow")
    await watched.page.clock.set_fixed_time(desk.house.clock.moment())
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/work/1?view=all")
    await expect(page.locator(".bubble.operator")).to_contain_text("замену")
    await expect(page.locator(".private")).to_contain_text("партию")
    await stands_well(page, "work", language, theme)
    for name in PAGES:
        await page.goto(f"{desk.url}/{name}")
        await page.wait_for_selector(READY.get(name, ".card"))
        await stands_well(page, name.replace("/1", "-one").replace("/", "-").partition("?")[0], language, theme)
