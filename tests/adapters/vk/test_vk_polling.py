"""Bots Long Poll over an emulated VK: nothing lost, nothing twice, whatever VK answers; and the history behind it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.vk.channel import Vk
from adapters.vk.polling import Position
from core.events import ColleagueReply, Message, Press
from tests.adapters.telegram.gate import FakeGate
from tests.adapters.vk.conftest import Build, row
from tests.emulators.vk import VkEmulator


def heard(gate: FakeGate) -> list[str]:
    return [one.event.text for one in gate.inbounds if isinstance(one.event, Message)]


async def until(gate: FakeGate, *expected: str) -> None:
    await gate.until(lambda: len(heard(gate)) >= len(expected))
    assert heard(gate) == list(expected)


async def test_a_batch_is_stored_with_the_cursor_behind_it(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    vk.say(7, "раз")
    await until(gate, "раз")
    position = Position.parse(gate.cursors["vk"])
    assert position.ts == "1"
    assert abs(position.at - time.time()) < 5


async def test_the_next_start_goes_on_behind_the_cursor(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    first = build()
    await first.start(gate)
    await first.caught_up()
    vk.say(7, "раз")
    await until(gate, "раз")
    await first.stop()
    vk.say(7, "два")
    second = build()
    await second.start(gate)
    await until(gate, "раз", "два")


async def test_what_was_before_the_first_start_is_not_ours(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    vk.say(7, "до нас")
    channel = build()
    await channel.start(gate)
    await channel.caught_up()
    vk.say(7, "при нас")
    await until(gate, "при нас")


async def test_failed_1_the_history_tells_what_was_forgotten(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    """Events are forgotten behind our back: messages of clients and of a colleague come from the history, in order."""
    vk.say(7, "раз")
    await until(gate, "раз")
    vk.long_poll(down=True)
    vk.say(7, "два")
    vk.colleague(7, "Здравствуйте")
    vk.say(8, "три")
    vk.long_poll(forget=True, down=False)
    await until(gate, "раз", "два", "три")
    assert [one.event for one in gate.inbounds if isinstance(one.event, ColleagueReply)] == [
        ColleagueReply("vk:77", "Здравствуйте")
    ]
    vk.say(7, "четыре")
    await until(gate, "раз", "два", "три", "четыре")


async def test_failed_2_only_the_key_is_new(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    before = len(vk.sent(method="groups.getLongPollServer"))
    vk.long_poll(key="key-2")
    vk.say(7, "раз")
    vk.say(7, "два")
    await until(gate, "раз", "два")
    assert len(vk.sent(method="groups.getLongPollServer")) == before + 1
    assert vk.sent(method="messages.getHistory") == []


async def test_failed_3_everything_is_new(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    """A place that VK has never heard of: a new server, and the history since we were there."""
    vk.say(7, "раз")
    gate.cursors["vk"] = f"99999@{time.time() - 5:.0f}"
    channel = build()
    await channel.start(gate)
    await until(gate, "раз")
    vk.say(7, "два")
    await until(gate, "раз", "два")


async def test_after_an_hour_away_the_history_is_read_first(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    """VK may have dropped events without a word: the same messages then come both ways and are taken once."""
    vk.say(7, "раз")
    gate.cursors["vk"] = f"0@{time.time() - 3600:.0f}"
    channel = build()
    await channel.start(gate)
    await channel.caught_up()
    assert heard(gate) == ["раз"]
    assert len(vk.sent(method="messages.getHistory")) == 1


async def test_a_long_history_is_read_page_by_page(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    for number in range(230):
        vk.say(7, str(number))
    vk.long_poll(forget=True)
    gate.cursors["vk"] = f"0@{time.time() - 30:.0f}"
    channel = build()
    await channel.start(gate)
    await until(gate, *map(str, range(230)))


async def test_a_conversation_that_vk_hides_does_not_hide_the_others(
    build: Build, vk: VkEmulator, gate: FakeGate
) -> None:
    vk.say(8, "скрыто")
    vk.say(7, "раз")
    vk.fail(kind="917", method="messages.getHistory", chat=8)
    gate.cursors["vk"] = f"2@{time.time() - 3600:.0f}"
    channel = build()
    await channel.start(gate)
    await until(gate, "раз")


async def test_a_deaf_loop_is_noticed(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    """VK answers and brings nothing although people write: the history says so, and another server is asked for."""
    vk.person(7)
    channel = build(watch_seconds=0.5, poll_seconds=1)
    await channel.start(gate)
    await channel.caught_up()
    vk.long_poll(deaf=True)
    with capture_logs() as logs:
        vk.say(7, "Слышите?")
        await until(gate, "Слышите?")
        servers = len(vk.sent(method="groups.getLongPollServer"))
        await vk.wait_call("groups.getLongPollServer", servers + 1)
    assert "vk_long_poll_was_deaf" in [line["event"] for line in logs]


async def test_a_quiet_channel_is_not_deaf(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    channel = build(watch_seconds=0.5, poll_seconds=1)
    await channel.start(gate)
    with capture_logs() as logs:
        await vk.wait_call("messages.getConversations", 2)
    assert "vk_long_poll_was_deaf" not in [line["event"] for line in logs]


@pytest.mark.parametrize("kind", ["10", "html", "cut"])
async def test_trouble_of_every_kind_is_waited_out(polling: Vk, vk: VkEmulator, gate: FakeGate, kind: str) -> None:
    """The long poll is away, and so is the method that names another; both come back, and nothing is missing."""
    vk.long_poll(down=True)
    vk.fail(kind=kind, method="groups.getLongPollServer", times=2)
    for text in ("раз", "два"):
        vk.say(7, text)
    await asyncio.sleep(0.5)
    vk.long_poll(down=False)
    await until(gate, "раз", "два")


async def test_a_wrong_key_is_not_asked_with_again_and_again(polling: Vk, vk: VkEmulator) -> None:
    vk.fail(kind="5", method="groups.getLongPollServer", times=100)
    vk.long_poll(down=True)
    await vk.wait_call("groups.getLongPollServer", 2)
    asked = len(vk.sent(method="groups.getLongPollServer"))
    await asyncio.sleep(1.5)
    assert len(vk.sent(method="groups.getLongPollServer")) == asked


async def test_a_full_store_stops_the_cursor_not_the_loop(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    gate.full = 2
    vk.say(7, "раз")
    await until(gate, "раз")
    assert gate.refused == 2


async def test_an_unreadable_event_is_set_aside(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    broken: list[dict[str, Any]] = [
        {"type": "message_new", "object": {"message": {"peer_id": "x"}}},
        {"type": "message_new"},
    ]
    for event in broken:
        vk.push(event)
    vk.say(7, "раз")
    await until(gate, "раз")
    assert len(gate.quarantined) == 2


async def test_a_pressed_button_is_answered_after_the_commit(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    gate.full = 1
    vk.press_payload(7, {"t": "1.2.0"})
    await asyncio.sleep(0.05)
    assert vk.sent(method="messages.sendMessageEventAnswer") == []
    await gate.until(lambda: bool(gate.inbounds))
    assert gate.inbounds[0].event == Press("1.2.0")
    (answer,) = await vk.wait_call("messages.sendMessageEventAnswer")
    assert answer.error == ""


async def test_what_vk_has_cut_is_fetched_whole(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    vk.long(7, "Очень длинное сообщение " * 50)
    await until(gate, "Очень длинное сообщение " * 50)


async def test_what_stays_cut_is_taken_and_said_to_be_so(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    vk.fail(kind="10", method="messages.getByConversationMessageId")
    vk.long(7, "Очень длинное сообщение")
    await until(gate, "Очень длин\n[ВКонтакте передал сообщение не целиком, смотрите его там]")


async def test_without_a_name_a_message_goes_on(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    vk.fail(kind="10", method="users.get")
    vk.say(7, "раз")
    vk.say(7, "два")
    await until(gate, "раз", "два")
    assert {one.sender_name for one in gate.inbounds} <= {"", "Анна Иванова"}


async def test_settings_are_switched_on_and_a_key_without_the_right_is_told_once(
    build: Build, vk: VkEmulator, gate: FakeGate
) -> None:
    vk.settings(manages=False)
    with capture_logs() as logs:
        channel = build()
        await channel.start(gate)
        await channel.caught_up()
    told = [line for line in logs if line["event"] == "vk_setup_by_hand"]
    assert [line["method"] for line in told] == ["groups.setLongPollSettings"]


@pytest.mark.parametrize(
    ("value", "position"), [("", Position()), ("12@99", Position("12", 99.0)), ("x@y", Position("x", 0.0))]
)
def test_cursors(value: str, position: Position) -> None:
    assert Position.parse(value) == position
    assert Position.parse(str(position)) == position


async def test_settings_are_seen_to_when_vk_is_back(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    vk.fail(kind="html", method="groups.setLongPollSettings", times=2)
    channel = build()
    await channel.start(gate)
    await channel.caught_up()
    assert [call.error for call in vk.sent(method="groups.setLongPollSettings")] == [""]


async def test_our_own_messages_cost_no_commit(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    """VK tells of each of them."""
    batches = len(gate.batches)
    for number in range(5):
        await polling.send(row(str(number), key=f"s-{number}"))
    vk.say(7, "раз")
    await until(gate, "раз")
    assert len(gate.batches) == batches + 1


# --- turns -----------------------------------------------------------------------------------------------------------


class Term:
    """A lease that ends when the test says so."""

    def __init__(self, epoch: int) -> None:
        self.epoch, self.held, self.over = epoch, True, asyncio.Event()

    async def lost(self) -> None:
        await self.over.wait()

    def drop(self) -> None:
        self.held = False
        self.over.set()


async def test_it_waits_for_its_turn(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    gate.given.clear()
    channel = build()
    await channel.start(gate)
    for _ in range(20):
        await asyncio.sleep(0)
    assert vk.world.requests == []
    gate.hold = Term(3)
    gate.given.set()
    await channel.caught_up()
    vk.say(7, "раз")
    await until(gate, "раз")
    assert set(gate.epochs) == {3}
    async with asyncio.timeout(2):
        await channel.stop()


async def test_who_was_replaced_stores_nothing_and_the_next_turn_has_it(
    build: Build, vk: VkEmulator, gate: FakeGate
) -> None:
    """The store knows before we do: the batch is refused with its cursor, and whoever goes on has the messages."""
    gate.hold = stale = Term(1)
    channel = build()
    await channel.start(gate)
    await channel.caught_up()
    gate.newest = 2
    gate.given.clear()
    vk.say(7, "важно")
    async with asyncio.timeout(5):
        await stale.lost()
    assert gate.inbounds == []
    gate.hold = Term(2)
    gate.given.set()
    await until(gate, "важно")


async def test_a_lost_lease_ends_the_poll(build: Build, vk: VkEmulator, gate: FakeGate) -> None:
    gate.hold = first = Term(1)
    channel = build()
    await channel.start(gate)
    await channel.caught_up()
    gate.given.clear()
    first.drop()
    await asyncio.sleep(0.1)
    vk.say(7, "для другого")
    await asyncio.sleep(0.3)
    assert gate.inbounds == []
