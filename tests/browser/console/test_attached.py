"""Files of an answer that is not sent yet: they stay with their talk and their account, whatever becomes of the page."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import FilePayload, Page, Route, expect

from tests.adapters.web.pictures import png
from tests.browser.console.conftest import Desk, Open
from tests.browser.console.test_work import at_work, take, waiting
from tests.gateway.api.house import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
LID = png(40, 30)


def picture(name: str) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": LID}


async def attached(desk: Desk, open_page: Open, clients: int = 1) -> Page:
    """Anna has a talk, and a file for the answer is with the server."""
    await desk.house.add("anna", support="operator")
    await waiting(desk, clients)
    page = await at_work(desk, open_page, "anna", "work/1?view=queue")
    await take(page)
    async with page.expect_response("**/api/v1/files"):
        await page.set_input_files("input[name=files]", [picture("крышка.png")])
    await expect(page.locator(".composer .file")).to_have_text([re.compile("крышка.png")])
    return page


async def sent_files(desk: Desk) -> list[str]:
    """Names of the files of the last message to the client."""
    await desk.house.quiet()
    message = desk.house.channel.rows[-1].message
    assert message is not None
    found = [await desk.house.store.file(id) for id in message.files]
    return [file.name for file in found if file is not None]


async def test_files_outlive_the_tab_and_go_with_the_answer(desk: Desk, open_page: Open) -> None:
    page = await attached(desk, open_page)
    await page.reload()
    await expect(page.locator(".composer .file")).to_contain_text("крышка.png")
    await page.locator("textarea[name=reply]").fill("вот она")
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble.operator img")).to_be_visible()
    await expect(page.locator(".composer .file")).to_have_count(0)
    assert await sent_files(desk) == ["крышка.png"]
    await page.reload()
    await expect(page.locator(".bubble.operator img")).to_be_visible()
    await expect(page.locator(".composer .file")).to_have_count(0)


async def test_files_stay_with_their_talk_even_when_they_arrive_late(desk: Desk, open_page: Open) -> None:
    """Another client must never get them."""
    page = await attached(desk, open_page, clients=2)
    held: list[Route] = []
    await page.route("**/api/v1/files", lambda route: held.append(route))  # noqa: PLW0108 (a bound method is refused)
    await page.set_input_files("input[name=files]", [picture("вторая.png")])
    await expect(page.locator(".composer .file")).to_have_count(2)
    await page.keyboard.press("Digit2")
    await page.locator(".list [role=option]", has_text="номер 2").click()
    await take(page)
    await held[0].continue_()
    await expect(page.locator(".composer .file")).to_have_count(0)
    await page.locator(".list [role=option]", has_text="номер 1").click()
    await expect(page.locator(".composer .file")).to_have_text([re.compile("крышка.png"), re.compile("вторая.png")])
    await expect(page.get_by_text("загружается…")).to_have_count(0)


async def test_enter_waits_for_a_file_that_is_on_its_way(desk: Desk, open_page: Open) -> None:
    page = await attached(desk, open_page)
    held: list[Route] = []
    await page.route("**/api/v1/files", lambda route: held.append(route))  # noqa: PLW0108 (a bound method is refused)
    await page.set_input_files("input[name=files]", [picture("вторая.png")])
    await page.locator("textarea[name=reply]").fill("обе")
    await page.keyboard.press("Enter")
    await expect(page.locator(".composer")).to_contain_text("Отправится, как только загрузятся файлы")
    await held[0].continue_()
    await expect(page.locator(".bubble.operator img")).to_have_count(2)
    assert await sent_files(desk) == ["крышка.png", "вторая.png"]


async def test_a_file_that_did_not_arrive_keeps_the_answer_back_and_can_be_tried_again(
    desk: Desk, open_page: Open
) -> None:
    page = await attached(desk, open_page)
    busy = {"type": "urn:frontline:slow-down", "title": "slow down"}
    await page.route("**/api/v1/files", lambda route: route.fulfill(status=429, json=busy))
    await page.set_input_files("input[name=files]", [picture("вторая.png")])
    await expect(page.locator(".composer .broken")).to_contain_text("Слишком много попыток")
    await page.locator("textarea[name=reply]").fill("обе")
    await expect(page.get_by_role("button", name="Отправить")).to_be_disabled()
    await page.unroute_all(behavior="ignoreErrors")
    await page.get_by_role("button", name="Ещё раз").click()
    await expect(page.locator(".composer .broken")).to_have_count(0)
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.locator(".bubble.operator img")).to_have_count(2)


async def test_more_files_than_an_answer_takes_are_named(desk: Desk, open_page: Open) -> None:
    page = await attached(desk, open_page)
    await page.set_input_files("input[name=files]", [picture(f"{n}.png") for n in range(1, 12)])
    await expect(page.locator(".toast")).to_contain_text(
        "В одном ответе не больше 10 файлов. Не приложены: 10.png, 11.png"
    )
    await expect(page.locator(".composer .file")).to_have_count(10)


async def test_files_are_forgotten_by_who_signs_out_and_seen_by_nobody_else(desk: Desk, open_page: Open) -> None:
    page = await attached(desk, open_page)
    await desk.house.add("boris", support="operator")
    await page.get_by_role("button", name="Выйти").click()
    for name in ("boris", "anna"):
        await page.fill("input[name=name]", name)
        await page.fill("input[name=password]", PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("nav.rail")
        await page.goto(f"{desk.url}/work/1?view=all")
        await expect(page.locator(".stream")).to_contain_text("вопрос номер 1")
        await expect(page.locator(".composer .file")).to_have_count(0)
        await page.get_by_role("button", name="Выйти").click()
        await page.wait_for_selector("input[name=name]")
