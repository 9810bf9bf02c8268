"""What supervisors see of their lines and do about it: put sessions elsewhere, whisper, take over, limit people for today."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from core.accounts import operator_id
from core.events import Message
from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings
from tests.gateway.api.house import CONFIG, Browser, House, open_house
from tests.gateway.house import inbound

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
NAMES = {"1": "Мария Орлова", "2": "Игорь", "3": "Светлана К."}
# Billing is open around the clock and asks for the number of the order; people take by themselves, so that nothing moves
# but by the hand of the supervisor. One line has a promise.
ALWAYS = 'hours: {mon-sun: "00:00-24:00"}'
LINES = CONFIG.replace(
    'support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"},',
    f"support: {{title: Поддержка, {ALWAYS}, route: pull, first_reply: 5m, max_sessions: 5,",
).replace('hours: {mon-fri: "09:00-18:00"}', f"{ALWAYS}, route: pull, packet: [Номер заказа]")


@pytest_asyncio.fixture(loop_scope="session")
async def floor() -> AsyncIterator[Desk]:
    """A desk with two lines where people take by themselves."""
    async for house in open_house(config=LINES):
        made = await Desk.open(house)
        yield made
        await made.server.close()


async def waits(house: House, chat: str) -> int:
    """A client waits; the conversation."""
    house.said += 1
    event = inbound(house.said, Message("человек"), chat, house.clock.moment())
    (receipt,) = await house.gateway.intake.accept([msgspec.structs.replace(event, sender_name=NAMES.get(chat, chat))])
    await house.quiet()
    return receipt.conversation


async def online(house: House, name: str) -> Browser:
    browser = await house.browser(name)
    assert (await browser.ask("PUT", "/me/presence", {"state": "online"})).status == 200
    return browser


async def owner(house: House, home: int) -> tuple[str, str]:
    """Line, and who has it."""
    found = await house.store.conversation(home)
    assert found is not None
    return found.session.line, found.session.operator or found.session.owner


async def owned(house: House, home: int, *wanted: str) -> None:
    """The server comes to have it so; the page shows it before that. Raises TimeoutError."""
    async with asyncio.timeout(20):
        while await owner(house, home) != wanted:
            await asyncio.sleep(0.05)


async def staffed(desk: Desk) -> dict[str, int]:
    """Anna and Boris work in support, Carl in billing, Olga leads both; all but Olga are there. Accounts by name."""
    house = desk.house
    made = {name: (await house.add(name, support="operator")).id for name in ("anna", "boris")}
    made["carl"] = (await house.add("carl", billing="operator")).id
    made["olga"] = (await house.add("olga", "supervisor", support="supervisor", billing="supervisor")).id
    for name in ("anna", "boris", "carl"):
        await online(house, name)
    return made


async def watching(desk: Desk, open_page: Open, where: str = "lines", name: str = "olga", **how: object) -> Page:
    watched = await open_page(**how)
    await desk.sign_in(watched, name)
    await watched.page.goto(f"{desk.url}/{where}")
    return watched.page


def person(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def tile(page: Page, title: str) -> Locator:
    return page.locator(".tile", has=page.get_by_role("button", name=title, exact=True))


def waiting(page: Page) -> Locator:
    return page.get_by_role("list", name="Очередь").locator("[data-conversation]")


def session(place: Locator, name: str) -> Locator:
    return place.locator("[data-conversation]", has_text=name)


async def menu(page: Page, what: str) -> None:
    await page.get_by_role("dialog").get_by_role("button", name=what, exact=True).click()


# --- moving ------------------------------------------------------------------------------------------------------------


async def test_a_session_is_dragged_between_people(floor: Desk, open_page: Open) -> None:
    people = await staffed(floor)
    home = await waits(floor.house, "1")
    page = await watching(floor, open_page)
    await waiting(page).first.drag_to(person(page, "Anna"))
    await expect(session(person(page, "Anna"), "Мария")).to_be_visible()
    await expect(waiting(page)).to_have_count(0)
    await owned(floor.house, home, "support", operator_id(people["anna"]))
    await expect(person(page, "Anna").locator(".load")).to_have_text("1 / 5")
    await session(person(page, "Anna"), "Мария").drag_to(person(page, "Boris"))
    await expect(session(person(page, "Boris"), "Мария")).to_be_visible()
    await expect(person(page, "Boris").locator(".load")).to_have_text("1 / 5")
    await owned(floor.house, home, "support", operator_id(people["boris"]))
    await session(person(page, "Boris"), "Мария").drag_to(tile(page, "Поддержка"))
    await expect(session(page.get_by_role("list", name="Очередь"), "Мария")).to_contain_text("ждёт, кто возьмёт")
    await owned(floor.house, home, "support", "queue")


async def test_between_lines_with_the_packet_that_is_asked_for(floor: Desk, open_page: Open) -> None:
    """A7 by pointer: the form comes first, and nothing is moved until it is filled in."""
    await staffed(floor)
    home = await waits(floor.house, "1")
    page = await watching(floor, open_page)
    await waiting(page).first.drag_to(tile(page, "Расчёты"))
    form = page.get_by_role("dialog")
    await expect(form.get_by_label("Номер заказа")).to_be_visible()
    await expect(form.get_by_role("button", name="Передать", exact=True)).to_be_disabled()
    await owned(floor.house, home, "support", "queue")
    await form.get_by_label("Номер заказа").fill("123456")
    await form.get_by_role("button", name="Передать", exact=True).click()
    await expect(form).to_have_count(0)
    await expect(tile(page, "Расчёты").locator("dl div", has_text="Ждут").first.locator("dd")).to_have_text("1")
    await owned(floor.house, home, "billing", "queue")
    found = await floor.house.store.conversation(home)
    assert found is not None
    assert found.session.packet == {"Номер заказа": "123456"}


async def test_what_is_typed_stays_while_the_floor_changes(floor: Desk, open_page: Open) -> None:
    await staffed(floor)
    await waits(floor.house, "1")
    page = await watching(floor, open_page)
    await waiting(page).first.drag_to(tile(page, "Расчёты"))
    form = page.get_by_role("dialog")
    await form.get_by_label("Номер заказа").fill("123456")
    async with page.expect_response(re.compile("/sla/at-risk")):
        await waits(floor.house, "2")
    await expect(
        page.locator(".tile", has_text="Поддержка").locator("dl div", has_text="Ждут").first.locator("dd")
    ).to_have_text("2")
    await expect(form.get_by_label("Номер заказа")).to_have_value("123456")
    await expect(form.get_by_role("button", name="Передать", exact=True)).to_be_enabled()


async def test_all_of_it_by_keyboard(floor: Desk, open_page: Open) -> None:
    """Between people, into another line and to a person of it, without the mouse."""
    people = await staffed(floor)
    home = await waits(floor.house, "1")
    page = await watching(floor, open_page)
    form = page.get_by_role("dialog")

    async def to(row: Locator, value: str) -> None:
        await row.press("KeyM")
        await expect(form.locator("select[name=to]")).to_be_focused()
        await form.locator("select[name=to]").select_option(value)

    await to(waiting(page).first, f"person:{people['anna']}")
    await page.keyboard.press("Enter")
    await expect(form).to_have_count(0)
    await expect(session(person(page, "Anna"), "Мария")).to_be_visible()
    await owned(floor.house, home, "support", operator_id(people["anna"]))
    await to(session(person(page, "Anna"), "Мария"), f"person:{people['carl']}")
    await form.get_by_label("Номер заказа").focus()
    await page.keyboard.type("654321")
    await page.keyboard.press("Enter")
    await expect(session(person(page, "Carl"), "Мария")).to_be_visible()
    await expect(form).to_have_count(0)
    await owned(floor.house, home, "billing", operator_id(people["carl"]))


async def test_nobody_who_is_away_and_no_line_that_is_closed(desk: Desk, open_page: Open) -> None:
    """Billing of this house is closed at night; Boris has never been there."""
    await desk.house.add("boris", support="operator")
    await desk.house.add("olga", "supervisor", support="supervisor", billing="supervisor")
    desk.house.clock.at += 14 * 3600
    home = await waits(desk.house, "1")
    page = await watching(desk, open_page)
    for place in (person(page, "Boris"), tile(page, "Расчёты")):
        await waiting(page).first.drag_to(place)
        await expect(page.get_by_role("dialog")).to_have_count(0)
    await waiting(page).first.press("KeyM")
    options = page.locator("select[name=to] option")
    assert await options.evaluate_all("all => all.map(it => it.disabled)") == [True, True, True]
    assert await owner(desk.house, home) == ("support", "queue")


async def test_a_colleague_was_quicker(floor: Desk, open_page: Open) -> None:
    """The page shows it at the new place at once; the server's refusal puts it where it is in truth."""
    people = await staffed(floor)
    home = await waits(floor.house, "1")
    boris = await floor.house.browser("boris")
    page = await watching(floor, open_page)
    await expect(waiting(page)).to_have_count(1)

    async def first_boris(route: object) -> None:
        await boris.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
        await route.continue_()  # type: ignore[attr-defined]

    await page.route("**/assign", first_boris)
    await waiting(page).first.drag_to(person(page, "Anna"))
    await expect(page.get_by_text("Обращение уже в других руках")).to_be_visible()
    await expect(session(person(page, "Boris"), "Мария")).to_be_visible()
    await expect(session(person(page, "Anna"), "Мария")).to_have_count(0)
    await owned(floor.house, home, "support", operator_id(people["boris"]))


# --- with somebody who works --------------------------------------------------------------------------------------------


async def test_a_whisper_reaches_the_owner_and_never_the_client(floor: Desk, open_page: Open) -> None:
    await staffed(floor)
    home = await waits(floor.house, "1")
    anna = await floor.house.browser("anna")
    await anna.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    at_work = await watching(floor, open_page, f"work/{home}?view=mine", "anna")
    page = await watching(floor, open_page)
    await session(person(page, "Anna"), "Мария").click()
    await menu(page, "Шепнуть")
    await page.fill("textarea[name=whisper]", "предложите скидку 10 %")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(at_work.locator(".private")).to_contain_text("предложите скидку 10 %")
    (mention,) = (await anna.ask("GET", "/me/mentions")).body["items"]
    assert mention["text"] == "предложите скидку 10 %"
    await floor.house.quiet()
    assert not [text for text in floor.house.channel.texts if "скидку" in text]


async def test_taking_over(floor: Desk, open_page: Open) -> None:
    people = await staffed(floor)
    home = await waits(floor.house, "1")
    anna = await floor.house.browser("anna")
    await anna.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    page = await watching(floor, open_page)
    await session(person(page, "Anna"), "Мария").press("KeyA")
    await expect(session(person(page, "Olga"), "Мария")).to_be_visible()
    await owned(floor.house, home, "support", operator_id(people["olga"]))
    await session(person(page, "Olga"), "Мария").click()
    await page.get_by_role("dialog").get_by_role("link", name="Открыть и слушать").click()
    await expect(page).to_have_url(re.compile(rf"/work/{home}\?view=all"))


async def test_a_limit_for_today_is_kept_by_routing(desk: Desk, open_page: Open) -> None:
    """Of two who wait one is given; the other gets its cause."""
    anna = await desk.house.add("anna", support="operator")
    await desk.house.add("olga", "supervisor", support="supervisor")
    page = await watching(desk, open_page)
    await person(page, "Anna").get_by_role("button", name="Присутствие и нагрузка: Anna").click()
    await page.fill("input[name=most]", "1")
    await expect(page.get_by_label("Только сегодня")).to_be_checked()
    await menu(page, "Ограничить")
    await expect(person(page, "Anna")).to_contain_text("Сегодня не больше 1")
    await online(desk.house, "anna")
    homes = [await waits(desk.house, chat) for chat in ("1", "2")]
    await expect(session(person(page, "Anna"), "Мария")).to_be_visible()
    await expect(person(page, "Anna").locator(".load")).to_have_text("1 / 1")
    await expect(session(page.get_by_role("list", name="Очередь"), "Игорь")).to_contain_text("все заняты")
    assert [await owner(desk.house, home) for home in homes] == [
        ("support", operator_id(anna.id)),
        ("support", "queue"),
    ]
    await session(page.get_by_role("list", name="Очередь"), "Игорь").click()
    await expect(page.get_by_role("dialog").locator(".why")).to_contain_text("Anna: уже полный")


async def test_somebody_forgot_to_say_that_they_have_left(floor: Desk, open_page: Open) -> None:
    """They are taken off by the supervisor, and their own page tells them."""
    await staffed(floor)
    watched = await open_page()
    await floor.sign_in(watched, "anna")
    own = watched.page.locator("nav.rail select[name=presence]")
    await expect(own).to_have_value("online")
    page = await watching(floor, open_page)
    await expect(person(page, "Anna").locator(".state")).to_contain_text("На линии")
    await person(page, "Anna").get_by_role("button", name="Присутствие и нагрузка: Anna").click()
    assert await findings(page) == []
    await menu(page, "Перерыв")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(person(page, "Anna").locator(".state")).to_contain_text("Перерыв")
    await expect(watched.page.locator(".toasts")).to_contain_text("Старший отметил за вас: «Перерыв»")
    await expect(own).to_have_value("break")
    await own.select_option("online")
    await expect(person(page, "Anna").locator(".state")).to_contain_text("На линии")
    await expect(watched.page.locator(".toasts")).not_to_contain_text("На линии")


async def test_all_are_away_then_one_comes(desk: Desk, open_page: Open) -> None:
    """A5: the oldest by deadline is assigned to them, and the page shows it."""
    anna = await desk.house.add("anna", support="operator")
    await desk.house.add("olga", "supervisor", support="supervisor")
    limit = await desk.house.browser("olga")
    assert (await limit.ask("PUT", f"/users/{anna.id}/capacity", {"max_sessions": 1})).status == 200
    homes = []
    for chat in ("2", "1", "3"):
        homes.append(await waits(desk.house, chat))
        desk.house.clock.at += 90
    page = await watching(desk, open_page)
    await expect(waiting(page)).to_have_count(3)
    for row in await waiting(page).all():
        await expect(row).to_contain_text("никого на линии")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    await watched.page.select_option("nav.rail select[name=presence]", "online")
    await expect(session(person(page, "Anna"), "Игорь")).to_be_visible()
    await expect(waiting(page)).to_have_count(2)
    assert await owner(desk.house, homes[0]) == ("support", operator_id(anna.id))


# --- what is seen -------------------------------------------------------------------------------------------------------


async def test_what_is_at_risk(floor: Desk, open_page: Open) -> None:
    """Chips say what is left; a broken promise stands out at its line."""
    await staffed(floor)
    await waits(floor.house, "1")
    floor.house.clock.at += 6 * 60
    await waits(floor.house, "2")
    page = await watching(floor, open_page)
    await expect(tile(page, "Поддержка").locator("dl div", has_text="Поздно").locator("dd")).to_have_text("1")
    await page.get_by_role("tab", name=re.compile("Под угрозой")).click()
    await expect(page).to_have_url(re.compile("pane=risk"))
    rows = page.get_by_role("list", name="Под угрозой").locator("[data-conversation]")
    await expect(rows).to_have_count(1)
    await expect(rows.first.locator(".due.late")).to_contain_text("просрочено на 1 мин")


async def test_the_address_holds_what_is_looked_at(floor: Desk, open_page: Open) -> None:
    await staffed(floor)
    await waits(floor.house, "1")
    page = await watching(floor, open_page)
    await tile(page, "Расчёты").get_by_role("button", name="Расчёты").click()
    await expect(person(page, "Anna")).to_have_count(0)
    await expect(waiting(page)).to_have_count(0)
    await page.check("input[name=here]")
    await expect(page).to_have_url(re.compile("line=billing&here=1"))
    await expect(person(page, "Olga")).to_have_count(0)
    await page.reload()
    await expect(person(page, "Carl")).to_be_visible()
    await expect(person(page, "Olga")).to_have_count(0)
    await page.goto(f"{floor.url}/lines?q=мар")
    await expect(waiting(page)).to_have_count(1)
    await page.fill("input[name=q]", "нет такого")
    await expect(page.get_by_text("Ничего не найдено")).to_be_visible()


async def drag(page: Page, what: Locator, where: Locator) -> None:
    """By the pointer, which rests over the place for a moment: a page of hundreds learns of the drag while it goes on."""
    await what.hover()
    await page.mouse.down()
    await where.hover()
    await expect(page.locator(".session.dragged")).to_have_count(1)
    await where.hover()
    await page.mouse.up()


async def test_thirty_people_and_three_hundred_who_wait(floor: Desk, open_page: Open) -> None:
    """Only what is in sight is in the page; the last one is found by scrolling, and can be dragged from there."""
    people = await staffed(floor)
    for n in range(27):
        await floor.house.add(f"person{n}", support="operator")
    events = []
    for chat in range(100, 400):
        floor.house.said += 1
        event = inbound(floor.house.said, Message("человек"), str(chat), floor.house.clock.moment())
        events.append(msgspec.structs.replace(event, sender_name=f"Клиент {chat}"))
        floor.house.clock.at += 0.01  # nobody is taken for absent meanwhile
    for place in range(0, 300, 50):
        receipts = await floor.house.gateway.intake.accept(events[place : place + 50])
        await floor.house.quiet()
    page = await watching(floor, open_page)
    await expect(page.get_by_role("tab", name=re.compile("Очередь"))).to_contain_text("300")
    assert await waiting(page).count() < 40
    await expect(page.locator(".person")).to_have_count(31)
    await page.get_by_role("list", name="Очередь").evaluate("it => it.scrollTo(0, it.scrollHeight)")
    last = session(page.get_by_role("list", name="Очередь"), "Клиент 399")
    await drag(page, last, person(page, "Anna"))
    await expect(session(person(page, "Anna"), "Клиент 399")).to_be_visible()
    await owned(floor.house, receipts[-1].conversation, "support", operator_id(people["anna"]))


@pytest.mark.parametrize("where", ["lines", "lines?pane=risk", "lines?line=support&here=1"])
async def test_it_is_for_everybody(floor: Desk, open_page: Open, where: str) -> None:
    await staffed(floor)
    home = await waits(floor.house, "1")
    await waits(floor.house, "2")
    await (await floor.house.browser("anna")).ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    page = await watching(floor, open_page, where, bypass_csp=True)
    await expect(session(person(page, "Anna"), "Мария")).to_be_visible()
    assert await findings(page) == []
    await session(person(page, "Anna"), "Мария").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await findings(page) == []
