"""A whole gateway with the console behind a port, and people in front of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, expect

from gateway import console
from gateway.api.build import build_api
from gateway.console import build_console
from gateway.files import Downloads
from gateway.metrics import Metrics
from gateway.server import build_server
from tests.browser.conftest import VIOLATIONS, Watched
from tests.gateway.api.house import PASSWORD, House, open_house


@dataclass
class Desk:
    """The gateway and the address of its console."""

    house: House
    url: str
    server: TestServer

    @classmethod
    async def open(cls, house: House) -> Self:
        server = await _serve(house, 0)
        return cls(house, str(server.make_url("/console")), server)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Nobody answers at the address; afterwards a new server does."""
        port = self.server.port
        await self.server.close()
        yield
        self.server = await _serve(self.house, port or 0)

    async def sign_in(self, watched: Watched, name: str) -> None:
        """Through the page, as people do."""
        page = watched.page
        await page.goto(f"{self.url}/sign-in")
        await page.fill("input[name=name]", name)
        await page.fill("input[name=password]", PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("nav.rail")


async def _serve(house: House, port: int) -> TestServer:
    floor = house.gateway.floor
    assert floor.files is not None
    downloads = Downloads(house.store, floor.files, Metrics())
    routes = [*build_console(BUILT), *build_api(house.people, floor, ""), *downloads.routes()]
    server = TestServer(build_server(routes), port=port)
    await server.start_server(shutdown_timeout=0.5)  # sockets that are open are no reason to wait
    return server


# Another folder than that of `make console`, for who changes the pages while others test theirs.
BUILT = Path(os.environ.get("FRONTLINE_CONSOLE", console.BUILT))
expect.set_options(timeout=20_000)  # a busy machine is no reason to fail
Open = Callable[..., Awaitable[Watched]]


@pytest_asyncio.fixture(loop_scope="session")
async def desk() -> AsyncIterator[Desk]:
    if not (BUILT / "index.html").is_file():
        pytest.fail("The console is not built: `make console`")
    async for house in open_house():
        made = await Desk.open(house)
        yield made
        await made.server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[Open]:
    """Opens a page of a browser of its own. No script error and no broken policy at the end."""
    opened: list[Watched] = []

    async def make(**how: Any) -> Watched:
        context = await browser.new_context(**{"locale": "ru-RU", "viewport": {"width": 1280, "height": 800}, **how})
        context.set_default_timeout(15_000)
        await context.add_init_script(VIOLATIONS)
        opened.append(Watched(await context.new_page()))
        return opened[-1]

    yield make
    for watched in opened:
        await watched.page.context.close()
    troubles = [one for watched in opened for one in watched.troubles]
    assert [one for one in troubles if "with a status of 4" not in one] == []  # refusals of the API are no troubles
