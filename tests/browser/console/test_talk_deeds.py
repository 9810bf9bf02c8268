"""What is done with a session in the working window: taken over, transferred, sent back, lent to the bot, given to somebody."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.console.conftest import Desk, Open
from tests.browser.console.talking import at, dialog, gone, open_desk, person, sheet, taken, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
QUEUE = "work/1?view=queue"


@pytest_asyncio.fixture(loop_scope="session")
async def desk() -> AsyncIterator[Desk]:
    async for made in open_desk():
        yield made


async def annas(desk: Desk, open_page: Open) -> Page:
    """Anna before a talk that she has taken."""
    await person(desk, "anna", support="operator")
    await told(desk, "человек", "где заказ?")
    page = await at(desk, open_page, "anna", QUEUE)
    await taken(page)
    return page


async def submitted(page: Page) -> None:
    """The form is filled in: it is sent by Enter, and done."""
    await page.keyboard.press("Enter")
    await gone(page)


async def test_a_bot_reply_decided_before_a_takeover_is_refused_after_it(desk: Desk, open_page: Open) -> None:
    """A2: the messenger is slow; what the bot had decided meanwhile never goes out, and the page says why."""
    house = desk.house
    await person(desk, "anna", support="operator")
    await told(desk, "привет")
    page = await at(desk, open_page, "anna", "work/1?view=bot")
    house.channel.hold = asyncio.Event()
    await told(desk, "заявка", wait=False)
    await house.until(lambda: len(house.channel.rows) > 1)
    await told(desk, "не то", wait=False)
    async with asyncio.timeout(30):
        while (await house.store.stats())["outbox"] < 2:
            await asyncio.sleep(0.01)
    await page.get_by_role("button", name="Взять у бота").click()
    await expect(page.locator(".head .state")).to_contain_text("в работе")
    house.channel.hold.set()
    await house.quiet()
    await page.locator(".folded").click()
    await expect(page.locator(".bubble.bot.broken")).to_contain_text(
        "не отправлено: человек взял разговор, пока бот отвечал"
    )
    sent = [item for item in await house.store.history(1) if item.author == "bot" and item.state == "sent"]
    assert len(house.channel.rows) == len(sent)


async def test_what_a_colleague_has_is_taken_over_by_a_supervisor_who_confirms(desk: Desk, open_page: Open) -> None:
    for name, role in (("anna", "operator"), ("boris", "operator"), ("olga", "supervisor")):
        await person(desk, name, support=role)  # type: ignore[arg-type]
    await told(desk, "человек", "где заказ?")
    anna = await at(desk, open_page, "anna", QUEUE)
    await taken(anna)
    boris = await at(desk, open_page, "boris", "work/1?view=all")
    await expect(boris.get_by_role("button", name="Заявка")).to_be_visible()
    await expect(boris.get_by_role("button", name="Забрать себе")).to_have_count(0)
    olga = await at(desk, open_page, "olga", "work/1?view=all")
    await expect(olga.get_by_role("button", name="Забрать себе")).to_be_visible()
    form = await sheet(olga, "KeyA")
    await expect(form).to_contain_text("Обращение ведёт Anna")
    await olga.keyboard.press("Enter")
    await gone(olga)
    for page in (anna, olga):
        await expect(page.locator(".head .state")).to_contain_text("Olga")
    await expect(anna.locator("textarea[name=reply]")).to_be_disabled()


async def test_a_transfer_needs_its_packet_and_comes_back_with_a_reason_that_is_counted(
    desk: Desk, open_page: Open
) -> None:
    """A7, by keyboard alone."""
    await person(desk, "anna", support="operator")
    await person(desk, "boris", billing="operator")
    chief = await person(desk, "olga", support="supervisor", billing="supervisor")
    await told(desk, "человек", "дважды сняли деньги")
    anna = await at(desk, open_page, "anna", QUEUE)
    await taken(anna)
    form = await sheet(anna, "KeyT")
    await expect(form.get_by_role("status")).to_have_text("Не хватает: Телефон, Номер заказа")
    await form.locator("input[name=why]").focus()
    await anna.keyboard.type("проверьте списание")
    await anna.keyboard.press("Enter")
    await expect(form.get_by_role("alert")).to_contain_text("Линии нужно больше")
    session = await desk.house.store.conversation(1)
    assert session is not None
    assert session.session.line == "support"
    await form.get_by_role("button", name="Срочно, без недостающего").press("Enter")
    await gone(anna)
    await expect(anna).to_have_url(re.compile(r"/work\?view=mine$"))  # she sees no more of it, and was told so
    boris = await at(desk, open_page, "boris", QUEUE)
    await expect(boris.locator(".strip.sent")).to_contain_text("Передано из «Поддержка» (Anna).")
    await expect(boris.locator(".strip.sent")).to_contain_text("Срочно, без нужного: Телефон, Номер заказа.")
    await taken(boris)
    form = await sheet(boris, "KeyX")
    await boris.keyboard.type("это не расчёты, а доставка")
    await boris.keyboard.press("Control+Enter")
    await gone(boris)
    await anna.locator(".list [role=option]").click()
    await expect(anna.locator(".head .state")).to_contain_text("Anna")
    await expect(anna.locator(".private").last).to_contain_text("это не расчёты, а доставка")
    await anna.get_by_text("История", exact=True).click()
    await expect(anna.locator(".side")).to_contain_text("возвращено с причиной · Boris")
    day = desk.house.clock.moment().date().isoformat()
    table = await chief.ask("GET", f"/reports/transfers?from={day}&to={day}&by=line")
    assert table.status == 200, table.body
    (row,) = [row for row in table.body["rows"] if row["key"] == "support"]
    assert next(cell for cell in row["cells"] if cell["metric"] == "returned")["value"] == 1


async def test_a_transfer_with_its_packet_is_accepted(desk: Desk, open_page: Open) -> None:
    await person(desk, "anna", support="operator", billing="operator")
    await person(desk, "boris", billing="operator")
    await told(desk, "человек", "дважды сняли деньги")
    anna = await at(desk, open_page, "anna", QUEUE)
    await taken(anna)
    form = await sheet(anna, "KeyT")
    await form.locator("select[name=to-line]").select_option("billing")
    await form.get_by_label("Boris").check()
    await form.get_by_label("Телефон").fill("+7 916 123-45-67")
    await form.get_by_label("Номер заказа").fill("123456")
    await anna.keyboard.press("Enter")
    await gone(anna)
    boris = await at(desk, open_page, "boris", "work/1?view=mine")
    await expect(boris.locator(".side")).to_contain_text("123456")
    await boris.get_by_role("button", name="Принять").click()
    await expect(boris.locator(".strip.sent")).to_have_count(0)
    await expect(boris.locator(".head .state")).to_contain_text("Boris")


async def test_the_bot_asks_for_the_operator(desk: Desk, open_page: Open) -> None:
    page = await annas(desk, open_page)
    form = await sheet(page, "KeyL")
    await form.get_by_label("Номер заказа").check()
    await submitted(page)
    await expect(page.locator(".strip.loan")).to_contain_text("Бот спрашивает «Номер заказа».")
    await expect(page.locator(".side [aria-current=step]")).to_contain_text("Номер заказа")
    await told(desk, "123456")
    await expect(page.locator(".side li.done")).to_contain_text("Номер заказа")
    await expect(page.locator(".side [aria-current=step]")).to_contain_text("Город")
    await told(desk, "Тверь")
    await expect(page.locator(".strip.loan")).to_have_count(0)
    await expect(page.locator(".side dl")).to_contain_text("123456")
    await expect(page.locator(".side dl")).to_contain_text("Тверь")
    # What the bot has got is put right by the key, with the reason of a refusal in its place.
    await page.keyboard.press("KeyF")
    await page.keyboard.type("нет такого")
    await page.keyboard.press("Enter")
    await expect(page.locator(".side dl [role=alert]")).to_be_visible()
    await page.locator("input[name=field]").fill("654321")
    await page.keyboard.press("Enter")
    await expect(page.locator(".side dl")).to_contain_text("654321")


async def test_the_word_is_taken_back_from_the_bot(desk: Desk, open_page: Open) -> None:
    page = await annas(desk, open_page)
    form = await sheet(page, "KeyL")
    await form.get_by_label("Номер заказа").check()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Забрать слово")).to_be_visible()
    await page.keyboard.press("KeyE")
    await expect(page.locator(".strip.loan")).to_have_count(0)
    await expect(page.locator(".head .state")).to_contain_text("в работе")


async def test_a_supervisor_gives_a_session_to_somebody_and_says_how_urgent_it_is(desk: Desk, open_page: Open) -> None:
    await person(desk, "boris", support="operator")
    await desk.house.add("carl", support="operator")  # never was there
    await person(desk, "olga", support="supervisor")
    await told(desk, "человек", "где заказ?")
    page = await at(desk, open_page, "olga", "work/1?view=all")
    form = await sheet(page, "KeyS")
    await expect(form.get_by_label("Carl")).to_be_disabled()
    await form.get_by_label("Boris").check()
    await submitted(page)
    await expect(page.locator(".head .state")).to_contain_text("Boris")
    form = await sheet(page, "KeyP")
    await form.get_by_label("Критично").check()
    await submitted(page)
    await expect(page.locator(".list [role=option]").first).to_contain_text("срочно")
    # Back into the queue, from the menu that the key opens.
    await page.keyboard.press("KeyM")
    await page.get_by_role("menuitem", name="Снять и вернуть в очередь").press("Enter")
    await expect(page.locator(".head .state")).to_contain_text("в очереди")


async def test_put_aside_given_back_to_the_bot_and_closed_with_a_category(desk: Desk, open_page: Open) -> None:
    page = await annas(desk, open_page)
    form = await sheet(page, "KeyH")
    await form.get_by_label("4 часа").check()
    await form.get_by_label("Почему").fill("ждём склад")
    await submitted(page)
    await expect(page.locator(".strip")).to_contain_text("Отложено до")
    await page.keyboard.press("KeyU")
    await expect(page.locator(".head .state")).to_contain_text("в работе")
    form = await sheet(page, "KeyC")
    await page.keyboard.press("Enter")  # without a category the browser itself says what is missing
    await expect(dialog(page)).to_be_visible()
    await form.get_by_label("Доставка").check()
    await submitted(page)
    await expect(page.locator(".head .state")).to_contain_text("закрыто")
    await expect(page.locator(".side")).to_contain_text("Доставка")
    await told(desk, "человек", "ещё вопрос")
    await taken(page)
    await sheet(page, "KeyO")
    await submitted(page)
    await expect(page.locator(".head .state")).to_contain_text("у бота")


async def test_the_sheet_shows_every_key(desk: Desk, open_page: Open) -> None:
    """The same list makes the buttons, the menu, the keys and the sheet."""
    page = await annas(desk, open_page)
    offered = [await one.get_attribute("title") for one in await page.locator(".acts button").all()]
    form = await sheet(page, "Shift+Slash")
    keys = await form.locator("kbd").all_inner_texts()
    assert len(keys) == len(set(keys))
    assert {str(key) for key in offered} <= set(keys)
    await expect(form).to_contain_text("Пусть бот спросит")
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(re.compile(r"view=mine"))
