"""The demo as whoever tries it sees it: every page has life, no script fails, axe finds nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from gateway.api.build import build_api
from gateway.config import load_config
from gateway.console import build_console
from gateway.demo.live import build_demo
from gateway.demo.past import Maker
from gateway.server import build_server
from tests.browser.console.conftest import BUILT, Open
from tests.browser.test_access import findings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SHIPPED = Path(__file__).resolve().parents[3]
LOCALES = SHIPPED / "handoff/console/web/src/locales"
EMPTY = re.compile(r"^(no(?!Name|About)[A-Z]\w*|empty\w*)$")  # keys of words for pages and lists where there is nothing


@dataclass
class Demo:
    """`url` is the console's address, `passwords` are those that the terminal shows."""

    url: str
    passwords: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """A demo at work: its past is made, its clients come."""
    if not (BUILT / "index.html").is_file():
        pytest.fail("The console is not built: `make console`")
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(SHIPPED / "flows", folder / "flows")
    shipped = (SHIPPED / "config.yaml").read_text("utf-8")
    (folder / "config.yaml").write_text(shipped.replace("port: 8080", "port: 0"), "utf-8")
    config, found = load_config(folder / "config.yaml", {})
    assert config is not None, found
    passwords = await Maker(config, datetime.now(UTC)).make()
    gateway, show = build_demo(config)
    show.stage.pace = 10.0  # nobody waits for people here
    async with AsyncExitStack() as stack:
        await gateway.start()
        stack.push_async_callback(gateway.stop)
        routes = [*build_console(BUILT), *build_api(gateway.people, gateway.floor, "")]
        server = await stack.enter_async_context(TestServer(build_server(routes)))
        stack.push_async_callback(gateway.live.stop)
        yield Demo(str(server.make_url("/console")), passwords)


def empty_words() -> set[str]:
    """Everything that pages say where there is nothing."""
    found: set[str] = set()
    for path in LOCALES.glob("*.ru.json"):
        found |= set(_leaves(json.loads(path.read_text("utf-8")), False))
    return found


def _leaves(value: Any, empty: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, empty or bool(EMPTY.match(name)))
    elif empty and isinstance(value, str) and "{" not in value and len(value) > 8:
        yield value


async def sign_in(demo: Demo, open_page: Open, name: str) -> Page:
    page: Page = (await open_page(bypass_csp=True, timezone_id="Europe/Moscow")).page
    await page.goto(f"{demo.url}/sign-in")
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", demo.passwords[name])
    await page.keyboard.press("Enter")
    await page.wait_for_selector("nav.rail")
    return page


# Account → page → something that is there only when there is life.
PAGES: dict[str, dict[str, str]] = {
    "operator": {
        "work?view=mine": ".list [role=option]",
        "work?view=queue": ".list [role=option]",
        "work?view=waiting": ".list [role=option]",
        "work?view=held": ".list [role=option]",
        "work?view=bot": ".list [role=option]",
        "work?view=all": ".list [role=option]",
        "tickets": "main a[href*='/tickets/']",
        "clients": "main a[href*='/clients/']",
        "search?q=термос": "main mark",
    },
    "supervisor": {
        "lines": ".person .session",
        "mentions": "main li, main a[href*='/work/']",
        "reports": "canvas",
    },
    "admin": {
        "users": "main tbody tr",
        "audit": "main tbody tr",
        "flows": "main a[href*='/flows/']",
        "channels": "main .card",
    },
}


@pytest.mark.parametrize("name", PAGES)
async def test_every_page_has_life(demo: Demo, open_page: Open, name: str) -> None:
    page, empty = await sign_in(demo, open_page, name), empty_words()
    for place, sign in PAGES[name].items():
        await page.goto(f"{demo.url}/{place}")
        await expect(page.locator(sign).first, place).to_be_visible(timeout=20_000)
        said = {line.strip() for line in (await page.locator("main").inner_text()).splitlines()}
        if place != "lines":  # somebody there may have nothing to do, and a line nobody waiting, for a moment
            assert said & empty == set(), place
        assert await findings(page) == [], place


async def test_whoever_answers_is_answered(demo: Demo, open_page: Open) -> None:
    """The operator of the demo answers a client of theirs, and the client says something to it."""
    page = await sign_in(demo, open_page, "operator")
    await page.goto(f"{demo.url}/work?view=mine&q=")
    await page.locator(".list [role=option]").first.click()
    bubbles = page.locator(".bubble.client")
    await expect(bubbles.first).to_be_visible()
    before = await bubbles.count()
    await page.locator("textarea[name=reply]").fill("Всё проверил, отвечу подробно сегодня")
    await page.keyboard.press("Enter")
    await expect(bubbles).to_have_count(before + 1, timeout=90_000)
