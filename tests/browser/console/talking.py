"""A desk with lines that ask for something, a short questionnaire and people, for tests of what is done in a talk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from playwright.async_api import Locator, Page, expect

from core.access import Role
from core.events import Event, Message
from tests.browser.console.conftest import Desk, Open
from tests.gateway.api.house import FLOWS, Browser, open_house
from tests.gateway.house import inbound

CONFIG = """\
http: {port: 0}
storage: {url: "sqlite:///house.db", files: files, cache: cache}
flood: off
channels: {telegram: {kind: telegram, token: "42:x", line: support}}
lines:
  support:
    title: Поддержка
    hours: {mon-sun: "00:00-24:00"}
    max_wait: 0
    route: pull
    closed: {ticket: general}
    busy: {ticket: general}
    categories: [Возврат, Доставка]
  billing:
    title: Расчёты
    hours: {mon-sun: "00:00-24:00"}
    max_wait: 0
    route: pull
    packet: [Телефон, Номер заказа]
    closed: {ticket: general}
    busy: {ticket: general}
desks:
  general: {title: Обращения}
  returns: {title: Возвраты, needs: [Номер заказа], categories: [Брак, Не подошло]}
"""
ORDER = """
flow: Номер заказа
fields:
  заказ: {label: Номер заказа, type: number, ask: Какой номер заказа?}
  город: {label: Город, ask: В каком вы городе?}
steps:
  - ask: [заказ, город]
  - say: Спасибо, передаю.
  - end: спросил
"""


async def open_desk() -> AsyncIterator[Desk]:
    """For fixtures."""
    async for house in open_house(config=CONFIG, flows={**FLOWS, "ask_order.yaml": ORDER}):
        desk = await Desk.open(house)
        try:
            yield desk
        finally:
            await desk.server.close()


async def person(desk: Desk, name: str, **lines: Role) -> Browser:
    """Somebody who is there, as a machine that asks for them."""
    await desk.house.add(name, "supervisor" if "supervisor" in lines.values() else "operator", **lines)
    browser = await desk.house.browser(name)
    answer = await browser.ask("PUT", "/me/presence", {"state": "online"})
    assert answer.status == 200, answer.body
    return browser


async def told(desk: Desk, *words: str | Event, chat: str = "1", name: str = "Мария", wait: bool = True) -> None:
    """A client says so, one after another; each message has a name of the messenger's. `wait`: until all is answered."""
    for said in words:
        desk.house.said += 1
        event = Message(said) if isinstance(said, str) else said
        come = inbound(desk.house.said, event, chat, desk.house.clock.moment())
        come = msgspec.structs.replace(come, sender_name=name, message_id=str(1000 + desk.house.said))
        await desk.house.gateway.intake.accept([come])
        if wait:
            await desk.house.quiet()


async def at(desk: Desk, open_page: Open, name: str, where: str, **how: object) -> Page:
    """Somebody before a page of the console, with the talk drawn."""
    watched = await open_page(**how)
    await watched.page.clock.set_fixed_time(desk.house.clock.moment())
    await desk.sign_in(watched, name)
    await watched.page.goto(f"{desk.url}/{where}")
    await expect(watched.page.locator(".head .state")).to_be_visible()
    return watched.page


async def taken(page: Page) -> None:
    """The open talk is taken by its key."""
    await expect(page.get_by_role("button", name="Взять")).to_be_visible()
    await page.keyboard.press("KeyA")
    await expect(page.get_by_role("button", name="Закрыть")).to_be_visible()


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


async def sheet(page: Page, key: str) -> Locator:
    """The form behind a key."""
    await page.keyboard.press(key)
    await expect(dialog(page)).to_be_visible()
    return dialog(page)


async def gone(page: Page) -> None:
    """The form is closed: it was done."""
    await expect(dialog(page)).to_have_count(0)
