"""Long polling: the marker moves with the commit, and nothing that comes stops the loop."""

from __future__ import annotations

import asyncio

import pytest

from adapters.max.channel import Max
from adapters.max.polling import parse_cursor
from core.events import Message, Opened, Press, Reachability
from core.ports import Cursor, LeaseLost
from tests.adapters.max.conftest import Build, buttons, row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.max import BOT, MaxEmulator


def texts(gate: FakeGate) -> list[str]:
    return [inbound.event.text for inbound in gate.inbounds if isinstance(inbound.event, Message)]


async def test_messages_come_in_order_and_the_marker_with_them(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    for number in range(250):
        max_.say(7, str(number))
    await gate.until(lambda: len(gate.inbounds) == 250)
    assert texts(gate) == [str(number) for number in range(250)]
    assert max(gate.batches) <= 100
    await max_.wait_call("GET /updates", len(max_.sent(method="GET /updates")) + 1)
    assert max_.delivery.waiting == 0, "the marker has committed them"


async def test_all_kinds_at_once(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    await polling.send(row(rows=buttons("Да")))
    max_.start_bot(7, "vozvrat-qr")
    max_.press(7, "Да", gone=True)
    max_.block(7)
    await gate.until(lambda: len(gate.inbounds) == 3)
    events = [inbound.event for inbound in gate.inbounds]
    assert events == [Opened("vozvrat-qr"), Press("1.2.0"), Reachability(False)]
    await max_.wait_call("POST /answers")
    assert len(max_.world.answered) == 1


async def test_a_restart_goes_on_where_the_commit_was(
    polling: Max, build: Build, max_: MaxEmulator, gate: FakeGate
) -> None:
    max_.say(7, "раз")
    await gate.until(lambda: len(gate.inbounds) == 1)
    await polling.stop()
    max_.say(7, "два")
    before = len(max_.world.calls)
    await build().start(gate)
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert texts(gate) == ["раз", "два"]
    (first, *_) = [call for call in max_.world.calls[before:] if call.method == "GET /updates"]
    assert gate.cursors["max"] == f"{int(first.query['marker']) + 1}@{BOT}"


def test_cursors() -> None:
    assert parse_cursor("25@9", 9) == "25"
    assert [parse_cursor(value, 9) for value in ("25@8", "", "x@9", "25")] == [""] * 4, "another bot's, or none"


async def test_the_marker_of_another_bot_is_forgotten(build: Build, max_: MaxEmulator, gate: FakeGate) -> None:
    gate.cursors["max"] = "999999999@5"
    max_.say(7, "привет")
    await build().start(gate)
    await gate.until(lambda: len(gate.inbounds) == 1)
    assert "marker" not in max_.sent(method="GET /updates")[0].query


async def test_a_full_store_moves_nothing(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    gate.full = 2
    max_.say(7, "важно")
    await gate.until(lambda: len(gate.inbounds) == 1)
    assert gate.refused == 2
    assert texts(gate) == ["важно"]


async def test_poison_in_a_batch_costs_only_itself(build: Build, max_: MaxEmulator, gate: FakeGate) -> None:
    max_.say(7, "до")
    max_.push({"update_type": "message_created", "message": "broken"})
    max_.push({"update_type": "message_callback", "timestamp": 1})
    max_.say(7, "после")
    await build().start(gate)
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert texts(gate) == ["до", "после"]
    assert [reason for _, _, reason in gate.quarantined] == ["AttributeError", "missing callback"]


async def test_what_comes_twice_is_taken_once(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    max_.disturb(duplicate=1.0)
    max_.say(7, "раз")
    max_.say(7, "два")
    await gate.until(lambda: sum(gate.batches) == 4)
    assert texts(gate) == ["раз", "два"]


@pytest.mark.parametrize("kind", ["500", "401", "429", "html", "cut", "lost"])
async def test_it_outlives_trouble(polling: Max, max_: MaxEmulator, gate: FakeGate, kind: str) -> None:
    max_.fail(method="GET /updates", kind=kind)
    max_.say(7, "раз")
    max_.say(7, "два")
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert texts(gate) == ["раз", "два"]


async def test_a_webhook_in_the_way_is_dropped(build: Build, max_: MaxEmulator, gate: FakeGate) -> None:
    """MAX answers polls of a bot with a webhook by nothing good; whoever set it meanwhile loses it again."""
    max_.delivery.subscribe({"url": "http://127.0.0.1:9/old", "time": 1})
    channel = build()
    await channel.start(gate)
    await max_.wait_call("DELETE /subscriptions")
    await channel.caught_up()
    max_.delivery.subscribe({"url": "http://127.0.0.1:9/again", "time": 1})
    await max_.wait_call("DELETE /subscriptions", 2)
    max_.say(7, "слышно?")
    await gate.until(lambda: len(gate.inbounds) == 1)


async def test_who_has_lost_the_turn_ends(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    gate.newest = 5
    gate.given.clear()
    max_.say(7, "чужое")
    with pytest.raises(LeaseLost):
        await polling._take(gate, [max_.say(7, "и это")], Cursor("max", "1@1", 1))
    assert gate.inbounds == []


async def test_a_stop_does_not_wait_for_a_poll(polling: Max, max_: MaxEmulator) -> None:
    await max_.wait_call("GET /updates", 2)
    async with asyncio.timeout(2):
        await polling.stop()


async def test_groups_hear_why_and_are_left(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    max_.add_to_group(7)
    max_.group(7, "тут кто-нибудь есть?")
    await max_.wait_call("DELETE /chats/members/me")
    max_.add_to_group(7)
    max_.say(7, "а лично?")
    await gate.until(lambda: len(gate.inbounds) == 1)
    assert texts(gate) == ["а лично?"]
    (said,) = max_.sent(method="POST /messages")
    assert said.body["text"].startswith("Я отвечаю каждому")
    assert max_.world.left == 1, "once a day is enough"
