"""What is said in a talk and what became of it: failures in words, other ways to the client, replies, edits, files, tickets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from core.events import Edited, Reachability
from core.outbox import Sent
from tests.browser.console.conftest import Desk, Open
from tests.browser.console.talking import at, gone, open_desk, person, sheet, taken, told
from tests.browser.test_access import findings
from tests.gateway.api.house import Browser

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
QUEUE = "work/1?view=queue"


@pytest_asyncio.fixture(loop_scope="session")
async def desk() -> AsyncIterator[Desk]:
    async for made in open_desk():
        yield made


async def at_work(desk: Desk, open_page: Open) -> tuple[Page, Browser]:
    """Anna has the session of a client who asked for a person."""
    anna = await person(desk, "anna", support="operator")
    await told(desk, "человек", "где заказ?")
    page = await at(desk, open_page, "anna", QUEUE)
    await taken(page)
    return page, anna


async def say(page: Page, text: str) -> None:
    await page.keyboard.press("KeyR")
    await expect(page.locator("textarea[name=reply]")).to_be_focused()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("textarea[name=reply]")).to_have_value("")
    await page.keyboard.press("Escape")


def last(page: Page) -> Locator:
    return page.locator(".bubble.operator").last


async def choose(page: Page, name: str) -> None:
    """From the menu of the newest message, by keyboard."""
    await page.keyboard.press("Shift+KeyJ")
    await expect(page.locator(".dots:focus")).to_have_count(1)
    await page.keyboard.press("Enter")
    await page.get_by_role("menuitem", name=name).press("Enter")
    await expect(page.get_by_role("menu")).to_have_count(0)


# --- what did not arrive ------------------------------------------------------------------------------------------------


async def test_a_client_who_blocked_the_bot_is_answered_by_another_way(desk: Desk, open_page: Open) -> None:
    """A14: the client blocks the bot while somebody types."""
    page, anna = await at_work(desk, open_page)
    await told(desk, "привет", chat="2")
    joined = await anna.ask("POST", "/clients/1/join", {"other": 2, "reason": "сказала, что это она"})
    assert joined.status in (200, 201), joined.body
    await page.keyboard.press("KeyR")
    await page.keyboard.type("Заказ едет, будет завтра")
    desk.house.channel.answers.append(Sent("unreachable", reason="403 Forbidden: bot was blocked by the user"))
    await page.keyboard.press("Enter")
    await expect(last(page)).to_contain_text("не доставлено: клиент заблокировал бота")
    await expect(page.get_by_text("Слова мессенджера")).to_be_visible()
    await expect(page.locator(".ways")).to_contain_text("клиент закрыл переписку")
    way = page.get_by_role("button", name="Взять и ответить: telegram")
    await way.focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/work/2\?"))
    answer = page.locator("textarea[name=reply]")
    await expect(answer).to_have_value("Заказ едет, будет завтра")
    await answer.press("Enter")
    await expect(page.locator(".bubble.operator:not(.away)")).to_contain_text("Заказ едет, будет завтра")
    await desk.house.quiet()
    arrived = [row.target for row in desk.house.channel.rows if row.message and "Заказ едет" in row.message.body.text]
    assert len(arrived) == 2
    # One stream: what was said in the other talk is seen here, under its own session.
    await expect(page.locator(".bubble.away").filter(has_text="где заказ?")).to_be_visible()
    await expect(page.locator(".divider")).to_have_count(2)


async def test_a_block_is_seen_before_the_answer_is_sent(desk: Desk, open_page: Open) -> None:
    page, _ = await at_work(desk, open_page)
    await page.keyboard.press("KeyR")
    await page.keyboard.type("начало ответа")
    await told(desk, Reachability(False))
    await expect(page.locator(".ways")).to_contain_text("Других открытых каналов у клиента нет")
    await expect(page.locator("textarea[name=reply]")).to_have_value("начало ответа")
    await expect(page.get_by_role("button", name="Отправить")).to_be_disabled()
    await told(desk, "я вернулась")
    await expect(page.locator(".ways")).to_have_count(0)
    await expect(page.get_by_role("button", name="Отправить")).to_be_enabled()


async def test_what_failed_is_sent_again(desk: Desk, open_page: Open) -> None:
    page, _ = await at_work(desk, open_page)
    desk.house.channel.answers.append(Sent("rejected", reason="400 Bad Request: message is too long"))
    await say(page, "первая попытка")
    await expect(last(page)).to_contain_text("не доставлено: слишком длинное для этого канала")
    await choose(page, "Отправить ещё раз")
    await expect(last(page)).to_contain_text("отправлено")
    desk.house.channel.answers.append(Sent("unknown", reason="Connection lost"))
    await say(page, "вторая попытка")
    await expect(last(page)).to_contain_text("могло дойти")
    await last(page).get_by_role("button", name="Ещё раз").click()
    await expect(page.get_by_role("dialog")).to_contain_text("клиент может получить его дважды")
    await page.keyboard.press("Enter")
    await gone(page)
    await expect(last(page).locator(".state")).to_have_text("отправлено")
    assert desk.house.channel.texts[-2:] == ["вторая попытка", "вторая попытка"]


async def test_a_slip_is_corrected_and_taken_back(desk: Desk, open_page: Open) -> None:
    channel = desk.house.channel
    channel.capabilities = msgspec.structs.replace(channel.capabilities, edit=True, delete=True)
    page, _ = await at_work(desk, open_page)
    await say(page, "буит завтра")
    await expect(last(page)).to_contain_text("отправлено")
    await choose(page, "Исправить")
    area = page.locator("textarea[name=edited]")
    await area.fill("будет завтра")
    await area.press("Control+Enter")
    await gone(page)
    await expect(last(page).locator(".text")).to_have_text("будет завтра")
    await last(page).get_by_text("изменено").click()
    await expect(last(page).locator("details")).to_contain_text("буит завтра")
    await choose(page, "Отозвать")
    await expect(page.get_by_role("dialog")).to_contain_text("останется зачёркнутым")
    await page.keyboard.press("Enter")
    await gone(page)
    await expect(last(page)).to_contain_text("отозвано")


# --- what is said -------------------------------------------------------------------------------------------------------


async def test_an_answer_to_a_message_leads_back_to_it(desk: Desk, open_page: Open) -> None:
    page, _ = await at_work(desk, open_page)
    await choose(page, "Ответить на него")
    await expect(page.locator(".quoted")).to_contain_text("где заказ?")
    await expect(page.locator("textarea[name=reply]")).to_be_focused()
    await page.keyboard.type("он в пути")
    await page.keyboard.press("Enter")
    await expect(last(page).locator(".quote")).to_have_text("где заказ?")
    await expect(page.locator(".quoted")).to_have_count(0)
    message = desk.house.channel.rows[-1].message
    assert message is not None
    assert message.quote is not None
    assert message.quote.text == "где заказ?"
    await last(page).locator(".quote").click()
    await expect(page.locator(".bubble.found")).to_contain_text("где заказ?")


async def test_the_bots_part_is_folded_once_a_person_has_the_session(desk: Desk, open_page: Open) -> None:
    await person(desk, "anna", support="operator")
    await told(desk, "заявка", "не номер", "+7 916 123-45-67")
    page = await at(desk, open_page, "anna", "work/1?view=bot")
    await expect(page.locator(".folded")).to_have_count(0)
    await expect(page.locator(".bubble.bot").first).to_be_visible()
    await page.keyboard.press("KeyA")
    fold = page.locator(".folded")
    await expect(fold).to_contain_text("собрал: телефон")
    await expect(page.locator(".bubble.bot")).to_have_count(0)
    await fold.press("Enter")
    await expect(page.locator(".bubble.bot").first).to_be_visible()
    await fold.press("Enter")
    await expect(page.locator(".bubble.bot")).to_have_count(0)


async def test_an_edit_of_the_client_keeps_what_was(desk: Desk, open_page: Open) -> None:
    page, _ = await at_work(desk, open_page)
    await told(desk, "номер 11")
    await told(desk, Edited(str(1000 + desk.house.said), "номер 12"))
    bubble = page.locator(".bubble.client").last
    await expect(bubble.locator(".text")).to_have_text("номер 12")
    await bubble.get_by_text("изменено").click()
    await expect(bubble.locator("details")).to_contain_text("номер 11")


async def test_a_file_that_is_dropped_anywhere_goes_with_the_answer(desk: Desk, open_page: Open) -> None:
    page, _ = await at_work(desk, open_page)
    drop = """name => {
        const data = new DataTransfer();
        data.items.add(new File(["привет"], name, {type: "text/plain"}));
        const at = document.querySelector(".stream");
        at.dispatchEvent(new DragEvent("dragover", {dataTransfer: data, bubbles: true, cancelable: true}));
        at.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
    }"""
    await page.evaluate(drop, "памятка.txt")
    await expect(page.locator(".composer .file")).to_contain_text("памятка.txt")
    await expect(page.locator(".drop")).to_have_count(0)
    paste = """name => {
        const data = new DataTransfer();
        data.items.add(new File(["ещё"], name, {type: "text/plain"}));
        const at = document.querySelector("textarea[name=reply]");
        at.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
    }"""
    await page.evaluate(paste, "вторая.txt")
    await expect(page.locator(".composer .file")).to_have_count(2)
    await say(page, "две памятки")
    await expect(last(page).locator(".file")).to_have_count(2)


# --- a ticket out of the talk -------------------------------------------------------------------------------------------


async def test_a_ticket_is_made_by_keyboard_alone(desk: Desk, open_page: Open) -> None:
    page, _ = await at_work(desk, open_page)
    press = page.keyboard.press
    form = await sheet(page, "KeyI")
    await expect(form.locator("select[name=desk]")).to_be_focused()
    await press("ArrowDown")  # the second desk, which needs the number of the order
    await expect(form.get_by_role("status")).to_have_text("Не хватает: Номер заказа")
    await press("Tab")
    await press("Control+KeyA")
    await page.keyboard.type("Треснула крышка термоса")
    await press("Tab")
    await page.keyboard.type("В первый же день")
    await press("Tab")
    await expect(form.locator("[name='field-Номер заказа']")).to_be_focused()
    await page.keyboard.type("123456")
    await expect(form.get_by_role("status")).to_have_count(0)
    await press("Enter")
    await gone(page)
    await expect(page.locator(".toast")).to_contain_text("Заявка № 1 создана")
    link = page.locator(".side .tickets a")
    await expect(link).to_have_text("№ 1 · Треснула крышка термоса")
    ticket = await desk.house.store.ticket(1)
    assert ticket is not None
    assert (ticket.desk, ticket.fields["Номер заказа"]) == ("returns", "123456")
    await desk.house.quiet()
    assert any("№" in text or "1" in text for text in desk.house.channel.texts if "Треснула" in text)
    await link.press("Enter")
    await expect(page).to_have_url(re.compile(r"/tickets/1$"))


async def test_a_ticket_about_the_same_is_linked_or_joined_instead(desk: Desk, open_page: Open) -> None:
    page, anna = await at_work(desk, open_page)
    body = {"desk": "general", "title": "Треснула крышка термоса", "text": "где заказ?", "tell": False}
    assert (await anna.ask("POST", "/conversations/1/tickets", body)).status == 201
    await anna.ask("POST", "/conversations/1/close", {"epoch": 2, "category": "Доставка"})
    await told(desk, "человек", "Треснула крышка термоса, где заказ?")
    await taken(page)
    form = await sheet(page, "KeyI")
    await form.locator("[name=ticket-title]").fill("Опять крышка")
    await expect(form.locator(".alike")).to_contain_text("№ 1 · Треснула крышка термоса")
    await form.get_by_role("button", name="Создать и присоединить").press("Enter")
    await gone(page)
    await expect(page.locator(".toast")).to_contain_text("Заявка № 2 создана и присоединена к № 1")
    joined = await desk.house.store.ticket(2)
    assert joined is not None
    answer = await anna.ask("GET", "/tickets/1")
    assert [one["number"] for one in answer.body["joined"]] == [2]
    form = await sheet(page, "KeyI")
    await form.get_by_role("button", name="Связать с ней").first.press("Enter")
    await gone(page)
    answer = await anna.ask("GET", "/tickets/1")
    assert {it["session"] for it in answer.body["sessions"]} == {1, 2}


# --- all of it looks well -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_any_form(desk: Desk, open_page: Open, scheme: str) -> None:
    await person(desk, "anna", support="supervisor", billing="operator")
    await person(desk, "boris", support="operator")
    await told(desk, "человек", "где заказ?")
    page = await at(desk, open_page, "anna", QUEUE, color_scheme=scheme, bypass_csp=True)
    await taken(page)
    for key in ("KeyT", "KeyH", "KeyI", "KeyC", "KeyS", "KeyL", "KeyO", "KeyP", "Shift+Slash"):
        await sheet(page, key)
        assert await findings(page) == [], key
        await page.keyboard.press("Escape")
        await gone(page)
    await page.keyboard.press("KeyM")
    await expect(page.get_by_role("menu")).to_be_visible()
    assert await findings(page) == []
