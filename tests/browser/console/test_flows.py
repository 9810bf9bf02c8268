"""The pages of flows: what a client did is on the diagram, what nobody caught can be copied into YAML, findings lead to lines."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from gateway.edition import read_edition
from tests.browser.console.conftest import Desk, Open
from tests.browser.console.hostile import CORPUS
from tests.browser.console.test_looks import LOOKS, stands_well
from tests.browser.test_access import findings
from tests.gateway.api.house import ROOT, House, open_house
from tests.gateway.api.test_flows_pages import BOOK, RETURN, WARNED, walk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
HERE = {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest_asyncio.fixture(loop_scope="session")
async def shop() -> AsyncIterator[Desk]:
    """A desk whose bot takes returns; one flow has a finding, one stands in a folder."""
    flows = {
        **BOOK,
        "rare.yaml": WARNED,
        "deep/one.yaml": WARNED.replace("Редкий", "Глубокий").replace("редкий", "глубь"),
    }
    async for house in open_house(flows=flows):
        made = await Desk.open(house)
        yield made
        await made.server.close()


async def enter(desk: Desk, open_page: Open, role: Any = "admin", **how: Any) -> Page:
    await desk.house.add("root", role, support="supervisor")
    watched = await open_page(bypass_csp=True, timezone_id="Europe/Moscow", **how)
    await watched.page.clock.set_fixed_time(desk.house.clock.moment())
    await desk.sign_in(watched, "root")
    page: Page = watched.page
    return page


def box(page: Page, words: str) -> Locator:
    return page.locator(f"g.box[aria-label*='{words}']")


async def clipboard(page: Page) -> str:
    return str(await page.evaluate("navigator.clipboard.readText()"))


async def test_the_diagram_shows_what_clients_did(shop: Desk, open_page: Open) -> None:
    await walk(shop.house)
    page = await enter(shop, open_page)
    await page.goto(f"{shop.url}/flows")
    row = page.locator("tr", has_text="Возврат").first
    await expect(row.locator("td").nth(4)).to_have_text("2")
    await expect(row.locator("td").nth(5)).to_contain_text("50")
    await row.get_by_role("link").click()
    await expect(page).to_have_url(re.compile("/flows/return"))
    number, name = box(page, "Какой номер заказа?"), box(page, "Как вас зовут?")
    await expect(name.locator(".figure")).to_have_text("1 · 50\u00a0%")
    await expect(name).to_have_attribute("data-level", "4")
    await expect(number.locator(".figure")).to_have_text("0")
    assert await findings(page) == []
    for measure, asked in {
        "entered": "2",
        "answered": "3",
        "wrong": "1 · 33\u00a0%",
        "back": "1 · 33\u00a0%",
        "cancelled": "0",
    }.items():
        await page.select_option("select[name=measure]", measure)
        await expect(page).to_have_url(re.compile(f"measure={measure}"))
        await expect(number.locator(".figure")).to_have_text(asked)
    await expect(name.locator(".figure")).to_have_text("1 · 50\u00a0%")
    row = page.locator("tr[data-step^='Какой номер']")
    told = {
        it: await row.locator(f"[data-measure={it}]").inner_text()
        for it in ("entered", "answered", "wrong", "back", "lost")
    }
    assert {it: text.split()[0] for it, text in told.items()} == {
        "entered": "2",
        "answered": "3",
        "wrong": "1",
        "back": "1",
        "lost": "0",
    }
    await expect(page.locator(".frame .end .figure")).to_have_text("1")


async def test_a_step_opens_by_keys_to_its_sessions(shop: Desk, open_page: Open) -> None:
    await walk(shop.house)
    page = await enter(shop, open_page)
    await page.goto(f"{shop.url}/flows/return")
    await page.locator("g.start").focus()
    for _ in range(3):
        await page.keyboard.press("ArrowDown")
    await expect(page.locator("g.box:focus")).to_have_accessible_name(re.compile("Как вас зовут"))
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("step=3"))
    panel = page.locator(".panel")
    await expect(panel).to_contain_text("знакомство")
    assert await findings(page) == []
    await panel.get_by_role("button", name=re.compile("^Отменили")).click()
    await expect(panel.get_by_role("link", name="Клиент")).to_have_count(1)
    await panel.get_by_role("link", name="Клиент").click()
    await expect(page).to_have_url(re.compile(r"/work/1\b"))
    await page.go_back()
    await expect(panel).to_contain_text("знакомство")  # the address was the state
    await panel.get_by_role("link", name=re.compile("Строка")).click()
    await expect(page.locator(".line.at")).to_contain_text("ask: имя")


async def test_an_analyst_sees_numbers_and_nobodys_words(shop: Desk, open_page: Open) -> None:
    await walk(shop.house)
    page = await enter(shop, open_page, "analyst")
    await page.goto(f"{shop.url}/flows?tab=uncaught")
    await expect(page.locator("td.title").first).to_be_visible()
    await expect(page.get_by_role("link", name="Не поняли")).to_have_count(0)
    await page.goto(f"{shop.url}/flows/return?step=3")
    await expect(page.locator(".panel dd", has_text="2").first).to_be_visible()
    await expect(page.locator(".panel dd button")).to_have_count(0)


async def said_by_all(house: House, phrases: list[str]) -> None:
    for n, phrase in enumerate(phrases, 1):
        await house.client(phrase, str(n))


async def test_what_nobody_caught_is_copied_and_runs_nowhere(shop: Desk, open_page: Open) -> None:
    await said_by_all(shop.house, [*CORPUS[:40], *["где мой заказ"] * 9, "да, но: нет #1"])
    page = await enter(shop, open_page, **HERE)
    await page.goto(f"{shop.url}/flows?tab=uncaught")
    first = page.locator("tbody tr").first
    await expect(first.locator("td.said")).to_have_text("где мой заказ")
    await expect(first.locator("td").nth(2)).to_have_text("9")
    assert await page.evaluate("window.pwned ?? null") is None
    await first.get_by_role("button").click()
    await expect(page.locator("body")).to_contain_text("Скопировано")
    assert await clipboard(page) == "- words: [где мой заказ]"
    for tick in await page.locator("td input[type=checkbox]").all():
        await tick.check()
    assert await findings(page) == []
    await page.locator(".ready button").click()
    await page.wait_for_function("navigator.clipboard.readText().then((text) => text.includes('да, но: нет #1'))")
    lines = (await clipboard(page)).splitlines()
    assert any('"да, но: нет #1"' in line for line in lines)
    text = RETURN.replace("triggers:", "\n".join(["triggers:", *(f"  {line}" for line in lines)]), 1)
    edition = read_edition({**BOOK, "return.yaml": text}, shop.house.gateway.deployment)
    assert [it.line("en") for it in edition.errors] == []


async def test_findings_lead_to_their_lines(shop: Desk, open_page: Open) -> None:
    page = await enter(shop, open_page)
    await page.goto(f"{shop.url}/flows/rare?tab=yaml")
    await page.get_by_role("link", name="rare.yaml:6:9").click()
    await expect(page).to_have_url(re.compile("line=6"))
    await expect(page.locator(".line.at.found")).to_contain_text("очень редкий")
    await expect(page.locator(".marked")).to_have_text("очень редкий")
    await expect(page.locator(".said.warning")).to_contain_text("уберите это")
    assert await findings(page) == []
    (shop.house.gateway.config.flows / "rare.yaml").write_text(WARNED.replace("say:", "sag:"), "utf-8")
    await page.goto(f"{shop.url}/flows/rare?tab=yaml")
    await page.select_option("select[name=edition]", "folder")
    await expect(page.locator(".said.error")).to_be_visible()
    await expect(page.locator(".marked", has_text="sag")).to_have_text("sag")
    await page.goto(f"{shop.url}/flows?tab=editions")
    await expect(page.locator("section.card")).to_contain_text("которой ещё нет в работе")
    assert await findings(page) == []


async def test_a_flow_of_a_folder_has_a_page(shop: Desk, open_page: Open) -> None:
    page = await enter(shop, open_page)
    await page.goto(f"{shop.url}/flows")
    await page.get_by_role("link", name="Глубокий").click()
    await expect(page.locator("h1")).to_have_text("Глубокий")
    await expect(page.locator("g.box")).to_have_count(3)
    await page.get_by_role("link", name="YAML").click()
    await expect(page.locator(".code")).to_contain_text("глубь")


async def test_the_diagram_fits_a_phone(shop: Desk, open_page: Open) -> None:
    page = await enter(shop, open_page, viewport={"width": 390, "height": 844})
    for place in ("flows", "flows?tab=editions", "flows/return?step=1", "flows/return?tab=yaml"):
        await page.goto(f"{shop.url}/{place}")
        await page.wait_for_selector(".card")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place


RUINS = ("отмена", "не знаю", "позже", "человек")


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_the_pages_of_flows_stand_well(shop: Desk, open_page: Open, language: str, theme: str) -> None:
    """With a day of clients of whom some do not come to the end."""
    await walk(shop.house)
    for n in range(3, 13):
        said = ("вернуть", str(n), "сломалось", "Анна")
        for words in (*said[: n % 5], *((RUINS[n % 4],) if n % 3 else ())):
            await shop.house.client(words, str(n))
    user = await shop.house.add("anna", "admin")
    looks = {"title": "Анна", "language": language, "theme": theme}
    await shop.house.accounts.change_user(user.id, looks, ROOT, shop.house.clock.at)
    watched = await open_page(bypass_csp=True, timezone_id="Europe/Moscow")
    page = watched.page
    await page.clock.set_fixed_time(shop.house.clock.moment())
    await shop.sign_in(watched, "anna")
    places = {
        "flows": "td.title",
        "flows/return": "g.box",
        "flows?tab=uncaught": ".said, .good",
        "flows/rare?tab=yaml": ".said",
    }
    for place, ready in places.items():
        await page.goto(f"{shop.url}/{place}")
        await page.wait_for_selector(ready)
        named = {"flows/return": "flows-one", "flows/rare?tab=yaml": "flows-yaml"}.get(
            place, place.replace("?tab=", "-")
        )
        await stands_well(page, named, language, theme)
