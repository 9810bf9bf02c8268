"""Hours and promises through the API, on both stores: deadlines, the ledger, alarms, and A11: hours that are edited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from storage.codec import decode_dict
from storage.work.schema import feed
from tests.gateway.api.house import Browser, House, open_house

CONFIG = """\
http: {{port: 0}}
storage: {{url: "{url}", files: files, cache: cache}}
flood: off
timezone: Europe/Moscow
channels: {{telegram: {{kind: telegram, token: "42:x", line: support}}}}
lines:
  support:
    title: Поддержка
    {support}
    max_wait: 0
    route: pull
    closed: {{ticket: general}}
    busy: {{ticket: general}}
  billing: {{title: Расчёты, hours: {{mon-fri: "09:00-18:00"}}, closed: {{ticket: general}}, busy: {{ticket: general}}}}
desks: {{general: {{title: Обращения}}}}
"""
ALWAYS = 'hours: {mon-sun: "00:00-24:00"}\n    first_reply: 10m\n    next_reply: 20m\n    resolve: 4h'


@pytest.fixture
def address(url: str, tmp_path: Path) -> str:
    """A database that outlives a gateway."""
    return url or f"sqlite:///{tmp_path}/house.db"


def gateway(address: str, support: str = ALWAYS) -> AbstractAsyncContextManager[House]:
    """A gateway over the database, started with these settings of the line."""
    return asynccontextmanager(open_house)(config=CONFIG.format(url=address, support=support))


@pytest.fixture
async def house(address: str) -> AsyncIterator[House]:
    async with gateway(address) as made:
        yield made


async def waiting(house: House) -> int:
    """A client waits for a person."""
    await house.client("привет")
    return (await house.client("человек")).conversation


async def ledger(browser: Browser, home: int) -> Any:
    answer = await browser.ask("GET", f"/conversations/{home}/sla")
    assert answer.status == 200, answer.body
    return answer.body


def clock(sla: Any, promise: str) -> Any:
    return next(it for it in sla["clocks"] if it["promise"] == promise)


def at(said: str) -> datetime:
    return datetime.fromisoformat(said)


def adds_up(one: Any) -> bool:
    """No gap, nothing twice: the entries follow each other from the opening on, and their sums are those that are told."""
    entries, spent = one["entries"], {"counted": 0.0, "client": 0.0, "hold": 0.0, "hours": 0.0}
    for before, after in pairwise(entries):
        assert before["until"] == after["since"]
    for entry in entries:
        assert entry["seconds"] == pytest.approx((at(entry["until"]) - at(entry["since"])).total_seconds(), abs=0.002)
        spent[entry["cause"]] += entry["seconds"]
    assert not entries or at(entries[0]["since"]) == at(one["opened_at"])
    return spent == pytest.approx(one["spent"], abs=0.01)


async def recalculated(house: House, browser: Browser, home: int, promise: str) -> Any:
    """The clock once its ledger tells of a change."""
    async with asyncio.timeout(10):
        while True:
            found = clock(await ledger(browser, home), promise)
            if found["changes"]:
                return found
            await asyncio.sleep(0.02)


async def test_a11_hours_edited(address: str) -> None:
    """Deadlines of open sessions are calculated anew by the next start, and the ledger says so; of closed ones, nothing."""
    async with gateway(address) as house:
        await house.add("anna", support="operator")
        browser = await house.browser("anna")
        closed = await waiting(house)
        await browser.ask("POST", f"/conversations/{closed}/take", {"epoch": 1})
        await browser.ask("POST", f"/conversations/{closed}/close", {"epoch": 2})
        settled = (await ledger(browser, closed))["clocks"]
        home = (await house.client("человек", "2")).conversation
        await house.client("человек", "2")
        before = await ledger(browser, home)
        assert [(it["promise"], it["outcome"]) for it in before["clocks"]] == [
            ("first_reply", "open"),
            ("resolve", "open"),
        ]
        resolve = clock(before, "resolve")
        assert (at(resolve["due"]) - at(resolve["opened_at"])).total_seconds() == 4 * 3600
        opened = at(resolve["opened_at"])
        began = house.clock.at
    # Today and tomorrow become days off, and the day after the line opens at nine.
    zone = ZoneInfo("Europe/Moscow")
    days = [(opened.astimezone(zone) + timedelta(days=n)).date() for n in range(3)]
    edited = f'hours: {{mon-sun: "09:00-18:00"}}\n    holidays: [{days[0]}, {days[1]}]\n    first_reply: 10m\n    resolve: 4h'
    async with gateway(address, edited) as house:
        house.clock.at = began + 60
        browser = await house.browser("anna")
        found = await recalculated(house, browser, home, "resolve")
        opening = datetime(days[2].year, days[2].month, days[2].day, 9, tzinfo=zone)
        assert at(found["due"]) == opening + timedelta(hours=4)
        first = clock(await ledger(browser, home), "first_reply")
        assert at(first["due"]) == opening + timedelta(minutes=10)
        (change,) = found["changes"]
        assert (change["why"], at(change["was"]), at(change["due"])) == ("hours", at(resolve["due"]), at(found["due"]))
        assert change["text"].startswith("Часы или обещания линии изменили.")
        assert {it["cause"] for it in found["entries"]} <= {"hours"}
        assert adds_up(found)
        assert (await ledger(browser, closed))["clocks"] == settled
        queue = await browser.ask("GET", "/queue")
        assert at(queue.body["items"][0]["due"]) == at(first["due"])
    async with gateway(address, edited) as house:  # the same settings once more: nothing to say
        browser = await house.browser("anna")
        await house.quiet()
        assert len(clock(await ledger(browser, home), "resolve")["changes"]) == 1
    async with gateway(address) as house:  # and back again
        browser = await house.browser("anna")
        async with asyncio.timeout(10):
            while len(clock(await ledger(browser, home), "resolve")["changes"]) < 2:
                await asyncio.sleep(0.02)
        assert at(clock(await ledger(browser, home), "resolve")["due"]) == at(resolve["due"])


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # one process owns a file
async def test_several_processes_say_it_once(address: str) -> None:
    async with gateway(address) as house:
        await house.add("anna", support="operator")
        home = await waiting(house)
    edited = ALWAYS.replace("first_reply: 10m", "first_reply: 30m")
    async with gateway(address, edited) as one, gateway(address, edited) as two:
        browser = await one.browser("anna")
        await recalculated(one, browser, home, "first_reply")
        await one.quiet()
        await two.quiet()
        assert len(clock(await ledger(browser, home), "first_reply")["changes"]) == 1
        records = [it for it in await two.store.events(home) if it.pending.event.__struct_config__.tag == "timer"]
        assert len(records) == 1


async def test_a_session_from_its_first_second_to_its_end(house: House, url: str) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    home = await waiting(house)
    sla = await ledger(browser, home)
    assert (sla["due"]["kind"], sla["due"]["state"]) == ("first_reply", "fine")
    assert clock(sla, "first_reply")["text"] == "первый ответ за 10 мин"
    await browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    await browser.ask("POST", f"/conversations/{home}/reply", {"epoch": 2, "text": "Слушаю вас"})
    sla = await ledger(browser, home)
    assert (clock(sla, "first_reply")["outcome"], sla["due"]["state"]) == ("met", "paused")
    if not url:  # the database's own clock cannot be moved
        house.clock.at += 40 * 60
    await house.client("вот номер")
    if not url:
        house.clock.at += 12 * 60
        resolve = clock(await ledger(browser, home), "resolve")
        assert (resolve["spent"]["client"], resolve["spent"]["counted"]) == (2400, 720)
        assert resolve["ledger"] == "зачтено 12 мин · ждали клиента 40 мин"
        assert at(resolve["due"]) - at(resolve["opened_at"]) == timedelta(hours=4, minutes=40)
    sla = await ledger(browser, home)
    assert all(adds_up(it) for it in sla["clocks"])
    assert sla["due"]["kind"] == "next_reply"
    assert (await browser.ask("POST", f"/conversations/{home}/close", {"epoch": 2})).status == 200
    sla = await ledger(browser, home)
    assert (sla["due"], clock(sla, "resolve")["outcome"], clock(sla, "next_reply")["outcome"]) == (None, "met", "ended")
    assert all(adds_up(it) for it in sla["clocks"])


async def alarms(house: House) -> list[tuple[str, str]]:
    rows = await house.gateway.floor.units.ask(
        lambda reads: [row for row in reads.all(select(feed).order_by(feed.c.id)) if row["kind"] == "alarm"]
    )
    told = [(row["line"], decode_dict.decode(row["data"])) for row in rows]
    assert all(line == "support" for line, _ in told)
    return [(data["alarm"], data["promise"]) for _, data in told]


async def test_alarms_for_supervisors(address: str) -> None:
    """At 80 % and at the deadline, once each; those of a promise that was kept never come."""
    short = 'hours: {mon-sun: "00:00-24:00"}\n    first_reply: 1s\n    warn_at: 0.5'
    async with gateway(address, short) as house:
        await house.add("olga", "supervisor", support="supervisor")
        await house.add("anna", support="operator")
        await house.add("boris", "supervisor", billing="supervisor")
        home = await waiting(house)
        kept = (await house.client("человек", "2")).conversation
        await house.client("человек", "2")
        anna = await house.browser("anna")
        await anna.ask("POST", f"/conversations/{kept}/take", {"epoch": 1})
        assert (await anna.ask("POST", f"/conversations/{kept}/reply", {"epoch": 2, "text": "Да"})).status == 200
        async with asyncio.timeout(10):
            while len(await alarms(house)) < 2:
                house.clock.at += 0.1
                house.gateway.wake()
                await asyncio.sleep(0.05)
        assert await alarms(house) == [("warned", "first_reply"), ("missed", "first_reply")]
        house.clock.at = max(house.clock.at, time.time()) + 5
        risks = await (await house.browser("olga")).ask("GET", "/sla/at-risk")
        assert [(it["conversation"], it["due"]["state"]) for it in risks.body["items"]] == [(home, "late")]
        assert (risks.body["late"], risks.body["soon"]) == (1, 0)
        for name in ("anna", "boris"):  # who leads no line, and who leads another
            assert (await (await house.browser(name)).ask("GET", "/sla/at-risk")).body["items"] == []


async def test_another_line_sees_no_ledger(house: House) -> None:
    await house.add("boris", billing="operator")
    home = await waiting(house)
    answer = await (await house.browser("boris")).ask("GET", f"/conversations/{home}/sla")
    assert (answer.status, answer.kind) == (404, "not-found")
    await house.add("anna", support="operator")
    answer = await (await house.browser("anna")).ask("GET", f"/conversations/{home}/sla?session=7")
    assert (answer.status, answer.kind) == (404, "not-found")


async def test_when_a_line_works_is_known_to_the_analyst(house: House) -> None:
    await house.add("nina", "analyst")
    browser = await house.browser("nina")
    house.clock.at = datetime(2026, 1, 2, 17, 0, tzinfo=UTC).timestamp()  # Friday, 20:00 in Moscow
    found = (await browser.ask("GET", "/lines/billing/hours")).body
    assert (found["open"], found["closes_at"], found["timezone"]) == (False, None, "Europe/Moscow")
    assert at(found["opens_at"]) == datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
    assert found["week"][0] == {"day": 1, "opens": "09:00", "closes": "18:00"}
    house.clock.at = datetime(2026, 1, 5, 7, 0, tzinfo=UTC).timestamp()
    found = (await browser.ask("GET", "/lines/billing/hours")).body
    assert (found["open"], found["opens_at"], at(found["closes_at"])) == (
        True,
        None,
        datetime(2026, 1, 5, 15, 0, tzinfo=UTC),
    )
    assert (await browser.ask("GET", "/lines/nowhere/hours")).kind == "not-found"
