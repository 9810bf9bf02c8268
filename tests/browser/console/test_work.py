"""The working window: taking, answering, noting, closing, by keyboard alone; what colleagues and the client see of it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.adapters.web.pictures import png
from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def waiting(desk: Desk, count: int = 1) -> None:
    """Clients wait for a person."""
    for chat in range(1, count + 1):
        await desk.house.client("человек", chat=str(chat))
        await desk.house.client(f"вопрос номер {chat}", chat=str(chat))


async def at_work(desk: Desk, open_page: Open, name: str, where: str = "work") -> Page:
    watched = await open_page()
    await desk.sign_in(watched, name)
    await watched.page.goto(f"{desk.url}/{where}")
    await expect(watched.page.get_by_role("tab", selected=True).first).to_be_visible()
    return watched.page


async def take(page: Page) -> None:
    await expect(page.get_by_role("button", name="Взять")).to_be_visible()
    await page.keyboard.press("KeyA")
    await expect(page.get_by_role("button", name="Закрыть")).to_be_visible()


async def rows(page: Page, count: int) -> None:
    await expect(page.locator(".list [role=option]")).to_have_count(count)


async def test_ten_sessions_without_the_mouse(desk: Desk, open_page: Open) -> None:
    """Take, answer, note, transfer, close, next: ten in a row."""
    await desk.house.add("anna", support="operator", billing="operator")
    await waiting(desk, 10)
    page = await at_work(desk, open_page, "anna")
    press = page.keyboard.press
    for n in range(1, 11):
        await press("KeyN")
        await expect(page).to_have_url(re.compile(r"/work/\d+\?view=mine"))
        await expect(page.get_by_text("Закрыть", exact=True)).to_be_visible()
        await press("KeyR")
        await page.keyboard.type(f"ответ {n}")
        await press("Enter")
        await expect(page.locator(".bubble.operator")).to_contain_text(f"ответ {n}")
        await press("Escape")
        await press("KeyW")
        await page.keyboard.type(f"заметка {n}")
        await press("Control+Enter")
        await expect(page.locator(".private").first).to_contain_text(f"заметка {n}")
        await press("Escape")
        await press("KeyT")
        await expect(page.locator("select[name=to-line]")).to_be_focused()
        await expect(page.locator("input[name=why]")).to_be_visible()  # the form of the only other line is there
        await expect(page.get_by_role("dialog").locator(".main")).to_be_enabled()
        await press("Tab")
        await page.keyboard.type(f"деньги {n}")
        await press("Enter")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.locator(".head .state")).to_have_text("в очереди")
        await press("KeyA")  # it is on the other line now
        await expect(page.locator(".head .state")).to_contain_text("в работе")
        await press("KeyC")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await press("Enter")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.locator(".head")).to_contain_text("закрыто")
    await desk.house.quiet()
    said = desk.house.channel.texts
    assert [text for text in said if text.startswith("ответ")] == [f"ответ {n}" for n in range(1, 11)]
    assert not [text for text in said if "заметка" in text or "деньги" in text]
    closed = [await desk.house.store.conversation(home) for home in range(1, 11)]
    assert {(it.session.line, it.session.status) for it in closed if it is not None} == {("billing", "closed")}


async def test_of_two_who_take_one_wins_and_the_other_is_told(desk: Desk, open_page: Open) -> None:
    """A1."""
    for name in ("anna", "boris"):
        await desk.house.add(name, support="operator")
    await waiting(desk)
    pages = [await at_work(desk, open_page, name, "work/1?view=queue") for name in ("anna", "boris")]
    for page in pages:
        await expect(page.get_by_role("button", name="Взять")).to_be_visible()
    await pages[0].keyboard.press("KeyA")
    await pages[1].keyboard.press("KeyA")
    for page in pages:
        await expect(page.locator(".head .state")).to_have_text(re.compile("в работе · Anna|в работе · Boris"))
    owners = {await page.locator(".head .state").inner_text() for page in pages}
    assert len(owners) == 1


async def test_what_the_client_writes_is_seen_at_once(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await waiting(desk)
    page = await at_work(desk, open_page, "anna", "work/1?view=queue")
    await take(page)
    await desk.house.client("<img src=x onerror=alert(1)> привет", chat="1")
    await expect(page.locator(".bubble.client").last).to_contain_text("<img src=x onerror=alert(1)> привет")


async def test_a_draft_survives_the_tab(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await waiting(desk)
    page = await at_work(desk, open_page, "anna", "work/1?view=queue")
    await take(page)
    await page.keyboard.press("KeyR")
    await page.keyboard.type("начало ответа")
    await page.reload()  # at once: nothing had time to go to the server
    await expect(page.locator("textarea[name=reply]")).to_have_value("начало ответа")
    await page.wait_for_timeout(1500)
    other = await at_work(desk, open_page, "anna", "work/1?view=mine")
    await expect(other.locator("textarea[name=reply]")).to_have_value("начало ответа")


async def test_a_wave_of_changes_ends_in_the_servers_list(desk: Desk, open_page: Open) -> None:
    """A12: the connection is gone for a while; the list is the server's when it is back."""
    await desk.house.add("anna", support="operator")
    await waiting(desk, 2)
    page = await at_work(desk, open_page, "anna", "work?view=queue")
    await rows(page, 2)
    await page.context.set_offline(True)
    for chat in ("3", "4", "5"):
        await desk.house.client("человек", chat=chat)
        await desk.house.client("ещё один", chat=chat)
    await page.context.set_offline(False)
    await rows(page, 5)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_at_work(desk: Desk, open_page: Open, theme: str) -> None:
    await desk.house.add("anna", support="operator")
    await waiting(desk, 3)
    watched = await open_page(color_scheme=theme, bypass_csp=True)
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/work/1?view=queue")
    await take(page)
    assert await findings(page) == []
    await page.keyboard.press("KeyC")
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await findings(page) == []


async def test_a_prepared_reply_is_filled_in_and_a_hole_keeps_it_back(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await waiting(desk)
    kept = await desk.house.browser("anna")
    for shortcut, text in (
        ("hi", "Здравствуйте, {{ client.name }}!"),
        ("order", "Ваш заказ {{ Номер заказа }} в пути"),
    ):
        reply = {"scope": "own", "shortcut": shortcut, "title": shortcut, "text": text}
        assert (await kept.ask("POST", "/replies", reply)).status == 201
    page = await at_work(desk, open_page, "anna", "work/1?view=queue")
    await take(page)
    await page.keyboard.press("KeyR")
    await page.keyboard.type("/h")
    await expect(page.locator(".canned [aria-selected=true]")).to_contain_text("/hi")
    await page.keyboard.press("Enter")
    await expect(page.locator("textarea[name=reply]")).to_have_value("Здравствуйте, Клиент!")
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble.operator")).to_contain_text("Здравствуйте, Клиент!")
    await page.keyboard.type("/order")
    await expect(page.locator(".canned [aria-selected=true]")).to_contain_text("/order")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Заполните: Номер заказа")
    await expect(page.get_by_role("button", name="Отправить")).to_be_disabled()
    await page.locator("textarea[name=reply]").fill("Ваш заказ 77 в пути")
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble.operator").last).to_contain_text("Ваш заказ 77 в пути")


async def test_a_file_goes_with_the_answer(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await waiting(desk)
    page = await at_work(desk, open_page, "anna", "work/1?view=queue")
    await take(page)
    picture: FilePayload = {"name": "крышка.png", "mimeType": "image/png", "buffer": png(40, 30)}
    await page.set_input_files("input[name=files]", [picture])
    await expect(page.locator(".composer .file")).to_contain_text("крышка.png")
    await page.keyboard.press("KeyR")
    await page.keyboard.type("вот так она выглядит")
    await page.keyboard.press("Enter")
    shown = page.locator(".bubble.operator img")
    await expect(shown).to_have_attribute("src", re.compile("small=1"))
    await expect(shown).to_have_js_property("naturalWidth", 40)
    await desk.house.quiet()
    message = desk.house.channel.rows[-1].message
    assert message is not None
    (id,) = message.files
    sent = await desk.house.store.file(id)
    assert sent is not None
    assert (sent.name, sent.mime) == ("крышка.png", "image/png")


async def test_a_file_that_is_none_is_refused_in_words(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await waiting(desk)
    page = await at_work(desk, open_page, "anna", "work/1?view=queue")
    await take(page)
    evil: FilePayload = {"name": "cat.png", "mimeType": "image/png", "buffer": b"MZ\x00 not a picture"}
    await page.set_input_files("input[name=files]", [evil])
    await expect(page.locator(".composer .broken")).to_contain_text("Такой файл нельзя")
    await page.locator("textarea[name=reply]").fill("посмотрите")
    await expect(page.get_by_role("button", name="Отправить")).to_be_disabled()
    await page.get_by_role("button", name="Убрать: cat.png").click()
    await expect(page.locator(".composer .file")).to_have_count(0)
    await expect(page.get_by_role("button", name="Отправить")).to_be_enabled()
