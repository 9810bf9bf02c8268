"""Deeds of people in a conversation, through the API: once, in order, by whoever may."""

from __future__ import annotations

import asyncio

from core.accounts import operator_id
from tests.gateway.api.house import House


async def queued(house: House) -> int:
    """A client waits for a person."""
    await house.client("привет")
    return (await house.client("человек")).conversation


async def test_a_session_is_taken_answered_and_closed(house: House) -> None:
    anna = await house.add("anna", support="operator")
    browser = await house.browser("anna")
    home = await queued(house)
    taken = await browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    assert (taken.status, taken.body) == (200, {"conversation": home, "epoch": 2})
    assert (await browser.ask("POST", f"/conversations/{home}/reply", {"epoch": 2, "text": "Слушаю вас"})).status == 200
    await house.quiet()
    assert house.channel.texts[-1] == "Слушаю вас"
    assert (await browser.ask("POST", f"/conversations/{home}/close", {"epoch": 2})).status == 200
    row = await house.gateway.floor.session(anna.who, home)
    assert row is not None
    assert (row["status"], row["line"], row["closed_at"] > 0) == ("closed", "support", True)


async def test_two_takes_at_once(house: House) -> None:
    """A1: one wins, the other is told."""
    for name in ("anna", "boris"):
        await house.add(name, support="operator")
    browsers = [await house.browser(name) for name in ("anna", "boris")]
    home = await queued(house)
    asked = (browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1}) for browser in browsers)
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert next(answer for answer in answers if answer.status == 409).kind == "stale"


async def test_a_repeat_under_the_same_key_says_it_once(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    home = await queued(house)
    await browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    body = {"epoch": 2, "text": "один раз"}
    answers = [await browser.ask("POST", f"/conversations/{home}/reply", body, Idempotency_Key="k1") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    await house.quiet()
    assert house.channel.texts.count("один раз") == 1


async def test_another_line_is_not_there(house: House) -> None:
    await house.add("carl", billing="operator")
    home = await queued(house)
    answer = await (await house.browser("carl")).ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    assert (answer.status, answer.kind) == (404, "not-found")


async def test_only_the_owner_speaks(house: House) -> None:
    anna = await house.add("anna", support="operator")
    await house.add("boris", support="operator")
    home = await queued(house)
    await (await house.browser("anna")).ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    other = await house.browser("boris")
    answer = await other.ask("POST", f"/conversations/{home}/reply", {"epoch": 2, "text": "нет"})
    assert answer.kind == "not-yours"
    assert (await other.ask("POST", f"/conversations/{home}/note", {"text": "это частное"})).status == 200
    await house.quiet()
    assert not {"нет", "это частное"} & set(house.channel.texts)
    row = await house.gateway.floor.session(anna.who, home)
    assert row is not None
    assert row["operator"] == operator_id(anna.id)
