"""A real Chromium and a real server for the page."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from adapters.web.settings import Settings
from storage.files.local import LocalFiles
from storage.memory import MemoryStore
from tests.adapters.web.house import House, settings

CHROMIUM = "/usr/bin/chromium"  # Debian's
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# What a policy forbade is a trouble, also where the browser's own console would say nothing.
VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
    console.error("policy: " + event.violatedDirective + " " + event.blockedURI))"""


# A server or a network that is away is what some tests are about, and no trouble of the page.
AWAY = ("ERR_CONNECTION", "ERR_INTERNET_DISCONNECTED")


class Server:
    """A house behind a port, which can be stopped and started again on the same port with the same store."""

    def __init__(self, house: House) -> None:
        self.house, self.port = house, 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The chat page."""
        return f"{self.origin}/chat/{self.house.name}"

    @property
    def origin(self) -> str:
        """The server's origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def visitor(self) -> str:
        """The chat id of the first visitor."""
        return self.house.accepted[0].chat

    async def start(self) -> None:
        """Listens, on a free port the first time."""
        self._runner = web.AppRunner(await self.house.open(), shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Goes away; open sockets are closed."""
        await self.house.channel.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


class Watched:
    """A page whose mistakes are written down: script errors, policy violations, scripts of others that ran."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.troubles: list[str] = []
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", self._console)
        page.on("dialog", lambda dialog: self.troubles.append(f"dialog {dialog.message}"))

    def _console(self, message: Any) -> None:
        if message.type == "error" and not any(word in message.text for word in AWAY):
            self.troubles.append(message.text)

    async def say(self, text: str) -> None:
        """Types and sends."""
        await self.page.fill("#text", text)
        await self.page.click("#send")

    async def texts(self) -> list[str]:
        """All messages in their order."""
        return await self.page.locator("#list .text").all_text_contents()

    async def until(self, count: int) -> list[str]:
        """All messages, once there are so many."""
        await self.page.wait_for_function("n => document.querySelectorAll('#list .item').length >= n", arg=count)
        return await self.texts()

    async def online(self) -> None:
        """Waits for the connection."""
        await self.page.wait_for_selector('#status[data-state="online"]')


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window, one for all tests: each has a visitor of its own."""
    if shutil.which(CHROMIUM) is None:
        pytest.fail("Chromium is not installed: `make test` brings it")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One visitor's browser."""
    visitor = await browser.new_context(locale="en-US", viewport={"width": 1000, "height": 800})
    visitor.set_default_timeout(15_000)
    await visitor.add_init_script(VIOLATIONS)
    yield visitor
    await visitor.close()


@pytest.fixture
def chat_settings() -> Settings:
    """Settings of the chat under test."""
    return settings()


@pytest_asyncio.fixture(loop_scope="session")
async def server(chat_settings: Settings, tmp_path: Path) -> AsyncIterator[Server]:
    """A running chat."""
    store = MemoryStore(time.time)
    house = Server(House("site", chat_settings, store, LocalFiles(tmp_path / "files")))
    await house.start()
    yield house
    await house.stop()
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def chat(server: Server, context: BrowserContext) -> AsyncIterator[Watched]:
    """An open chat that has greeted. Its troubles must be none at the end."""
    watched = Watched(await context.new_page())
    await watched.page.goto(server.url)
    await watched.until(1)
    await watched.online()
    yield watched
    assert watched.troubles == []
    assert await watched.page.evaluate("window.pwned ?? null") is None
