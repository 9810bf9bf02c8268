"""Channels as an admin watches them: health, reasons, a test with steps, the log of a webhook; accounts, the audit."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect
from pydantic import SecretStr

from core.outbox import Sent
from tests.browser.console.conftest import Desk, Open
from tests.browser.test_access import findings
from tests.emulators.fixtures import TOKEN
from tests.emulators.telegram import TelegramEmulator
from tests.gateway.house import inbound

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def troubled(desk: Desk) -> None:
    """The messenger does not take the token: a message waits. Another was refused, and strangers came to the door."""
    house = desk.house
    house.channel.answers = [Sent("unreachable", reason="403 Forbidden: bot was blocked by the user")]
    await house.client("привет", "2")
    house.channel.answers = [Sent("retry", reason="401 Unauthorized", after=600.0)]
    house.said += 1
    await house.gateway.intake.accept([inbound(house.said, "привет", "1", house.clock.moment())])
    await house.until(lambda: not house.channel.answers)
    doors = house.gateway.watch.doors
    for verdict, status, times in (("taken", 200, 3), ("wrong_secret", 403, 2), ("too_large", 413, 1)):
        for _ in range(times):
            doors.add("telegram", verdict, status, 0.004)
    await house.gateway.watch.step(now=True)


async def test_what_fails_stands_first_and_says_why(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "admin")
    await troubled(desk)
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/channels")
    card = page.get_by_role("region", name=re.compile("^telegram"))
    await expect(card).to_contain_text("не работает")
    await expect(card).to_contain_text("мессенджер не принимает токен")
    await expect(card).to_contain_text("401 Unauthorized")
    await expect(card.locator("dd").nth(2)).to_contain_text("1")
    await card.get_by_role("button", name="Подробности").click()
    await expect(card).to_contain_text("1 × 403 Forbidden: bot was blocked by the user")
    await expect(page).to_have_url(re.compile(r"open=telegram"))
    await page.reload()
    await expect(card).to_contain_text("bot was blocked")  # the address is the state
    desk.house.channel.answers = []
    desk.house.clock.at += 601
    await desk.house.quiet()
    await expect(card).to_contain_text("работает")
    await expect(card).not_to_contain_text("401 Unauthorized")


async def test_the_log_of_a_webhook_is_looked_through(
    desk: Desk, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.house.add("anna", "admin")
    monkeypatch.setattr(desk.house.channel, "routes", lambda: [("POST", "/hooks/telegram", None)], raising=False)
    await troubled(desk)
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/channels?open=telegram")
    log = page.get_by_role("region", name="Журнал вебхука telegram")
    await expect(log.get_by_role("row")).to_have_count(4)
    await expect(log).to_contain_text("неверный секрет")
    await page.get_by_role("button", name="Отклонённые").click()
    await expect(log.get_by_role("row")).to_have_count(3)
    await expect(page).to_have_url(re.compile(r"only=refused"))
    desk.house.gateway.watch.doors.add("telegram", "unsigned", 401, 0.001)
    await expect(log).to_contain_text("подпись не подходит")  # by itself


async def test_a_channel_is_tried_out_by_the_keyboard(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "admin")
    settings = desk.house.gateway.config.channels["telegram"]
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    async with TelegramEmulator(token=TOKEN) as telegram:
        telegram.person(7)
        changed = settings.model_copy(update={"token": SecretStr(TOKEN), "api_url": telegram.url})
        desk.house.gateway.config.channels["telegram"] = changed
        await page.goto(f"{desk.url}/channels")
        await page.get_by_role("button", name="Проверить telegram").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("input[name=chat]")).to_be_focused()
        await page.keyboard.type("7")
        await page.keyboard.press("Enter")
        sheet = page.get_by_role("dialog")
        await expect(sheet).to_contain_text("Всё в порядке", timeout=60_000)
        await expect(sheet).to_contain_text("это бот @frontline_bot")
        assert telegram.texts(7) == ["Это проверка канала, отвечать не нужно."]
        telegram.fail(method="sendMessage", kind="403", times=1)
        await page.get_by_role("button", name="Проверить ещё раз").click()
        await expect(sheet).to_contain_text("Есть что исправить", timeout=60_000)
        await expect(sheet).to_contain_text("Что сделать")
        assert TOKEN not in await page.content()
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await page.goto(f"{desk.url}/audit?action=channel_tested")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await expect(page.locator("tbody tr").first).to_contain_text("канал проверен")


async def test_the_house_is_shown(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "admin")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    await watched.page.goto(f"{desk.url}/channels")
    house = watched.page.get_by_role("region", name=re.compile("^Система"))
    await expect(house).to_contain_text("sqlite")
    await expect(house).to_contain_text("приём, бот, отправка, консоль, таймеры")


async def test_who_is_no_admin_sees_none_of_it(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "supervisor", support="supervisor")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    for path in ("channels", "hooks", "tokens"):
        await watched.page.goto(f"{desk.url}/{path}")
        await expect(watched.page.locator("h1")).to_have_text("Здесь ничего нет")


async def test_accounts_are_found(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", "admin")
    await desk.house.add("boris", support="operator")
    await desk.house.add("vera", "analyst")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/users?role=analyst")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(1)
    await page.select_option("select[name=role]", "")
    await expect(rows).to_have_count(3)
    await page.fill("input[name=q]", "бор")
    await expect(page.get_by_text("Никого не найдено")).to_be_visible()
    await page.fill("input[name=q]", "BOR")
    await expect(rows).to_have_count(1)
    await expect(page).to_have_url(re.compile("q=BOR"))
    await page.get_by_role("link", name="Действия в журнале: Boris").click()
    await expect(page).to_have_url(re.compile(r"/audit\?by=boris"))


async def test_the_audit_is_looked_through_and_checked(desk: Desk, open_page: Open) -> None:
    anna = await desk.house.add("anna", "admin")
    boris = await desk.house.add("boris", support="operator")
    watched = await open_page()
    await desk.sign_in(watched, "anna")
    page = watched.page
    await page.goto(f"{desk.url}/audit")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(3)
    await page.select_option("select[name=action]", "login")
    await expect(rows).to_have_count(1)
    await expect(page).to_have_url(re.compile("action=login"))
    await page.get_by_role("button", name="Сбросить").click()
    await page.get_by_role("button", name=f"Boris user:{boris.id}", exact=True).click()
    await expect(rows).to_have_count(1)
    await page.goto(f"{desk.url}/audit?until=2001-01-01")
    await expect(page.get_by_text("Ничего не найдено")).to_be_visible()
    await page.get_by_role("button", name="Проверить целостность").click()
    await expect(page.locator("section[role=status]")).to_contain_text("Журнал цел: 3")
    assert anna.id != boris.id


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_it_stands_well(desk: Desk, open_page: Open, width: int, theme: str) -> None:
    await desk.house.add("anna", "admin")
    await troubled(desk)
    watched = await open_page(bypass_csp=True, color_scheme=theme, viewport={"width": width, "height": 800})
    await desk.sign_in(watched, "anna")
    page = watched.page
    for path in ("channels?open=telegram", "channels?test=telegram", "audit", "users"):
        await page.goto(f"{desk.url}/{path}")
        await page.wait_for_selector(".card table" if path != "channels?test=telegram" else "[role=dialog]")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await findings(page) == []
