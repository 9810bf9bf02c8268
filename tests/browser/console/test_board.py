"""The board of tickets: moved with the pointer and by keys, by two people at once, filtered by the address, page by page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings
from tests.gateway.api.house import Browser, open_house
from tests.gateway.api.test_tickets import SETTINGS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
MANY = 36  # more than a page of a column


@pytest_asyncio.fixture(loop_scope="session")
async def shop() -> AsyncIterator[Desk]:
    """Two desks; one has statuses of its own."""
    async for house in open_house(config=SETTINGS):
        await house.add("anna", support="operator")
        made = await Desk.open(house)
        yield made
        await made.server.close()


async def opened(shop: Desk, count: int) -> Browser:
    """Tickets of the desk with statuses, each of a client of its own; a machine that can change them."""
    machine = await shop.house.browser("anna")
    for at in range(count):
        home = (await shop.house.client("привет", chat=str(at))).conversation
        body = {"desk": "returns", "title": f"Возврат {at}", "fields": {"Номер заказа": f"ORD-{at}"}, "tell": False}
        made = await machine.ask("POST", f"/conversations/{home}/tickets", body)
        assert made.status == 201, made.body
    await shop.house.quiet()
    return machine


async def board(shop: Desk, open_page: Open, query: str = "?desk=returns") -> Page:
    watched = await open_page(bypass_csp=True)
    await watched.page.clock.set_fixed_time(shop.house.clock.moment())
    await shop.sign_in(watched, "anna")
    await watched.page.goto(f"{shop.url}/tickets/board{query}")
    await expect(watched.page.locator(".column").first).to_be_visible()
    return watched.page


async def master_of(shop: Desk, number: int) -> int:
    """The ticket that one is a part of, as stored; 0 for none."""
    ticket = await shop.house.store.ticket(number)
    assert ticket is not None
    return ticket.master


def column(page: Page, key: str) -> Locator:
    return page.locator(f'.column[data-column="{key}"]')


def card(page: Page, number: int) -> Locator:
    return page.locator(f'.ticket[data-number="{number}"]')


async def has(page: Page, key: str, *numbers: int) -> None:
    """The column holds these tickets and says how many."""
    await expect(column(page, key).locator(".count")).to_have_text(str(len(numbers)))
    await expect(column(page, key).locator(".ticket")).to_have_count(len(numbers))
    for number in numbers:
        await expect(column(page, key).locator(f'.ticket[data-number="{number}"]')).to_be_visible()


async def test_a_card_is_moved_with_the_pointer(shop: Desk, open_page: Open) -> None:
    await opened(shop, 2)
    page = await board(shop, open_page)
    await expect(page.locator(".column .head")).to_contain_text(["новая", "проверяем", "ждём вас", "деньги вернули"])
    await has(page, "new", 1, 2)
    assert await findings(page) == []
    async with page.expect_response(lambda answer: answer.request.method == "PATCH") as moved:
        await card(page, 1).drag_to(column(page, "check"))
    assert (await moved.value).status == 200
    await has(page, "check", 1)
    await has(page, "new", 2)
    ticket = await shop.house.store.ticket(1)
    assert ticket is not None
    assert ticket.status == "check"


async def test_a_card_is_moved_by_keys_and_keeps_the_focus(shop: Desk, open_page: Open) -> None:
    await opened(shop, 2)
    page = await board(shop, open_page)
    await has(page, "new", 1, 2)
    await page.keyboard.press("KeyJ")
    await expect(card(page, 1).locator(".title")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(card(page, 2).locator(".title")).to_be_focused()
    await page.keyboard.press("Shift+ArrowRight")
    await has(page, "check", 2)
    await expect(card(page, 2).locator(".title")).to_be_focused()
    await expect(page.locator("[aria-live=polite]", has_text="№ 2: проверяем")).to_be_attached()
    await page.keyboard.press("KeyM")
    async with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        await page.get_by_role("dialog").get_by_role("button", name="деньги вернули").press("Enter")
    await has(page, "paid", 2)
    await expect(card(page, 2).locator(".title")).to_be_focused()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/tickets/2$"))
    ticket = await shop.house.store.ticket(2)
    assert ticket is not None
    assert ticket.status == "paid"


async def test_of_two_who_move_the_same_ticket_one_is_told(shop: Desk, open_page: Open) -> None:
    await opened(shop, 1)
    await shop.house.add("vera", support="operator")
    page = await board(shop, open_page)
    vera = await shop.house.browser("vera")
    held: list[int] = []

    async def vera_first(route: Route) -> None:
        """Between the key of one and the server there is the change of another."""
        if route.request.method == "PATCH" and not held:
            held.append((await vera.ask("PATCH", "/tickets/1", {"version": 1, "status": "ask"})).status)
        await route.continue_()

    await page.route("**/api/v1/tickets/1", vera_first)
    await card(page, 1).locator(".title").focus()
    await page.keyboard.press("Shift+ArrowRight")
    await expect(page.get_by_text("Vera успел(а) раньше: № 1 теперь «ждём вас»")).to_be_visible()
    assert held == [200]
    await has(page, "ask", 1)
    await has(page, "check")
    await expect(card(page, 1).locator(".title")).to_be_focused()


async def test_what_others_do_is_seen_at_once(shop: Desk, open_page: Open) -> None:
    machine = await opened(shop, 2)
    page = await board(shop, open_page)
    await has(page, "new", 1, 2)
    await machine.ask("PATCH", "/tickets/1", {"version": 1, "status": "ask"})
    await has(page, "ask", 1)
    await has(page, "new", 2)
    await machine.ask("PATCH", "/tickets/2", {"version": 1, "title": "Возврат самовара"})
    await expect(card(page, 2)).to_contain_text("Возврат самовара")


async def test_a_column_comes_page_by_page_and_counts_all(shop: Desk, open_page: Open) -> None:
    await opened(shop, MANY)
    page = await board(shop, open_page)
    await expect(column(page, "new").locator(".count")).to_have_text(str(MANY))
    await expect(column(page, "new").locator(".ticket")).to_have_count(30)
    await column(page, "new").get_by_role("button", name=f"Ещё {MANY - 30}").click()
    await expect(column(page, "new").locator(".ticket")).to_have_count(MANY)
    await expect(column(page, "new").get_by_role("button", name=re.compile("^Ещё"))).to_have_count(0)


async def test_the_address_is_the_state_and_list_and_board_share_it(shop: Desk, open_page: Open) -> None:
    machine = await opened(shop, 3)
    me = (await machine.ask("GET", "/me")).body["id"]
    await machine.ask("PATCH", "/tickets/3", {"version": 1, "assignee": me})
    page = await board(shop, open_page, "")
    await expect(page.locator(".column .head")).to_contain_text(["Открыта", "Ждёт", "Решена"])
    await page.select_option("select[name=desk]", "returns")
    await page.select_option("select[name=assignee]", "me")
    await has(page, "new", 3)
    await expect(card(page, 3)).to_contain_text("Anna")
    await page.reload()
    await has(page, "new", 3)
    await expect(page.locator("select[name=assignee]")).to_have_value("me")
    await page.get_by_role("link", name="Список").click()
    await expect(page).to_have_url(re.compile(r"/tickets\?.*assignee=me"))
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.select_option("select[name=assignee]", "nobody")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await page.get_by_role("link", name="Доска").click()
    await has(page, "new", 1, 2)
    await page.go_back()
    await expect(page.locator("tbody tr")).to_have_count(2)


async def test_several_desks_move_by_groups(shop: Desk, open_page: Open) -> None:
    await opened(shop, 1)
    page = await board(shop, open_page, "")
    await has(page, "open", 1)
    await card(page, 1).locator(".title").focus()
    async with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        await page.keyboard.press("Shift+ArrowRight")
    await has(page, "waiting", 1)
    ticket = await shop.house.store.ticket(1)
    assert ticket is not None
    assert ticket.status == "ask"


async def test_the_ledger_says_why_the_deadline_is_what_it_is(shop: Desk, open_page: Open) -> None:
    machine = await opened(shop, 1)
    shop.house.clock.at += 600
    await machine.ask("PATCH", "/tickets/1", {"version": 1, "status": "ask"})
    shop.house.clock.at += 1200
    await machine.ask("PATCH", "/tickets/1", {"version": 2, "status": "check"})
    page = await board(shop, open_page)
    await page.goto(f"{shop.url}/tickets/1")
    ledger = page.locator(".ledger")
    await expect(ledger).to_contain_text("Стол обещает решить за 8 ч рабочего времени, по часам линии «Расчёты»")
    await expect(ledger.locator(".spent")).to_contain_text(
        re.compile("шло в счёт.*10 мин.*ждали клиента.*20 мин", re.DOTALL)
    )
    await expect(ledger).to_contain_text("Осталось 7 ч 50 мин рабочего времени")
    await expect(ledger).to_contain_text("сдвинут: часы стояли 20 мин")
    await expect(page.locator(".history")).to_contain_text("Anna")
    await expect(page.locator(".history")).not_to_contain_text("user:")
    assert await findings(page) == []


async def test_duplicates_are_joined_and_taken_apart_on_the_page(shop: Desk, open_page: Open) -> None:
    await opened(shop, 2)
    page = await board(shop, open_page)
    await page.goto(f"{shop.url}/tickets/1")
    same = page.locator(".same")
    await same.get_by_role("button", name="Найти заявку").press("Enter")
    await page.keyboard.type("возврат 1")
    await expect(same.get_by_role("option")).to_have_text([re.compile("№ 2 · Возврат 1")])  # itself is not offered
    assert await findings(page) == []
    await page.keyboard.press("Enter")
    await same.get_by_role("button", name="№ 2 — часть № 1").press("Enter")
    await expect(same).to_contain_text("Объединены с этой")
    await page.locator(".same").get_by_role("link").click()
    await expect(page.locator(".master")).to_contain_text("Объединена с № 1")
    await expect(page.locator("select[name=status]")).to_be_disabled()
    await page.get_by_role("button", name="Разъединить").click()
    await expect(page.locator(".master")).to_have_count(0)
    assert await master_of(shop, 2) == 0


async def test_a_duplicate_finds_its_master_by_number(shop: Desk, open_page: Open) -> None:
    await opened(shop, 2)
    page = await board(shop, open_page)
    await page.goto(f"{shop.url}/tickets/2")
    same = page.locator(".same")
    await same.get_by_role("button", name="Найти заявку").click()
    await page.fill("input[name=duplicate]", "№1")
    await same.get_by_role("option", name="№ 1").click()
    await same.get_by_role("button", name="№ 2 — часть № 1").click()
    await expect(page.locator(".master")).to_contain_text("Объединена с № 1")
    assert await master_of(shop, 2) == 1


async def test_a_session_is_found_by_its_client_and_linked(shop: Desk, open_page: Open) -> None:
    await opened(shop, 2)
    page = await board(shop, open_page)
    await page.goto(f"{shop.url}/tickets/1")
    links = page.locator(".links")
    await expect(links.locator(".one")).to_have_count(1)
    await links.get_by_role("button", name="Привязать обращение").press("Enter")
    await expect(links).to_contain_text("Таких обращений нет")  # the client has one, and it is linked
    await page.keyboard.type("клиент")
    await expect(links.get_by_role("option")).to_have_text([re.compile("Клиент · Обращение № 1")])  # the other client's
    await page.keyboard.press("Enter")
    await expect(links.locator(".one")).to_have_count(2)


async def test_a_ticket_is_given_to_a_colleague_and_words_survive_the_tab(shop: Desk, open_page: Open) -> None:
    await opened(shop, 1)
    await shop.house.add("vera", support="operator")
    page = await board(shop, open_page)
    await page.goto(f"{shop.url}/tickets/1")
    await page.fill("textarea[name=comment]", "Деньги уже идут")
    async with page.expect_response(lambda answer: answer.request.method == "PATCH") as given:
        await page.select_option("select[name=assignee]", label="Vera")
    assert (await given.value).status == 200
    await page.reload()
    await expect(page.locator("select[name=assignee] option:checked")).to_have_text("Vera")
    await expect(page.locator("textarea[name=comment]")).to_have_value("Деньги уже идут")
    await page.select_option("select[name=comment-status]", "paid")
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.locator(".comments .said")).to_contain_text("Деньги уже идут")
    await expect(page.locator("select[name=status]")).to_have_value("paid")
    await expect(page.locator("textarea[name=comment]")).to_have_value("")
