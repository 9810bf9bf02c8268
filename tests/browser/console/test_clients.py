"""The client's card in the console: written on beside the talk, two that are one joined and taken apart exactly."""

from __future__ import annotations

import re

import msgspec
import pytest
from playwright.async_api import Page, Route, expect

from core.events import Message
from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings
from tests.gateway.api.house import Browser
from tests.gateway.house import inbound

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
TABS = ("", "?tab=sessions", "?tab=tickets", "?tab=edits")
NAMES = {1: "Пётр Сомов", 2: "Вера Ильина"}


async def said(desk: Desk, chat: int, text: str) -> None:
    """The client of a chat says something, under their name."""
    desk.house.said += 1
    event = inbound(desk.house.said, Message(text), str(chat), desk.house.clock.moment())
    await desk.house.gateway.intake.accept([msgspec.structs.replace(event, sender_name=NAMES[chat])])
    await desk.house.quiet()


async def written(browser: Browser, client: int, **changes: object) -> None:
    card = (await browser.ask("GET", f"/clients/{client}")).body
    answer = await browser.ask("PATCH", f"/clients/{client}", {"version": card["version"], **changes})
    assert answer.status == 200, answer.body


async def two_clients(desk: Desk) -> Browser:
    """Each with a talk, a ticket, a note, tags, a tier and contacts of their own."""
    await desk.house.add("anna", support="operator")
    machine = await desk.house.browser("anna")
    for client, name in NAMES.items():
        await said(desk, client, "человек")
        await said(desk, client, f"Это {name}")
        fields = {"email": f"c{client}@example.org", "phone": f"+7912345678{client}"}
        await written(machine, client, tier=f"t{client}", tags=["общая", f"своя {client}"], fields=fields)
        await machine.ask("POST", f"/clients/{client}/notes", {"text": f"о клиенте {client}", "conversation": client})
        await machine.ask("POST", f"/conversations/{client}/tickets", {"desk": "general", "title": f"дело {client}"})
    await desk.house.quiet()
    return machine


async def opened(desk: Desk, open_page: Open, path: str) -> Page:
    watched = await open_page(bypass_csp=True)
    await desk.sign_in(watched, "anna")
    await watched.page.goto(f"{desk.url}/{path}")
    return watched.page


async def seen(desk: Desk, page: Page, client: int) -> dict[str, str]:
    """All that the page of a client says, tab by tab, and the lists that they are in."""
    found = {}
    for tab in TABS:
        await page.goto(f"{desk.url}/clients/{client}{tab}")
        await expect(page.locator("h1")).to_contain_text(f"№ {client}")
        await expect(page.locator("[role=tabpanel]")).to_contain_text(re.compile(r"\S{3}"))
        await expect(page.locator(".said .soft").first if not tab else page.locator("[role=tabpanel]")).to_be_visible()
        found[f"{client}{tab}"] = await page.locator("main").inner_text()
    for query in ("", "?tag=общая", f"?tag=своя {client}", f"?tier=t{client}", f"?q=c{client}@"):
        await page.goto(f"{desk.url}/clients{query}")
        await expect(page.locator("[data-find]").first).to_be_visible()
        found[query] = await page.locator("table").inner_text()
    return found


async def test_what_nobody_knows_yet_is_asked_for_behind_a_button(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await said(desk, 1, "человек")
    page = await opened(desk, open_page, "work/1?view=all")
    card = page.locator("section.client")
    await expect(card.get_by_text("Пётр Сомов")).to_be_visible()
    await expect(card.locator(".value")).to_have_count(1)
    await card.get_by_role("button", name="Заполнить: Уровень").click()
    await card.get_by_role("button", name="Изменить: Уровень").click()
    await page.keyboard.type("золотой")
    await page.keyboard.press("Enter")
    await expect(card.locator(".value", has_text="Уровень")).to_contain_text("золотой")


async def test_the_card_is_written_on_beside_the_talk(desk: Desk, open_page: Open) -> None:
    await two_clients(desk)
    page = await opened(desk, open_page, "work/1?view=all")
    card = page.locator("section.client")
    await expect(card.get_by_text("+7 912 345-67-81")).to_be_visible()
    await expect(card.get_by_role("list", name="Каналы")).to_contain_text("telegram")
    assert await findings(page) == []
    await card.get_by_role("button", name="Изменить: Телефон").click()
    await page.fill("input[name=card-phone]", "двенадцать")
    await page.keyboard.press("Enter")
    await expect(card.get_by_role("alert")).to_contain_text("телефон")
    await page.fill("input[name=card-phone]", "8 912 000 11 22")
    await page.keyboard.press("Enter")
    await expect(card.get_by_text("+7 912 000-11-22")).to_be_visible()
    await page.fill(".client input[name=tag]", "постоянный, опт")
    await page.keyboard.press("Enter")
    await expect(card.get_by_role("link", name="опт", exact=True)).to_be_visible()
    await card.get_by_role("button", name="Убрать метку: общая").click()
    await expect(card.get_by_role("link", name="общая", exact=True)).to_have_count(0)
    await page.fill("textarea[name=client-note]", "звонить после обеда")
    await page.keyboard.press("Control+Enter")
    await expect(card.locator(".kept").first).to_contain_text("звонить после обеда")
    stored = await desk.house.store.client(1)
    assert stored is not None
    assert stored["phone"] == "+79120001122"
    assert "обеда" not in " ".join(desk.house.channel.texts)


async def test_what_a_colleague_changed_meanwhile_is_not_overwritten(desk: Desk, open_page: Open) -> None:
    """Theirs stands, one is told, and one's own words are still in the field."""
    machine = await two_clients(desk)
    page = await opened(desk, open_page, "clients/1")
    quicker = [1]

    async def slow(route: Route) -> None:
        """A colleague writes between the reading of the card and the arrival of the change."""
        if route.request.method == "PATCH" and quicker:
            await written(machine, quicker.pop(), tier="vip")
        await route.continue_()

    await page.route("**/api/v1/clients/1", slow)
    await page.get_by_role("button", name="Изменить: Имя").click()
    await page.fill("input[name=card-name]", "Пётр Ильич")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("только что изменил")
    await expect(page.locator(".value", has_text="Уровень").locator(".text")).to_have_text("vip")
    await expect(page.locator("input[name=card-name]")).to_have_value("Пётр Ильич")
    await page.locator("input[name=card-name]").press("Enter")
    await expect(page.locator("h1")).to_contain_text("Пётр Ильич")
    stored = await desk.house.store.client(1)
    assert stored is not None
    assert (stored["name"], stored["tier"]) == ("Пётр Ильич", "vip")


async def test_merge_and_unmerge_restore_both_exactly(desk: Desk, open_page: Open) -> None:
    """A10, as it is seen on the pages."""
    await two_clients(desk)
    page = await opened(desk, open_page, "clients")
    before = {client: await seen(desk, page, client) for client in NAMES}
    await page.goto(f"{desk.url}/clients/2")
    await page.get_by_role("button", name="Объединить…").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet).to_contain_text("Похожих нет")
    await page.fill("input[name=other]", "сомов")
    await sheet.get_by_role("button", name="Сравнить: Пётр Сомов").click()
    row = sheet.get_by_role("row", name=re.compile("^Имя"))
    await expect(row.get_by_role("cell")).to_have_text(["Вера Ильина", "Пётр Сомов", re.compile(".+")])
    tags = sheet.get_by_role("row", name=re.compile("^Метки")).get_by_role("cell").last
    await expect(tags).to_have_text("общая, своя 1, своя 2")
    assert await findings(page) == []
    await expect(sheet.get_by_role("button", name="Объединить", exact=True)).to_be_disabled()
    await page.fill("input[name=reason]", "назвал номер заказа")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/clients/1$"))
    await expect(page.locator(".tabs")).to_contain_text("Заявки 2")
    await expect(page.locator(".stream")).to_contain_text("Это Пётр Сомов")
    await expect(page.locator(".stream")).to_contain_text("Это Вера Ильина")
    await page.goto(f"{desk.url}/clients/2?tab=joins")  # an old link leads to the whole client
    await expect(page.locator("h1")).to_contain_text("№ 1")
    await expect(page.locator("[role=tabpanel]")).to_contain_text("назвал номер заказа")
    assert await findings(page) == []
    await page.locator("[role=tabpanel]").get_by_role("button", name="Отменить").click()
    await page.get_by_role("dialog").get_by_role("button", name="Отменить").click()
    await expect(page.locator("[role=tabpanel]")).to_contain_text("отменено")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    after = {client: await seen(desk, page, client) for client in NAMES}
    assert after == before


async def test_who_may_be_the_same_person_is_suggested_with_the_reason(desk: Desk, open_page: Open) -> None:
    machine = await two_clients(desk)
    await written(machine, 2, fields={"email": "c1@example.org"})
    page = await opened(desk, open_page, "work/1?view=all")
    await page.get_by_role("button", name="Возможно, тот же человек: Вера Ильина").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet).to_contain_text("та же почта")
    await sheet.get_by_role("button", name="Сравнить: Вера Ильина").click()
    await page.fill("input[name=reason]", "одна почта")
    joined = await machine.ask("POST", "/clients/1/join", {"other": 2, "reason": "быстрее"})
    assert joined.status == 201, joined.body
    await page.keyboard.press("Enter")
    await expect(sheet.get_by_role("alert")).to_contain_text("Это уже один клиент")


async def test_only_the_newest_join_is_undone(desk: Desk, open_page: Open) -> None:
    machine = await two_clients(desk)
    NAMES[3] = "Третий Клиент"
    try:
        await said(desk, 3, "человек")
    finally:
        del NAMES[3]
    for other in (2, 3):
        assert (await machine.ask("POST", "/clients/1/join", {"other": other, "reason": "один человек"})).status == 201
    page = await opened(desk, open_page, "clients/1?tab=joins")
    panel = page.locator("[role=tabpanel]")
    await expect(panel.get_by_role("listitem")).to_have_count(2)
    await expect(panel.get_by_role("button", name="Отменить")).to_have_count(1)
    await expect(panel.get_by_role("listitem").last).to_contain_text("Сначала отмените более позднее")
    await panel.get_by_role("button", name="Отменить").click()
    await page.get_by_role("dialog").get_by_role("button", name="Отменить").click()
    await expect(panel.get_by_role("listitem").first).to_contain_text("отменено")
    await expect(panel.get_by_role("listitem").last.get_by_role("button", name="Отменить")).to_be_visible()


async def test_the_list_is_a_question_of_the_address(desk: Desk, open_page: Open) -> None:
    await two_clients(desk)
    page = await opened(desk, open_page, "clients")
    await expect(page.locator("[data-find]")).to_have_count(2)
    await page.keyboard.press("Slash")
    await page.keyboard.type("ильин")
    await expect(page.locator("[data-find]")).to_have_text(["Вера Ильина"])
    await expect(page).to_have_url(re.compile(r"q=%D0%B8%D0%BB%D1%8C%D0%B8%D0%BD"))
    await page.reload()
    await expect(page.locator("[data-find]")).to_have_text(["Вера Ильина"])
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/clients/2$"))
    await page.get_by_role("link", name="своя 2").click()
    await expect(page).to_have_url(re.compile(r"/clients\?tag="))
    await expect(page.locator("[data-find]")).to_have_text(["Вера Ильина"])
    await page.fill("input[name=tier]", "нет такого")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Таких клиентов нет")).to_be_visible()
    assert await findings(page) == []
