"""A house for a working day: shipped flows, an emulated Telegram, the web chat, the console, people in their browsers."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from core.access import Role
from core.accounts import User
from gateway.accounts.endings import Endings
from gateway.accounts.passwords import Passwords
from gateway.accounts.people import People
from gateway.api.build import build_api
from gateway.app import Gateway
from gateway.config import read_config
from gateway.config.accounts import Accounts
from gateway.console import build_console
from gateway.server import build_server
from storage.hints.local import LocalHints
from tests.browser.console.conftest import BUILT, Open
from tests.emulators.fixtures import TOKEN
from tests.emulators.telegram import TelegramEmulator
from tests.gateway.api.house import PASSWORD, ROOT

SHIPPED = Path(__file__).resolve().parents[3]


@dataclass
class Day:
    """`console` and `chat` are addresses."""

    gateway: Gateway
    telegram: TelegramEmulator
    console: str
    chat: str

    async def hire(self, name: str, role: Role, **lines: Role) -> None:
        await self.gateway.people.add(User(0, name, name.title(), role, dict(lines)), PASSWORD, ROOT)

    async def at_work(self, open_page: Open, name: str) -> Page:
        """Signed in through the page."""
        page: Page = (await open_page()).page
        await page.goto(f"{self.console}/sign-in")
        await page.fill("input[name=name]", name)
        await page.fill("input[name=password]", PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("nav.rail")
        return page

    async def until(self, met: Callable[[], Any], what: str) -> None:
        """Returns when something holds. Fails after 15 seconds."""
        ends = time.monotonic() + 15
        while not met():
            assert time.monotonic() < ends, what
            await asyncio.sleep(0.02)

    async def told(self, chat: int, text: str) -> None:
        """Waits until a client reads it in Telegram."""
        await self.until(
            lambda: any(text in one for one in self.telegram.texts(chat)), f"{text}: {self.telegram.texts(chat)}"
        )

    def outgoing(self) -> str:
        """All that ever went to Telegram."""
        return "\n".join(str(msgspec.to_builtins(call)) for call in self.telegram.world.calls)


async def open_day() -> AsyncIterator[Day]:
    """For a fixture."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontline-day-")))
        # Tests of flows count on the shipped hours.
        shutil.copytree(SHIPPED / "flows", folder / "flows", ignore=shutil.ignore_patterns("tests"))
        telegram = await stack.enter_async_context(TelegramEmulator(token=TOKEN))
        config, findings = read_config(
            yaml.safe_dump(settings(telegram.url), allow_unicode=True), folder / "config.yaml", {}
        )
        assert config is not None, findings
        hints = LocalHints()
        gateway = Gateway(config, hints=hints)
        gateway.people.close()
        quick = Passwords(memory=64, iterations=1)
        gateway.people = People(
            gateway.store.accounts, Accounts(), tuple(config.lines), time.time, Endings(hints), quick
        )
        await gateway.start()
        stack.push_async_callback(gateway.stop)
        routes = [*build_console(BUILT), *build_api(gateway.people, gateway.floor, "")]
        server = await stack.enter_async_context(TestServer(build_server(routes)))
        stack.push_async_callback(gateway.live.stop)
        yield Day(gateway, telegram, str(server.make_url("/console")), f"http://127.0.0.1:{gateway.port}/chat/site")
        telegram.check()


def settings(telegram: str) -> dict[str, Any]:
    """The shipped configuration in a folder of the test, open at any hour."""
    made: dict[str, Any] = yaml.safe_load((SHIPPED / "config.yaml").read_text("utf-8"))
    made["http"] = {"port": 0}
    made["storage"] = {"url": "sqlite:///day.db", "files": "files", "cache": "cache"}
    made["redis"] = {}
    made["channels"] = {
        "telegram": {"kind": "telegram", "token": TOKEN, "api_url": telegram, "line": "support"},
        "site": {"kind": "web", "title": "Чат на сайте", "line": "support"},
    }
    for line in made["lines"].values():
        line |= {"hours": {"mon-sun": "00:00-24:00"}, "holidays": []}
    return made


# --- what people do on their pages -------------------------------------------------------------------------------------


async def go_online(page: Page, state: str = "online") -> None:
    await page.locator("select[name=presence]").select_option(state)
    await expect(page.locator("nav.rail .dot").first).to_have_class(f"dot {state}")


async def open_talk(page: Page, client: str) -> None:
    """A row of the list that one looks at."""
    await page.locator(".list [role=option]").filter(has_text=client).first.click()
    await expect(page.locator(".head")).to_contain_text(client)


async def reply(page: Page, text: str) -> None:
    await page.get_by_role("tab", name="Клиенту").click()
    await page.locator("textarea[name=reply]").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble.operator").last).to_contain_text(text)


async def key(page: Page, code: str) -> None:
    """A key of the window, not of a field."""
    await page.locator(".head strong").click()
    await page.keyboard.press(code)


async def submit(page: Page, name: str) -> None:
    """The button of the open form."""
    await page.get_by_role("dialog").locator("button.main", has_text=name).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
