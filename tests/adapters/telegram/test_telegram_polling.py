"""Long polling: the offset moves with the commit, and nothing that comes stops the loop."""

from __future__ import annotations

import asyncio
import time

import pytest

from adapters.telegram.channel import Telegram
from adapters.telegram.polling import parse_cursor
from core.events import Message, Press
from tests.adapters.telegram.conftest import Build, buttons, row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.delivery import Webhook
from tests.emulators.telegram import TelegramEmulator


def texts(gate: FakeGate) -> list[str]:
    return [inbound.event.text for inbound in gate.inbounds if isinstance(inbound.event, Message)]


async def test_messages_come_in_order_and_the_cursor_with_them(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    last = {}
    for number in range(250):
        last = telegram.say(7, str(number))
    await gate.until(lambda: len(gate.inbounds) == 250)
    assert texts(gate) == [str(number) for number in range(250)]
    assert parse_cursor(gate.cursors["telegram"])[0] == last["update_id"] + 1
    assert max(gate.batches) <= 100


async def test_a_batch_out_of_order_is_put_in_order(build: Build, telegram: TelegramEmulator, gate: FakeGate) -> None:
    telegram.disturb(reorder=1.0)
    for number in range(5):
        telegram.say(7, str(number))
    channel = build()
    await channel.start(gate)
    await gate.until(lambda: len(gate.inbounds) == 5)
    assert texts(gate) == ["0", "1", "2", "3", "4"]


async def test_a_late_update_is_not_lost(polling: Telegram, telegram: TelegramEmulator, gate: FakeGate) -> None:
    """The platform confirms what it has handed out, not all that lies below the offset."""
    late = telegram.world.next_update("message", telegram.world.incoming(7, text="late"))
    telegram.say(7, "early")
    await gate.until(lambda: len(gate.inbounds) == 1)
    telegram.push(late)
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert texts(gate) == ["early", "late"]


async def test_a_restart_goes_on_where_the_commit_was(
    polling: Telegram, build: Build, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    telegram.say(7, "раз")
    await gate.until(lambda: len(gate.inbounds) == 1)
    await polling.stop()
    telegram.say(7, "два")
    again = build()
    await again.start(gate)
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert texts(gate) == ["раз", "два"]
    offsets = [call.params.get("offset") for call in telegram.sent(method="getUpdates")]
    assert offsets.count(None) == 1, "only the very first poll starts from nothing"


async def test_a_cursor_of_last_week_is_forgotten(build: Build, telegram: TelegramEmulator, gate: FakeGate) -> None:
    gate.cursors["telegram"] = f"999999@{time.time() - 7 * 86_400:.0f}"
    telegram.say(7, "после недели тишины номера начинаются заново")
    channel = build()
    await channel.start(gate)
    await gate.until(lambda: len(gate.inbounds) == 1)
    assert "offset" not in telegram.sent(method="getUpdates")[0].params


async def test_a_full_store_moves_nothing(polling: Telegram, telegram: TelegramEmulator, gate: FakeGate) -> None:
    gate.full = 2
    telegram.say(7, "важно")
    await gate.until(lambda: len(gate.inbounds) == 1)
    assert gate.refused == 2
    assert texts(gate) == ["важно"]


async def test_poison_in_a_batch_costs_only_itself(build: Build, telegram: TelegramEmulator, gate: FakeGate) -> None:
    telegram.say(7, "до")
    telegram.push({"message": {"chat": "broken"}})
    telegram.push({"unheard_of": {}})
    telegram.say(7, "после")
    channel = build()
    await channel.start(gate)
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert texts(gate) == ["до", "после"]
    assert [(raw[:12], reason) for _, raw, reason in gate.quarantined] == [
        (b'{"update_id"', "AttributeError"),
        (b'{"update_id"', "unknown kind"),
    ]


@pytest.mark.parametrize("kind", ["500", "401", "html", "cut", "lost"])
async def test_it_outlives_trouble(polling: Telegram, telegram: TelegramEmulator, gate: FakeGate, kind: str) -> None:
    await telegram.wait_call("getUpdates")
    telegram.fail(method="getUpdates", kind=kind)
    telegram.say(7, "раз")
    telegram.say(7, "два")
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert texts(gate) == ["раз", "два"]


async def test_a_webhook_in_the_way_is_dropped(build: Build, telegram: TelegramEmulator, gate: FakeGate) -> None:
    telegram.delivery.set_webhook(Webhook("http://127.0.0.1:9/old"))
    channel = build()
    await channel.start(gate)
    await telegram.wait_call("deleteWebhook")
    telegram.delivery.set_webhook(Webhook("http://127.0.0.1:9/again"))
    await telegram.wait_call("deleteWebhook", 2)
    telegram.say(7, "слышно?")
    await gate.until(lambda: len(gate.inbounds) == 1)


async def test_another_poller_is_outlived(polling: Telegram, telegram: TelegramEmulator, gate: FakeGate) -> None:
    await telegram.wait_call("getUpdates")
    assert await telegram.delivery.get_updates(timeout=0) == []
    telegram.say(7, "привет")
    await gate.until(lambda: len(gate.inbounds) == 1)


async def test_a_pressed_button_is_answered_after_the_commit(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    await polling.send(row("Выберите", rows=buttons("Возврат")))
    gate.full = 1
    telegram.press(7)
    (answered,) = await telegram.wait_call("answerCallbackQuery")
    assert not answered.error
    assert gate.inbounds[0].event == Press("1.2.0", "Возврат")


async def test_stop_does_not_wait_for_the_poll(polling: Telegram, telegram: TelegramEmulator) -> None:
    await telegram.wait_call("getUpdates")
    async with asyncio.timeout(2):
        await polling.stop()


async def test_a_file_of_a_client(polling: Telegram, telegram: TelegramEmulator, gate: FakeGate) -> None:
    telegram.document(7, "счёт.pdf")
    await gate.until(lambda: len(gate.inbounds) == 1)
    event = gate.inbounds[0].event
    assert isinstance(event, Message)
    (attachment,) = event.attachments
    data, mime = await polling.fetch(attachment.ref, 1000)
    assert (data, mime) == (b"%PDF-1.4 a document", "application/pdf")
    with pytest.raises(ValueError, match="larger than 5"):
        await polling.fetch(attachment.ref, 5)
    with pytest.raises(ValueError, match="wrong file_id"):
        await polling.fetch("nothing", 1000)
    telegram.fail(method="getFile", kind="500")
    with pytest.raises(ConnectionError):
        await polling.fetch(attachment.ref, 1000)


class Term:
    """A lease that ends when the test says so."""

    def __init__(self, epoch: int) -> None:
        self.epoch, self.held, self.over = epoch, True, asyncio.Event()

    async def lost(self) -> None:
        await self.over.wait()

    def drop(self) -> None:
        self.held = False
        self.over.set()


async def polls(telegram: TelegramEmulator) -> int:
    return len(telegram.sent(method="getUpdates"))


async def test_it_waits_for_its_turn(build: Build, telegram: TelegramEmulator, gate: FakeGate) -> None:
    gate.given.clear()
    telegram.say(7, "рано")
    channel = build()
    await channel.start(gate)
    for _ in range(20):
        await asyncio.sleep(0)
    assert await polls(telegram) == 0
    gate.hold = Term(3)
    gate.given.set()
    await gate.until(lambda: len(gate.inbounds) == 1)
    assert gate.epochs == [3]
    async with asyncio.timeout(2):
        await channel.stop()


async def test_a_lost_lease_ends_the_poll_and_the_next_turn_reads_the_cursor_again(
    build: Build, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    gate.hold = first = Term(1)
    telegram.say(7, "раз")
    channel = build()
    await channel.start(gate)
    await gate.until(lambda: len(gate.inbounds) == 1)
    await telegram.wait_call("getUpdates", 2)
    gate.given.clear()
    first.drop()
    offset = parse_cursor(gate.cursors["telegram"])[0] + 5
    gate.cursors["telegram"] = f"{offset}@{time.time():.0f}"  # another process has read on meanwhile
    seen = await polls(telegram)
    gate.hold = Term(2)
    gate.given.set()
    await telegram.wait_call("getUpdates", seen + 1)
    assert telegram.sent(method="getUpdates")[-1].params["offset"] == offset
    await channel.stop()


async def test_who_was_replaced_stores_nothing_and_waits_again(
    build: Build, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    """The store knows before we do: the batch is refused with its cursor, and the next one has the messages."""
    gate.hold = stale = Term(1)
    gate.newest = 2
    telegram.say(7, "важно")
    channel = build()
    await channel.start(gate)
    async with asyncio.timeout(5):
        await stale.lost()
    assert (gate.inbounds, gate.cursors) == ([], {})
    gate.hold = Term(2)
    await gate.until(lambda: len(gate.inbounds) == 1)
    assert texts(gate) == ["важно"]
    await channel.stop()


async def test_who_only_sends_registers_no_webhook(build: Build, telegram: TelegramEmulator, gate: FakeGate) -> None:
    gate.hears = False
    channel = build(mode="webhook", secret="s", public_url="https://bot.example")
    await channel.start(gate)
    telegram.person(7)
    assert (await channel.send(row("Здравствуйте"))).verdict == "sent"
    assert telegram.sent(method="setWebhook") == []
