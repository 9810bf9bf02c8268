"""The shipped return dialogue in a real browser, on a gateway of its own: buttons, a photo, reload, a restart in the middle."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.acceptance.house import ROOT, Gateway, number_in
from tests.browser.conftest import Watched, browser

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
__all__ = ["browser"]
PICTURES = ROOT / "docs" / "images"
PHOTO = Path(__file__).with_name("thermos.svg")


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """`frontline run` with the shipped configuration; no Telegram, its token is empty."""
    async with Gateway(tmp_path_factory.mktemp("web")) as running:
        yield running
        await running.stop()
        assert "Traceback" not in running.process.said()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Somebody in Russia by day."""
    context = await browser.new_context(
        locale="ru-RU",
        timezone_id="Europe/Moscow",
        color_scheme="light",
        reduced_motion="reduce",
        viewport={"width": 860, "height": 1000},
    )
    context.set_default_timeout(15_000)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def chat(gateway: Gateway, visitor: BrowserContext) -> AsyncIterator[Watched]:
    """An open chat that has greeted. At the end: no script error, no policy violation, nothing of others that ran."""
    watched = Watched(await visitor.new_page())
    await watched.page.goto(f"{gateway.url}/chat/site")
    await hear(watched, "Чем помочь?")
    yield watched
    assert watched.troubles == []


@pytest_asyncio.fixture(loop_scope="session")
async def photo(visitor: BrowserContext, tmp_path: Path) -> Path:
    """A picture as a phone takes it."""
    page = await visitor.new_page()
    await page.set_viewport_size({"width": 560, "height": 400})
    await page.set_content(PHOTO.read_text("utf-8").join(("<body style='margin:0'>", "</body>")))
    path = tmp_path / "крышка.jpg"
    await page.screenshot(path=path, type="jpeg", quality=88)
    await page.close()
    return path


async def hear(chat: Watched, text: str) -> None:
    """Waits until the bot's newest message says this, over a new start of a busy machine, too."""
    newest = chat.page.locator("#list .bot .text, #list .notice .text").last
    await expect(newest).to_contain_text(text, timeout=30_000)


async def press(chat: Watched, label: str, expected: str) -> None:
    await chat.page.get_by_role("button", name=label, exact=True).last.click()
    await hear(chat, expected)


async def say(chat: Watched, text: str, expected: str) -> None:
    await chat.say(text)
    await hear(chat, expected)


async def attach(chat: Watched, photo: Path, expected: str) -> None:
    await chat.page.set_input_files("#picker", photo)
    await expect(chat.page.locator("#send")).to_be_enabled()
    await chat.page.click("#send")
    await hear(chat, expected)


async def to_the_reason(chat: Watched) -> None:
    await press(chat, "Вернуть товар", "Напишите номер заказа")
    await say(chat, "123456", "На какой телефон")
    await say(chat, "+7 916 123-45-67", "Почему возвращаете")


async def to_the_end(chat: Watched, photo: Path) -> int:
    """From the reason to the ticket; its number."""
    await press(chat, "Брак или поломка", "Опишите")
    await say(chat, "Крышка треснула в первый же день.", "до пяти фото")
    await attach(chat, photo, "По какому телефону")
    await say(chat, "+7 916 123-45-67", "Проверьте")
    await press(chat, "Всё верно", "Готово! Заявка")
    return number_in(await chat.texts())


async def check_ticket(gateway: Gateway, number: int, photo: Path) -> None:
    ticket = await gateway.ticket(number)
    assert (ticket["desk"], ticket["title"]) == ("returns", "Возврат заказа 123456")
    assert ticket["fields"] == {
        "Номер заказа": "123456",
        "Причина": "Брак или поломка",
        "Телефон": "+79161234567",
        "Сумма": "2\xa0490\xa0₽",
    }
    assert ticket["text"] == "Крышка треснула в первый же день."
    (file,) = ticket["stored"]
    assert (file["name"], file["mime"], file["kind"]) == ("крышка.jpg", "image/jpeg", "photo")
    assert gateway.stored(file) == photo.read_bytes()  # noqa: ASYNC240
    shown = (await gateway.command("tickets", str(number))).splitlines()
    for line in (
        "Стол: Возвраты (returns)",
        "Номер заказа: 123456",
        "Причина: Брак или поломка",
        "Телефон: +79161234567",
    ):
        assert line in shown


async def test_a_return_ends_with_a_ticket(chat: Watched, gateway: Gateway, photo: Path) -> None:
    await to_the_reason(chat)
    number = await to_the_end(chat, photo)
    await check_ticket(gateway, number, photo)
    before = await chat.texts()
    await chat.page.reload()
    assert await chat.until(len(before)) == before
    await chat.page.wait_for_function("() => document.querySelector('.photo img')?.naturalWidth > 100")
    await draw(chat.page, "web-chat")


async def test_a_restart_keeps_the_dialogue(chat: Watched, gateway: Gateway, photo: Path) -> None:
    """The page stays open over a kill and a new start, sends what was written meanwhile, and goes on with the form."""
    await to_the_reason(chat)
    await gateway.kill()
    await chat.page.wait_for_selector('#status:not([data-state="online"])')
    await chat.page.get_by_role("button", name="Брак или поломка").click()
    await gateway.start()
    await hear(chat, "Опишите")
    await say(chat, "Крышка треснула в первый же день.", "до пяти фото")
    await gateway.stop()
    await gateway.start()
    await chat.page.reload()
    await hear(chat, "до пяти фото")
    await attach(chat, photo, "По какому телефону")
    await say(chat, "+7 916 123-45-67", "Проверьте")
    await press(chat, "Всё верно", "Готово! Заявка")
    await check_ticket(gateway, number_in(await chat.texts()), photo)


async def draw(page: Page, name: str) -> None:
    """Writes the picture of the README, when asked by FRONTLINE_PICTURES=1."""
    if os.environ.get("FRONTLINE_PICTURES") != "1":
        return
    PICTURES.mkdir(exist_ok=True)
    await page.set_viewport_size({"width": 860, "height": 952})
    await page.locator("#text").blur()
    await page.evaluate("() => { const all = document.querySelector('#scroll'); all.scrollTop = all.scrollHeight; }")
    await page.screenshot(path=PICTURES / f"{name}.png", animations="disabled", caret="hide")
