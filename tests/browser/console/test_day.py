"""A working day: two operators and a supervisor in the console, one client in Telegram, one in the web chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.console.conftest import BUILT, Open
from tests.browser.console.day import Day, go_online, key, open_day, open_talk, reply, submit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
MARIA, IGOR = 7001, 7002
NOTE = "Постоянный клиент, торопить не надо"
WHISPER = "Предложи рассрочку, он уже спрашивал"
REASON = "Счёт по этому заказу выставляет склад"
INN = "7707083893"


@pytest_asyncio.fixture(loop_scope="session")
async def day() -> AsyncIterator[Day]:
    if not (BUILT / "index.html").is_file():
        pytest.fail("The console is not built: `make console`")
    async for made in open_day():
        yield made


async def test_a_working_day(day: Day, open_page: Open) -> None:
    await day.hire("anna", "operator", support="operator")
    await day.hire("boris", "operator", billing="operator")
    await day.hire("vera", "supervisor", support="supervisor", billing="supervisor")
    anna, boris, vera = await asyncio.gather(*(day.at_work(open_page, name) for name in ("anna", "boris", "vera")))
    for page in (anna, boris):
        await go_online(page)

    await greeting_and_form(day)
    await answer_and_note(day, anna)
    await transfer_and_back(day, anna, boris)
    visitor = await open_page()
    await visit(day, visitor, boris)
    await supervise(day, vera, boris, visitor)
    await ticket(day, vera, visitor)
    await close_and_rate(day, anna, vera, visitor)
    await rest(day, boris, vera)
    await reports(day, vera)
    for private in (NOTE, WHISPER, REASON):
        assert private not in day.outgoing()
        assert not any(private in text for text in await visitor.texts())


async def greeting_and_form(day: Day) -> None:
    """The bot greets in Telegram, asks what it needs, and hands the client over with it."""
    say = day.telegram.say
    say(MARIA, "привет", "Мария")
    await day.told(MARIA, "Здравствуйте")
    say(MARIA, "где мой заказ")
    await day.told(MARIA, "Напишите номер заказа")
    say(MARIA, "123456")
    await day.told(MARIA, "На какой телефон")
    say(MARIA, "+79161234567")
    await day.told(MARIA, "Всё в порядке?")
    day.telegram.press(MARIA, "Позвать оператора")


async def answer_and_note(day: Day, anna: Page) -> None:
    """Routing has given it to Anna; she sees what the bot collected, answers, and keeps a note."""
    await open_talk(anna, "Мария")
    await expect(anna.locator(".side")).to_contain_text("123456")
    await expect(anna.locator(".side")).to_contain_text("доставлен, но есть вопрос")
    await reply(anna, "Здравствуйте, Мария! Что случилось с заказом?")
    await day.told(MARIA, "Что случилось с заказом?")
    await key(anna, "KeyW")
    await anna.locator("textarea[name=note]").fill(NOTE)
    await anna.keyboard.press("Control+Enter")
    await expect(anna.locator(".private")).to_contain_text(NOTE)
    day.telegram.say(MARIA, "Хочу оплатить вторую палатку по счёту")
    await expect(anna.locator(".bubble.client").last).to_contain_text("вторую палатку")


async def transfer_and_back(day: Day, anna: Page, boris: Page) -> None:
    """What the other line needs goes with it; Boris sends it back with the reason, and Anna goes on."""
    await key(anna, "KeyT")
    await expect(anna.locator("select[name=to-line]")).to_have_value("billing")
    await anna.locator("[name=packet-ИНН]").fill(INN)
    await anna.locator("[name=why]").fill("Клиент хочет счёт")
    await submit(anna, "Передать")
    await open_talk(boris, "Мария")
    await expect(boris.locator(".strips")).to_contain_text("Передано из «Поддержка»")
    await expect(boris.locator(".side")).to_contain_text(INN)
    await key(boris, "KeyX")
    await boris.locator("[name=why]").fill(REASON)
    await submit(boris, "Вернуть")
    await open_talk(anna, "Мария")
    await expect(anna.locator(".head .state")).to_contain_text("Anna")
    await reply(anna, "Выставим счёт сами, пришлём сегодня")
    await day.told(MARIA, "Выставим счёт сами")


async def visit(day: Day, visitor: Watched, boris: Page) -> None:
    """A visitor of the site fills a form for another line, and reads Boris' answer on the page."""
    page = visitor.page
    await page.goto(day.chat)
    await page.get_by_role("button", name="Вопрос по оплате").last.click()
    await page.get_by_role("button", name="Списали дважды").last.click()
    await said(visitor, "ИНН")
    await visitor.say(INN)
    await said(visitor, "Опишите вопрос")
    await visitor.say("Списали дважды за один заказ")
    await open_talk(boris, "Без имени")
    await expect(boris.locator(".side")).to_contain_text(INN)
    await reply(boris, "Вижу оба списания, проверяю")
    await said(visitor, "Вижу оба списания")


async def said(visitor: Watched, text: str) -> None:
    await expect(visitor.page.locator("#list")).to_contain_text(text)


async def supervise(day: Day, vera: Page, boris: Page, visitor: Watched) -> None:
    """Vera sees who works with what, whispers to Boris, and takes the talk over."""
    await vera.goto(f"{day.console}/lines")
    for name in ("Anna", "Boris"):
        await expect(vera.locator(".person").filter(has_text=name).locator(".session")).to_have_count(1)
    session = vera.locator(".person").filter(has_text="Boris").locator(".session")
    await session.click()
    await vera.get_by_role("dialog").get_by_role("button", name="Шепнуть").click()
    await vera.locator("textarea[name=whisper]").fill(WHISPER)
    await submit(vera, "Шепнуть")
    await expect(boris.locator(".private")).to_contain_text(WHISPER)
    await session.click()
    await vera.get_by_role("dialog").get_by_role("button", name="Забрать себе").click()
    await expect(boris.locator(".head .state")).to_contain_text("Vera")
    await vera.goto(f"{day.console}/work?view=mine")
    await vera.locator(".list [role=option]").first.click()
    await reply(vera, "Второе списание отменили, деньги вернутся завтра")
    await said(visitor, "деньги вернутся завтра")


async def ticket(day: Day, vera: Page, visitor: Watched) -> None:
    """A ticket out of the talk; the client hears of its number and of what becomes of it."""
    await key(vera, "KeyI")
    await vera.locator("select[name=desk]").select_option("billing")
    await vera.locator("[name=ticket-title]").fill("Проверить возврат второго списания")
    await submit(vera, "Создать заявку")
    await said(visitor, "Создана заявка 1")
    await vera.goto(f"{day.console}/tickets/1")
    await vera.locator("select[name=status]").select_option("open")
    await said(visitor, "в работе")


async def close_and_rate(day: Day, anna: Page, vera: Page, visitor: Watched) -> None:
    """Both talks end; both clients are asked, and answer."""
    await vera.goto(f"{day.console}/work?view=mine")
    await vera.locator(".list [role=option]").first.click()
    await key(vera, "KeyC")
    await vera.get_by_role("dialog").get_by_text("Оплата").click()
    await submit(vera, "Закрыть")
    await visitor.page.get_by_role("button", name="5", exact=True).last.click()
    await said(visitor, "Спасибо")
    await open_talk(anna, "Мария")
    await key(anna, "KeyC")
    await submit(anna, "Закрыть")
    await day.told(MARIA, "Как мы справились")
    day.telegram.press(MARIA, "4")
    await day.told(MARIA, "Спасибо")


async def rest(day: Day, boris: Page, vera: Page) -> None:
    """While Boris has a break nobody is given a client of his line, and everybody can see why; then he is."""
    await go_online(boris, "break")
    say = day.telegram.say
    say(IGOR, "вопрос по оплате", "Игорь")
    await day.told(IGOR, "О чём вопрос")
    day.telegram.press(IGOR, "Платёж не дошёл")
    await day.told(IGOR, "ИНН")
    say(IGOR, INN)
    await day.told(IGOR, "Опишите вопрос")
    say(IGOR, "Оплатил вчера, а заказ не собирают")
    await day.told(IGOR, "в очереди")
    await vera.goto(f"{day.console}/work?view=queue")
    await expect(vera.locator(".list [role=option]").filter(has_text="Игорь")).to_contain_text("никого")
    await go_online(boris)
    await open_talk(boris, "Игорь")
    await expect(boris.locator(".head .state")).to_contain_text("Boris")
    await reply(boris, "Деньги пришли сегодня, собираем")
    await day.told(IGOR, "собираем")


async def reports(day: Day, vera: Page) -> None:
    """The numbers of the day are there, and the ratings in them."""
    await vera.goto(f"{day.console}/reports")
    total = vera.locator("tr.total")
    await expect(total.locator("td").nth(1)).to_have_text("3")
    await expect(total).to_contain_text("4,5")
