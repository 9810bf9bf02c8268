"""Presence, queue and routing through the API, on both stores: who gets whom, when, and why the others wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.accounts import operator_id
from storage.routing.writing import touch
from tests.gateway.api.house import CONFIG, Browser, House, open_house


@pytest.fixture
async def house(url: str) -> AsyncIterator[House]:
    config = CONFIG.replace("sqlite:///house.db", url) if url else CONFIG
    async for made in open_house(config=config):
        yield made


async def wait_in_queue(house: House, chat: str = "1") -> int:
    """A client of a chat waits for a person; the conversation."""
    await house.client("привет", chat)
    return (await house.client("человек", chat)).conversation


async def queue(browser: Browser, query: str = "") -> list[dict[str, Any]]:
    answer = await browser.ask("GET", f"/queue{query}")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body["items"]
    return found


async def owner(house: House, home: int) -> str:
    found = await house.store.conversation(home)
    assert found is not None
    return found.session.operator or found.session.owner


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 5.0) -> float:
    """How long it took until something held."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not await what():
            await asyncio.sleep(0.01)
    return time.monotonic() - began


async def given(house: House, home: int, operator: str, seconds: float = 5.0) -> float:
    """How long it took until somebody had the session."""

    async def has() -> bool:
        return await owner(house, home) == operator

    return await until(has, seconds)


async def decisions(browser: Browser, home: int) -> list[dict[str, Any]]:
    """What routing decided, the newest first, when it knows what became of it."""
    found: list[dict[str, Any]] = []

    async def settled() -> bool:
        found[:] = (await browser.ask("GET", f"/conversations/{home}/routings")).body["items"]
        return bool(found[0]["outcome"] == "done")

    await until(settled)
    return found


async def stay(house: House, user: int, seconds: float) -> None:
    """Time passes, and somebody is there all the while: nobody looks between the two."""
    later = house.clock.at + seconds
    await house.gateway.floor.units.write(lambda ledger: touch(ledger, [(user, later)], later))
    house.clock.at = later


async def online(house: House, name: str, state: str = "online") -> Browser:
    browser = await house.browser(name)
    answer = await browser.ask("PUT", "/me/presence", {"state": state})
    assert (answer.status, answer.body["state"]) == (200, state), answer.body
    return browser


# --- A5 ----------------------------------------------------------------------------------------------------------------


async def test_all_are_away_then_one_comes(house: House) -> None:
    """A5: the oldest by deadline is assigned in less than two seconds; the others as far as the limits reach."""
    anna = await house.add("anna", support="operator")
    await house.add("root", "admin")
    browser = await online(house, "anna", "break")
    homes = []
    for chat in range(1, 8):
        homes.append(await wait_in_queue(house, str(chat)))
        house.clock.at += 61
    watching = await house.browser("root")
    waiting = await queue(watching)
    assert [it["conversation"] for it in waiting] == homes, "by their deadlines"
    assert {it["cause"] for it in waiting} == {"no_one_online"}
    assert [it["position"] for it in waiting] == list(range(1, 8))
    assert waiting[0]["candidates"] == [{"operator": operator_id(anna.id), "title": "Anna", "skip": "break"}] or (
        waiting[0]["candidates"][0]["skip"] == "away"  # nobody heard of her for seven minutes
    )
    began = time.monotonic()
    assert (await browser.ask("PUT", "/me/presence", {"state": "online"})).status == 200
    await given(house, homes[0], operator_id(anna.id), 2.0)
    assert time.monotonic() - began < 2.0
    await given(house, homes[4], operator_id(anna.id), 2.0)
    left = await queue(watching)
    assert [(it["conversation"], it["cause"]) for it in left] == [(home, "all_full") for home in homes[5:]]


# --- A13 ---------------------------------------------------------------------------------------------------------------


async def test_an_operator_with_five_sessions_is_deactivated(house: House) -> None:
    """A13: all are back in the queue with their history, none is closed."""
    anna = await house.add("anna", support="operator")
    await house.add("root", "admin")
    browser, admin = await online(house, "anna"), await house.browser("root")
    homes = [await wait_in_queue(house, str(chat)) for chat in range(1, 6)]
    for home in homes:
        await given(house, home, operator_id(anna.id))
    assert (await browser.ask("POST", f"/conversations/{homes[0]}/reply", {"epoch": 2, "text": "Слушаю"})).status == 200
    await house.quiet()
    said = [len(await house.store.history(home)) for home in homes]
    assert (await admin.ask("PATCH", f"/users/{anna.id}", {"active": False})).status == 200
    for home in homes:
        await given(house, home, "queue")
    waiting = await queue(admin)
    assert sorted(it["conversation"] for it in waiting) == sorted(homes)
    assert {(it["cause"], len(it["candidates"])) for it in waiting} == {("no_one_online", 0)}
    assert [len(await house.store.history(home)) for home in homes] == said
    for home in homes:
        found = await house.store.conversation(home)
        assert found is not None
        assert (found.session.status, found.session.number, found.session.closed_at) == ("queued", 1, 0.0)


# --- being away ----------------------------------------------------------------------------------------------------------


async def test_who_is_silent_for_longer_than_the_grace_gives_back_and_gets_again(house: House) -> None:
    anna = await house.add("anna", support="operator")
    await house.add("root", "admin")
    browser, home = await online(house, "anna"), await wait_in_queue(house)
    await given(house, home, operator_id(anna.id))
    house.clock.at += 59
    await asyncio.sleep(0.2)
    assert await owner(house, home) == operator_id(anna.id), "the grace is not over"
    house.clock.at += 2
    await given(house, home, "queue")
    watching = await house.browser("root")
    (person,) = (await watching.ask("GET", "/lines")).body["items"][0]["people"]
    assert (person["name"], person["state"], person["load"]) == ("anna", "away", 0.0)
    assert (await browser.ask("GET", "/me")).status == 200  # a sign of life
    await given(house, home, operator_id(anna.id))
    assert (await browser.ask("GET", "/me/presence")).body["state"] == "online"


async def test_a_lost_socket_begins_the_grace(house: House) -> None:
    anna = await house.add("anna", support="operator")
    await online(house, "anna")
    book = house.gateway.floor.presence
    house.clock.at += 50
    book.gone(anna.id)
    await book.flush()
    house.clock.at += 50
    assert await book.state(anna.id) == "online"
    house.clock.at += 11
    assert await book.state(anna.id) == "away"


async def test_who_goes_home_keeps_what_they_take_later(house: House) -> None:
    anna = await house.add("anna", support="operator")
    browser, home = await online(house, "anna"), await wait_in_queue(house)
    await given(house, home, operator_id(anna.id))
    await browser.ask("PUT", "/me/presence", {"state": "offline"})
    house.clock.at += 61
    await browser.ask("GET", "/me")
    await given(house, home, "queue")
    found = await house.store.conversation(home)
    assert found is not None
    taken = await browser.ask("POST", f"/conversations/{home}/take", {"epoch": found.session.epoch})
    assert taken.status == 200
    await asyncio.sleep(0.3)
    assert await owner(house, home) == operator_id(anna.id)


async def test_who_never_speaks_of_presence_is_left_alone(house: House) -> None:
    anna = await house.add("anna", support="operator")
    home, browser = await wait_in_queue(house), await house.browser("anna")
    await browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    house.clock.at += 4000
    await asyncio.sleep(0.3)
    assert await owner(house, home) == operator_id(anna.id)


async def test_a_supervisor_takes_somebody_off(house: House) -> None:
    """Whoever forgot to say that they have left is given nothing more; nobody is put to work by others."""
    anna = await house.add("anna", support="operator")
    await house.add("lead", "supervisor", support="supervisor")
    root = await house.add("root", "admin")
    await online(house, "anna")
    lead, home = await house.browser("lead"), await wait_in_queue(house)
    await given(house, home, operator_id(anna.id))
    path = f"/users/{anna.id}/presence"
    for state in ("online", "away", ""):
        assert (await lead.ask("PUT", path, {"state": state})).status == 422
    assert (await lead.ask("PUT", f"/users/{root.id}/presence", {"state": "break"})).status == 404
    answer = await lead.ask("PUT", path, {"state": "break"})
    assert (answer.status, answer.body["said"], answer.body["sessions"]) == (200, "break", 1)
    second = await wait_in_queue(house, "2")

    async def waits_for_nobody() -> bool:
        return [it["cause"] for it in await queue(lead)] == ["no_one_online"]

    await until(waits_for_nobody)
    assert await owner(house, home) == operator_id(anna.id), "a break keeps what one has"
    assert (await lead.ask("PUT", path, {"state": "offline"})).status == 200
    await stay(house, anna.id, 61)
    await given(house, home, "queue")
    assert await owner(house, second) == "queue"
    rows = (await (await house.browser("root")).ask("GET", f"/audit?object=user:{anna.id}")).body["items"]
    told = [(it["by"], it["detail"]) for it in rows if it["action"] == "presence_set"]
    assert told == [("lead", {"state": "offline"}), ("lead", {"state": "break"})]


async def test_taking_off_is_no_sign_of_life(house: House) -> None:
    anna = await house.add("anna", support="operator")
    await house.add("lead", "supervisor", support="supervisor")
    await online(house, "anna")
    home = await wait_in_queue(house)
    await given(house, home, operator_id(anna.id))
    house.clock.at += 50
    lead = await house.browser("lead")
    assert (await lead.ask("PUT", f"/users/{anna.id}/presence", {"state": "busy"})).body["state"] == "busy"
    house.clock.at += 11
    assert (await lead.ask("GET", "/lines")).body["items"][0]["people"][0]["state"] == "away"
    await given(house, home, "queue")


# --- offers ---------------------------------------------------------------------------------------------------------------


async def test_an_offer_that_nobody_answers_goes_to_the_next(house: House) -> None:
    people = {name: await house.add(name, support="operator") for name in ("anna", "boris")}
    await house.add("root", "admin")
    admin = await house.browser("root")
    await online(house, "anna")
    home = await wait_in_queue(house)
    await given(house, home, operator_id(people["anna"].id))
    await stay(house, people["anna"].id, 121)
    await given(house, home, "queue")

    async def ignored() -> bool:
        return [it["cause"] for it in await queue(admin)] == ["offer_ignored"]

    async def noted() -> bool:
        told = (await admin.ask("GET", f"/conversations/{home}/routings")).body["items"]
        return "offer_ignored" in {it["reason"] for it in told}

    await until(ignored)
    await until(noted)  # by the next look: the queue tells the cause without waiting for it
    (waits,) = await queue(admin)
    assert [(it["operator"], it["skip"]) for it in waits["candidates"]] == [
        (operator_id(people["anna"].id), "ignored"),
        (operator_id(people["boris"].id), "offline"),
    ]
    assert waits["waited"] == pytest.approx(121), "for the client it is one wait"
    await online(house, "boris")
    await given(house, home, operator_id(people["boris"].id))
    told = await decisions(admin, home)
    newest = told[0]
    assert (newest["operator"], newest["reason"]) == (operator_id(people["boris"].id), "balanced")
    assert newest["skipped"] == [{"operator": operator_id(people["anna"].id), "why": "ignored"}]


@pytest.mark.parametrize(("act", "body"), [("reply", {"text": "Слушаю"}), ("accept", {}), ("note", {"text": "вижу"})])
async def test_whoever_does_something_keeps_it(house: House, act: str, body: dict[str, str]) -> None:
    anna = await house.add("anna", support="operator")
    browser, home = await online(house, "anna"), await wait_in_queue(house)
    await given(house, home, operator_id(anna.id))
    epoch = {} if act == "note" else {"epoch": 2}
    answer = await browser.ask("POST", f"/conversations/{home}/{act}", {**epoch, **body})
    assert answer.status == 200, answer.body
    await stay(house, anna.id, 121)
    await house.quiet()
    await asyncio.sleep(0.3)
    assert await owner(house, home) == operator_id(anna.id)


async def test_who_gave_it_back_is_not_given_it_at_once(house: House) -> None:
    anna = await house.add("anna", support="operator")
    browser, home = await online(house, "anna"), await wait_in_queue(house)
    await given(house, home, operator_id(anna.id))
    assert (await browser.ask("POST", f"/conversations/{home}/return", {"epoch": 2})).status == 200
    await asyncio.sleep(0.4)
    (waits,) = await queue(browser)
    assert (waits["cause"], waits["candidates"][0]["skip"]) == ("offer_ignored", "returned")
    assert (await browser.ask("PUT", "/me/presence", {"state": "online"})).status == 200
    assert (await queue(browser))[0]["cause"] == "offer_ignored", "not in the same moment"
    house.clock.at += 1
    await browser.ask("PUT", "/me/presence", {"state": "online"})
    await given(house, home, operator_id(anna.id))


# --- limits, stickiness, hours, pull -----------------------------------------------------------------------------------


async def test_a_limit_of_ones_own(house: House) -> None:
    anna = await house.add("anna", support="operator")
    await house.add("lead", "supervisor", support="supervisor")
    lead = await house.browser("lead")
    answer = await lead.ask("PUT", f"/users/{anna.id}/capacity", {"max_sessions": 2})
    assert (answer.status, answer.body["max_sessions"]) == (200, 2.0)
    browser = await online(house, "anna")
    homes = [await wait_in_queue(house, str(chat)) for chat in range(1, 4)]
    for home in homes[:2]:
        await given(house, home, operator_id(anna.id))
    await asyncio.sleep(0.3)
    assert await owner(house, homes[2]) == "queue"
    # What waits for the client makes room.
    assert (await browser.ask("POST", f"/conversations/{homes[0]}/reply", {"epoch": 2, "text": "?"})).status == 200
    await given(house, homes[2], operator_id(anna.id))
    mine = (await browser.ask("GET", "/me/presence")).body
    assert (mine["load"], mine["max_sessions"], mine["sessions"]) == (2.0, 2.0, 3)


async def test_a_limit_for_today_ends_with_the_day(house: House) -> None:
    house.clock.at = datetime(2027, 1, 15, 23, 59, 30, tzinfo=ZoneInfo("Europe/Moscow")).timestamp()
    anna = await house.add("anna", support="operator")
    await house.add("lead", "supervisor", support="supervisor")
    lead, browser = await house.browser("lead"), await online(house, "anna")
    answer = await lead.ask("PUT", f"/users/{anna.id}/capacity", {"max_sessions": 1, "today": True})
    assert (answer.status, answer.body["own_limit"]) == (200, 1)
    homes = [await wait_in_queue(house, str(chat)) for chat in ("1", "2")]
    await given(house, homes[0], operator_id(anna.id))
    assert (await queue(browser))[0]["cause"] == "all_full"
    (person,) = [it for it in (await lead.ask("GET", "/lines")).body["items"][0]["people"] if it["name"] == "anna"]
    midnight = datetime.fromisoformat(person["own_limit_until"])
    assert f"{midnight.astimezone(ZoneInfo('Europe/Moscow')):%H:%M}" == "00:00", "of the deployment's time zone"
    house.clock.at += 31
    await given(house, homes[1], operator_id(anna.id))
    assert (await browser.ask("GET", "/me/presence")).body["own_limit"] == 0


async def test_the_same_operator_again(house: House) -> None:
    anna, boris = await house.add("anna", support="operator"), await house.add("boris", support="operator")
    browsers = {name: await online(house, name) for name in ("anna", "boris")}
    home = await wait_in_queue(house)
    await given(house, home, operator_id(anna.id))
    assert (await browsers["anna"].ask("POST", f"/conversations/{home}/close", {"epoch": 2})).status == 200
    house.clock.at += 10
    await wait_in_queue(house)
    await given(house, home, operator_id(anna.id))
    told = (await decisions(browsers["anna"], home))[0]
    assert (told["reason"], told["operator"] == operator_id(boris.id)) == ("sticky", False)


async def test_what_one_may_not_see_is_not_there(house: House) -> None:
    await house.add("carl", billing="operator")
    await house.add("ada", "analyst")
    home = await wait_in_queue(house)
    carl, ada = await house.browser("carl"), await house.browser("ada")
    assert await queue(carl) == []
    assert (await carl.ask("GET", f"/conversations/{home}/routings")).status == 404
    support, billing = (await carl.ask("GET", "/lines")).body["items"]
    assert (support["numbers"], support["people"], billing["numbers"]) == (None, None, None)
    assert [it["name"] for it in billing["people"]] == ["carl"]
    assert (await ada.ask("GET", "/queue")).status == 403
    numbers = (await ada.ask("GET", "/lines")).body["items"][0]
    assert (numbers["numbers"]["waiting"], numbers["people"]) == (1, None)


async def test_numbers_of_a_line(house: House) -> None:
    await house.add("lead", "supervisor", support="supervisor")
    anna = await house.add("anna", support="operator")
    for alone in ("8", "9"):  # the bot has these to itself
        await house.client("привет", alone)
    homes = []
    for chat in range(1, 4):
        homes.append(await wait_in_queue(house, str(chat)))
        house.clock.at += 100
    lead = await house.browser("lead")
    numbers = (await lead.ask("GET", "/lines")).body["items"][0]["numbers"]
    assert {name: numbers[name] for name in ("waiting", "oldest", "p80", "overdue", "in_work", "bot_share")} == {
        "waiting": 3,
        "oldest": pytest.approx(300),
        "p80": pytest.approx(300),
        "overdue": 0,
        "in_work": 0,
        "bot_share": 0.4,
    }
    assert numbers["causes"] == {"no_one_online": 3}
    assert numbers["expected"] is None, "nobody was ever served"
    await online(house, "anna")
    for home in homes:
        await given(house, home, operator_id(anna.id))
    numbers = (await lead.ask("GET", "/lines")).body["items"][0]["numbers"]
    assert (numbers["waiting"], numbers["in_work"], numbers["load"], numbers["oldest"]) == (0, 3, 3.0, None)


# --- what the client hears ------------------------------------------------------------------------------------------------


def notices(house: House) -> list[tuple[str, str]]:
    """How each message about the queue left, and its text."""
    rows = [row for row in house.channel.rows if row.message is not None and "очеред" in row.message.body.text]
    return [(row.kind, row.message.body.text) for row in rows if row.message]


async def test_the_client_hears_of_their_place_in_one_message(house: House) -> None:
    """Not at once, not again and again, and no number that was not measured."""
    await house.add("anna", support="operator")
    await wait_in_queue(house, "1")
    house.clock.at += 1
    await wait_in_queue(house, "2")
    await asyncio.sleep(0.3)
    assert [kind for kind, _ in notices(house)] == ["send", "send"]
    house.clock.at += 5

    async def told() -> bool:
        await house.quiet()
        return len(notices(house)) == 4

    await until(told)
    assert [kind for kind, _ in notices(house)[2:]] == ["edit", "edit"]
    assert sorted(text for _, text in notices(house)[2:])[0].startswith("Вы в очереди линии «Поддержка», ваш номер 1.")
    assert not any("минут" in text for _, text in notices(house))
    house.clock.at += 31
    await asyncio.sleep(1.3)  # a sweep
    await house.quiet()
    assert len(notices(house)) == 4, "nothing has changed"


async def test_a_range_is_what_others_waited(house: House) -> None:
    anna = await house.add("anna", support="operator")
    browser = await house.browser("anna")
    for chat in range(1, 7):
        home = await wait_in_queue(house, str(chat))
        house.clock.at += 60 * chat
        assert (await browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1})).status == 200
    await house.quiet()
    before = len(notices(house))
    await wait_in_queue(house, "9")
    house.clock.at += 6

    async def told() -> bool:
        await house.quiet()
        return len(notices(house)) == before + 2

    await until(told)
    assert "от 2 до 5 минут" in notices(house)[-1][1], "a fifth waited less, a fifth more"
    lines = (await browser.ask("GET", "/lines")).body["items"]
    assert lines[0]["numbers"] is None
    assert anna.id == lines[0]["people"][0]["user"]
