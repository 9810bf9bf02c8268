"""What a talk says of its surroundings: where the bot stands, who sent it, by which other ways its client can be reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from core.events import Message, Reachability
from tests.gateway.api.house import FLOWS, House, open_house
from tests.gateway.api.test_life import CONFIG, ORDER, person, queued, with_session
from tests.gateway.house import inbound

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async for made in open_house(config=CONFIG, flows={**FLOWS, "ask_order.yaml": ORDER}):
        yield made


async def talk(one: Any, home: int) -> dict[str, Any]:
    answer = await one.browser.ask("GET", f"/conversations/{home}")
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


async def test_the_position_in_a_flow_is_told_step_by_step(house: House) -> None:
    anna = await person(house, "anna", support="operator")
    home = (await house.client("заявка")).conversation
    steps = [{"label": "Телефон", "state": "now"}, {"label": "Фото", "state": "ahead"}]
    assert (await talk(anna, home))["flow"]["steps"] == steps
    await house.client("+7 916 123-45-67")
    steps = [{"label": "Телефон", "state": "done"}, {"label": "Фото", "state": "now"}]
    assert (await talk(anna, home))["flow"]["steps"] == steps


async def test_a_loan_is_told_while_it_lasts(house: House) -> None:
    anna, home = await with_session(house)
    assert (await anna.do("loan", home, flow="ask_order")).status == 200
    now = await talk(anna, home)
    assert (now["loan"]["flow"], now["loan"]["title"]) == ("ask_order", "Номер заказа")
    assert now["flow"]["steps"] == [{"label": "Номер заказа", "state": "now"}]
    await anna.do("end_loan", home)
    assert (await talk(anna, home))["loan"] is None


async def test_a_transfer_is_told_until_it_is_accepted(house: House) -> None:
    anna, home = await with_session(house)
    boris = await person(house, "boris", billing="operator")
    assert (await anna.do("transfer", home, line="billing", urgent=True)).status == 200
    sent = (await talk(boris, home))["transfer"]
    assert (sent["line_title"], sent["by"]["title"], sent["mine"]) == ("Поддержка", "Anna", False)
    assert sent["missing"] == ["Телефон", "Номер заказа"]
    await boris.do("take", home)
    await boris.do("accept", home)
    assert (await talk(boris, home))["transfer"] is None


async def test_what_is_put_aside_says_until_when(house: House) -> None:
    anna, home = await with_session(house)
    until = house.clock.at + 3600
    await anna.do("hold", home, until=_iso(until))
    assert (await talk(anna, home))["held_until"] is not None
    await anna.do("unhold", home)
    assert (await talk(anna, home))["held_until"] is None


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


async def test_who_leads_is_offered_to_give_a_session_to_somebody(house: House) -> None:
    vera, home = await person(house, "vera", support="supervisor"), await queued(house)
    anna = await person(house, "anna", support="operator")
    assert "assign" in (await talk(vera, home))["acts"]
    assert "assign" not in (await talk(anna, home))["acts"]


async def test_an_answer_points_at_the_message_that_it_answers(house: House) -> None:
    anna, home = await with_session(house)
    come = inbound(90, Message("а крышка?"), "1", house.clock.moment())
    await house.gateway.intake.accept([msgspec.structs.replace(come, message_id="77")])
    await house.quiet()
    (asked,) = [it for it in await house.store.history(home) if it.message_id == "77"]
    assert (await anna.do("reply", home, text="вот она", quote=asked.seq)).status == 200
    sent = house.channel.rows[-1].message
    assert sent is not None
    assert sent.quote is not None
    assert (sent.quote.message_id, sent.quote.text) == ("77", "а крышка?")
    shown = (await anna.browser.ask("GET", f"/conversations/{home}/messages")).body["items"][-1]
    assert shown["quote"] == {"seq": asked.seq, "text": "а крышка?"}
    assert (await anna.do("reply", home, text="и ещё", quote=10_000)).kind == "invalid"


async def test_other_ways_say_what_may_be_done_there(house: House) -> None:
    anna, home = await with_session(house)
    other = (await house.client("привет", chat="2")).conversation
    mine, theirs = [(await talk(anna, it))["client"]["id"] for it in (home, other)]
    joined = await anna.browser.ask("POST", f"/clients/{mine}/join", {"other": theirs, "reason": "один человек"})
    assert joined.status in (200, 201), joined.body
    (way,) = (await anna.browser.ask("GET", f"/conversations/{home}/ways")).body["items"]
    assert (way["conversation"], way["kind"], way["status"], way["reachable"]) == (other, "telegram", "bot", True)
    assert "take" in way["acts"]
    await house.client(Reachability(False), chat="2")
    (way,) = (await anna.browser.ask("GET", f"/conversations/{home}/ways")).body["items"]
    assert not way["reachable"]
