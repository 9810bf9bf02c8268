"""The live socket: what changed, to whoever may see it, complete and in order."""

from __future__ import annotations

import asyncio

from storage.feed.reading import PAGE
from storage.ledger import Ledger
from storage.work.projecting import tell
from tests.gateway.api.house import Browser, House
from tests.gateway.api.live.conftest import open_tap
from tests.gateway.api.test_deeds import queued


async def test_a_change_comes_with_the_row_of_the_list(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    tap = await open_tap(house, browser)
    home = await queued(house)
    change = await tap.next("change")
    while change["row"]["status"] != "queued":
        change = await tap.next("change")
    assert (change["conversation"], change["kind"]) == (home, "session")
    row = change["row"]
    assert (row["line"], row["operator"], row["channel"]) == ("support", "", "telegram")
    await browser.ask("POST", f"/conversations/{home}/take", {"epoch": row["epoch"]})
    taken = await tap.next("change")
    while not (taken["kind"] == "session" and taken["row"]["operator"]):
        taken = await tap.next("change")
    assert taken["data"]["from"] == ["support", ""]
    assert taken["data"]["now"]["status"] == "assigned"
    await house.client("а где мой заказ?")
    said = await tap.next("change")
    while (said["row"]["said"] or {}).get("text") != "а где мой заказ?":
        said = await tap.next("change")
    assert said["row"]["said"]["author"] == "client"
    seqs = [frame["seq"] for frame in tap.of("change")]
    assert seqs == sorted(set(seqs))


async def test_who_comes_back_gets_what_was_missed_once_and_in_order(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    watching, leaving = await open_tap(house, browser), await open_tap(house, browser)
    await queued(house)
    seen = (await leaving.next("change"))["seq"]
    await leaving.close()
    got = [frame["seq"] for frame in leaving.of("change")]
    await house.client("ещё", chat="2")
    await house.client("человек", chat="2")
    back = await open_tap(house, browser, after=got[-1])
    await asyncio.sleep(0.1)
    assert seen == got[0]
    assert got + [it["seq"] for it in back.of("change")] == [it["seq"] for it in watching.of("change")]
    assert [frame["seq"] for frame in back.of("ready")] <= [watching.of("change")[-1]["seq"]]


async def test_another_line_hears_nothing_and_a_transfer_takes_it_away(house: House) -> None:
    await house.add("anna", support="operator")
    await house.add("carl", billing="operator")
    anna, carl = await house.browser("anna"), await house.browser("carl")
    support, billing = await open_tap(house, anna), await open_tap(house, carl)
    home = await queued(house)
    await support.next("change")
    await asyncio.sleep(0.1)
    assert billing.of("change", "gone") == []
    await transfer(anna, home)
    gone = await support.next("gone")
    assert gone["conversation"] == home
    change = await billing.next("change")
    while change["kind"] != "session":
        change = await billing.next("change")
    assert (change["row"]["line"], change["data"]["from"][0]) == ("billing", "support")
    before = len(support.all)
    await house.client("это видит только новая линия")
    while "это видит" not in str(billing.all):
        await billing.next("change")
    await asyncio.sleep(0.1)
    assert all("это видит" not in str(frame) for frame in support.all[before:])


async def transfer(browser: Browser, home: int) -> None:
    """Take the session, and give it to the line of billing."""
    taken = await browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    body = {"epoch": taken.body["epoch"], "line": "billing", "text": "это к вам"}
    answer = await browser.ask("POST", f"/conversations/{home}/transfer", body)
    assert answer.status == 200, answer.body


async def test_the_replay_shows_nothing_that_has_gone_to_another_line_since(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    tap = await open_tap(house, browser)
    home = await queued(house)
    first = (await tap.next("change"))["seq"]
    await tap.close()
    await transfer(browser, home)
    back = await open_tap(house, browser, after=first - 1)
    assert back.of("change") == []
    assert {frame["conversation"] for frame in back.of("gone")} == {home}


async def test_a_number_that_was_never_given_begins_anew(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    await queued(house)
    tap = await open_tap(house, browser, after=10_000)
    (reset,) = tap.of("reset")
    assert reset["why"] == "future"
    await house.client("дальше")
    assert (await tap.next("change"))["seq"] == reset["seq"] + 1


async def test_what_was_trimmed_cannot_be_resumed(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    await queued(house)
    live = house.gateway.live
    assert await live.feed.trim(house.clock.at + 1) > 0
    tap = await open_tap(house, browser, after=0)
    assert tap.of("reset")[0]["why"] == "old"
    await house.client("дальше")
    assert (await tap.next("change"))["conversation"]


async def test_a_long_absence_is_replayed_page_by_page(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    first = await open_tap(house, browser)
    home = await queued(house)
    await first.close()
    state = await house.store.conversation(home)
    assert state is not None

    def write(ledger: Ledger) -> None:
        for n in range(2 * PAGE):
            tell(ledger, state, "message", house.clock.at, {"n": n})

    await house.gateway.floor.units.write(write)
    tap = await open_tap(house, browser, after=0)
    seqs = [frame["seq"] for frame in tap.of("change")]
    last = tap.of("ready")[0]["seq"]
    assert last > 2 * PAGE
    assert seqs == list(range(1, last + 1))
