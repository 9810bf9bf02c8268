"""What comes over the network when a page is opened for the first time: little, together, each thing once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, Request, Route, expect

from tests.browser.console.conftest import Desk, Open
from tests.browser.console.test_work import rows, waiting
from tests.gateway.api.house import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FILES = 13  # of the build, for a page; two of them are the command bar's, which comes last
ANEW = 20_000  # milliseconds: two seconds pass before it is tried again
MOST = 230_000  # bytes of everything until the working window is there

SHIFTS = """window.shifted = 0;
new PerformanceObserver((list) => list.getEntries().forEach((one) => (window.shifted += one.hadRecentInput ? 0 : one.value)))
    .observe({type: "layout-shift", buffered: true})"""


async def signed_in(desk: Desk, open_page: Open, **how: Any) -> Page:
    """A browser that has a session, and nothing of the console."""
    page = (await open_page(**how)).page
    data = {"name": "anna", "password": PASSWORD, "code": ""}
    origin = desk.url.removesuffix("/console")
    answer = await page.context.request.post(f"{origin}/api/v1/login", data=data, headers={"X-Frontline": "1"})
    assert answer.ok
    return page


async def without_news(page: Page) -> None:
    """The live line never opens: what is asked is asked by the page itself."""
    await page.route_web_socket("**/api/v1/live", lambda _: None)


def requests(page: Page) -> list[Request]:
    """Everything that is asked for from now on."""
    asked = list[Request]()

    def note(request: Request) -> None:
        asked.append(request)

    page.on("request", note)
    return asked


def names(asked: list[Request], of: str) -> list[str]:
    return [one.url.partition(of)[2] for one in asked if of in one.url]


async def test_everything_sets_out_together_and_once(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await waiting(desk, 3)
    page = await signed_in(desk, open_page)
    await without_news(page)
    asked = requests(page)
    await page.goto(f"{desk.url}/work?view=queue", wait_until="commit")
    await rows(page, 3)
    files, questions = names(asked, "/console/assets/"), names(asked, "/api/v1/")
    assert len(files) == len(set(files)) <= FILES
    assert any(name.startswith("ru-") for name in files)
    assert not any(name.startswith(("en-", "Chart-")) for name in files)
    # What the working window asks first was asked once, and before the frame of the page was there; whoever looks for news
    # asks for numbers, too, together with one's own sessions, and does not take away those of the page.
    first = ["me", "conversations?view=queue&line=&q=&sort=due&limit=200", "conversations/counts"]
    news = questions.count("conversations?view=mine&sort=due&limit=200")
    assert [questions.count(one) for one in first] == [1, 1, 1 + news]
    assert set(questions[:3]) == set(first)


async def test_it_comes_packed(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    await waiting(desk, 3)
    page = await signed_in(desk, open_page)
    await page.goto(f"{desk.url}/work?view=queue", wait_until="commit")
    await rows(page, 3)
    found = await page.evaluate("performance.getEntriesByType('resource').map((one) => [one.name, one.transferSize])")
    assert sum(size for _, size in found) < MOST
    frame = next(name for name, _ in found if "/frame-" in name and name.endswith(".js"))
    answer = await page.context.request.get(frame, headers={"Accept-Encoding": "gzip, deflate, br"})
    assert answer.headers["content-encoding"] == "br"


async def test_words_come_in_the_language_of_the_account(desk: Desk, open_page: Open) -> None:
    """The browser wishes English, the account has chosen Russian: nobody sees a page without words."""
    await desk.house.add("anna", support="operator")
    page = await signed_in(desk, open_page, locale="en-GB")
    origin = desk.url.removesuffix("/console")
    chosen = await page.context.request.patch(
        f"{origin}/api/v1/me", data={"language": "ru"}, headers={"X-Frontline": "1"}
    )
    assert chosen.ok
    await page.goto(f"{desk.url}/profile")
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Профиль")
    asked = requests(page)
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Профиль")
    assert not any(name.startswith("en-") for name in names(asked, "/console/assets/"))  # it was remembered


async def test_commands_are_found_by_the_other_language_too(desk: Desk, open_page: Open) -> None:
    await desk.house.add("anna", support="operator")
    page = await signed_in(desk, open_page)
    await page.goto(f"{desk.url}/profile")
    await expect(page.locator("nav.rail")).to_be_visible()
    async with page.expect_request("**/assets/en-*.js"):
        await page.keyboard.press("Control+KeyK")
    await page.keyboard.type("tick")
    await expect(page.locator('[data-command="pages:page.tickets"]')).to_be_visible()


async def test_nothing_jumps_while_a_report_comes(desk: Desk, open_page: Open) -> None:
    """The filters, the numbers and the chart come one after another; each finds its place kept."""
    await desk.house.add("anna", "supervisor", support="supervisor")
    await waiting(desk, 3)
    page = await signed_in(desk, open_page)
    await page.add_init_script(SHIFTS)
    seen = asyncio.Event()

    async def late(route: Route) -> None:
        await seen.wait()
        await route.continue_()

    await page.route("**/assets/Chart-*.js", late)  # the library is the last that comes
    today = desk.house.clock.moment().date()
    await page.goto(f"{desk.url}/reports?from={today}&to={today}&by=line", wait_until="commit")
    await expect(page.locator("main table")).to_be_visible()
    await expect(page.locator("main select[name=operator] option")).to_have_count(2)
    assert await page.locator("main canvas").count() == 0
    seen.set()
    await expect(page.locator("main canvas")).to_be_visible()
    assert await page.evaluate("shifted") < 0.1  # what is called good: https://web.dev/articles/cls


async def lose_once(page: Page, files: str) -> asyncio.Event:
    """The first request for these files fails, as when the server has another build or none; set when that happened."""
    lost = asyncio.Event()

    async def answer(route: Route) -> None:
        again = lost.is_set()
        lost.set()
        await (route.continue_() if again else route.fulfill(status=404))

    await page.route(files, answer)
    return lost


@pytest.mark.parametrize("files", ["**/assets/frame-*.js", "**/assets/ru-*.js"])
async def test_a_console_that_did_not_load_tries_again(desk: Desk, open_page: Open, files: str) -> None:
    await desk.house.add("anna", support="operator")
    page = await signed_in(desk, open_page)
    lost = await lose_once(page, files)
    await page.goto(f"{desk.url}/profile")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Профиль", timeout=ANEW)
    assert lost.is_set()


async def test_a_page_of_another_build_is_opened_anew(desk: Desk, open_page: Open) -> None:
    """Since the console was opened the server was upgraded: the file of the page has another name."""
    await desk.house.add("anna", support="operator")
    page = await signed_in(desk, open_page)
    await page.goto(f"{desk.url}/profile")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Профиль")
    lost = asyncio.Event()

    async def answer(route: Route) -> None:
        if page.url.endswith("/profile"):
            lost.set()
            await route.fulfill(status=404)
        else:
            await route.continue_()

    await page.route("**/assets/Tickets-*.js", answer)
    await page.locator('nav.rail a[href="/console/tickets"]').click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Заявки", timeout=ANEW)
    assert lost.is_set()
