"""A talk that goes where one does not see it: said once, nothing is left that could be pressed, one's words stay."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.console.conftest import Desk, Open
from tests.browser.console.talking import at, gone, open_desk, person, sheet, taken, told
from tests.browser.test_access import findings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
AWAY = "Мария: обращение ушло от вас на линию, которую вы не видите"


@pytest_asyncio.fixture(loop_scope="session")
async def desk() -> AsyncIterator[Desk]:
    async for made in open_desk():
        yield made


async def test_what_one_gave_away_is_said_and_the_next_one_is_opened(desk: Desk, open_page: Open) -> None:
    await person(desk, "anna", support="operator")
    await person(desk, "boris", billing="operator")
    await told(desk, "человек", "дважды сняли деньги")
    await told(desk, "человек", "где заказ?", chat="2", name="Пётр")
    anna = await at(desk, open_page, "anna", "work/2?view=queue")
    await taken(anna)
    await anna.goto(f"{desk.url}/work/1?view=queue")
    await taken(anna)
    form = await sheet(anna, "KeyT")
    await form.get_by_role("button", name="Срочно, без недостающего").click()
    await gone(anna)
    await expect(anna.locator(".toast")).to_have_text([re.compile(AWAY)])
    await expect(anna).to_have_url(re.compile(r"/work/2\?view=mine"))
    await expect(anna.locator(".head")).to_contain_text("Пётр")
    await expect(anna.get_by_text("Этого нет")).to_have_count(0)


async def test_what_others_took_away_stays_until_it_was_read_with_the_words_that_were_begun(
    desk: Desk, open_page: Open
) -> None:
    await person(desk, "anna", support="operator")
    olga = await person(desk, "olga", support="supervisor", billing="supervisor")
    await told(desk, "человек", "дважды сняли деньги")
    anna = await at(desk, open_page, "anna", "work/1?view=queue", bypass_csp=True)
    await taken(anna)
    await anna.locator("textarea[name=reply]").fill("Уже проверяю списание")
    body = {"epoch": 2, "line": "billing", "urgent": True}
    answer = await olga.ask("POST", "/conversations/1/transfer", body)
    assert answer.status == 200, answer.body
    await expect(anna.locator(".lost")).to_contain_text("Мария: обращение теперь на линии, которую вы не видите")
    await expect(anna.locator(".lost blockquote")).to_have_text("Уже проверяю списание")
    await expect(anna.get_by_role("button", name="Передать")).to_have_count(0)
    await expect(anna.locator("textarea")).to_have_count(0)
    assert await findings(anna) == []
    await anna.get_by_role("button", name="К следующему").click()
    await expect(anna).to_have_url(re.compile(r"/work\?view=mine$"))


async def test_a_talk_that_comes_back_is_there_again(desk: Desk, open_page: Open) -> None:
    await person(desk, "anna", support="operator")
    olga = await person(desk, "olga", support="supervisor", billing="supervisor")
    await told(desk, "человек", "дважды сняли деньги")
    anna = await at(desk, open_page, "anna", "work/1?view=queue")
    await taken(anna)
    for line, epoch in (("billing", 2), ("support", 3)):
        body = {"epoch": epoch, "line": line, "urgent": True}
        answer = await olga.ask("POST", "/conversations/1/transfer", body)
        assert answer.status == 200, answer.body
        await expect(anna.locator(".lost")).to_have_count(int(line == "billing"))
    await expect(anna.get_by_role("button", name="Взять")).to_be_visible()


async def test_what_was_never_there_is_said_without_buttons(desk: Desk, open_page: Open) -> None:
    await person(desk, "anna", support="operator")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    await watched.page.goto(f"{desk.url}/work/77?view=all")
    await expect(watched.page.get_by_role("alert")).to_have_text("Этого нет")
    await expect(watched.page.locator(".acts, textarea")).to_have_count(0)
