"""The channel's own life: settings that cannot work, faults of ours, starting late and stopping in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp.test_utils import unused_port
from pydantic import SecretStr

from adapters.telegram.channel import Telegram
from core.events import Inbound, Message
from core.ports import Cursor, Receipt
from tests.adapters.telegram.conftest import Build, buttons, row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.fixtures import TOKEN
from tests.emulators.telegram import TelegramEmulator


class StumblingGate(FakeGate):
    """Fails once in a way that nobody foresaw."""

    stumbled = False

    async def accept(self, inbounds: Sequence[Inbound], cursor: Cursor | None = None) -> list[Receipt]:
        if not self.stumbled:
            self.stumbled = True
            raise RuntimeError("our own fault")
        return await super().accept(inbounds, cursor)


async def test_our_own_fault_does_not_silence_the_channel(
    build: Build, telegram: TelegramEmulator, tmp_path: Path
) -> None:
    gate = StumblingGate(tmp_path)
    channel = build()
    with structlog.testing.capture_logs() as logs:
        await channel.start(gate)
        telegram.say(7, "всё равно дойдёт")
        await gate.until(lambda: bool(gate.inbounds))
    assert [line["error_type"] for line in logs if line["event"] == "telegram_polling_failed"] == ["RuntimeError"]
    assert gate.inbounds[0].event == Message("всё равно дойдёт")


async def test_an_unknown_mode(build: Build, gate: FakeGate) -> None:
    with pytest.raises(ValueError, match="pigeon"):
        await build(mode="pigeon").start(gate)


async def test_a_secret_of_the_config_is_opened(build: Build, gate: FakeGate, telegram: TelegramEmulator) -> None:
    telegram.person(7)
    channel = build(token=SecretStr(TOKEN))
    await channel.start(gate)
    assert (await channel.send(row())).verdict == "sent"


async def test_what_an_admin_reads_is_in_the_language_asked_for(build: Build, gate: FakeGate) -> None:
    channel = build(mode="webhook", secret="", language="ru")
    with pytest.raises(ValueError, match="telegram"):
        await channel.start(gate)


async def test_sending_before_the_start_is_our_mistake(build: Build) -> None:
    with pytest.raises(RuntimeError, match="not started"):
        await build().send(row())


async def test_a_delivery_before_the_start_comes_again_later(build: Build) -> None:
    channel = build(mode="webhook", secret="word", public_url="https://example.org")
    response = await channel._hook({}, b'{"update_id": 1}')
    assert response.status == 503


async def test_a_webhook_refused_later_is_said_and_the_rest_goes_on(
    build: Build, gate: FakeGate, telegram: TelegramEmulator
) -> None:
    telegram.fail(method="setWebhook", kind="cut")
    telegram.fail(method="setWebhook", kind="400", words="Bad Request: bad webhook")
    channel = build(mode="webhook", secret="word", public_url="https://example.org")
    with structlog.testing.capture_logs() as logs:
        await channel.start(gate)
        await asyncio.wait_for(channel._background.finished(), 5)
    events = [line["event"] for line in logs]
    assert events == ["telegram_webhook_waits", "telegram_webhook_refused"]


async def test_stop_while_telegram_is_away(build: Build, gate: FakeGate) -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    waiting = build(mode="webhook", secret="word", public_url="https://example.org", api_url=url)
    polling = build(api_url=url)
    async with asyncio.timeout(3):
        for channel in (waiting, polling):
            await channel.start(gate)
            await channel.stop()


async def test_stop_finishes_the_batch_under_way(build: Build, telegram: TelegramEmulator, tmp_path: Path) -> None:
    class SlowGate(FakeGate):
        began, go_on = asyncio.Event(), asyncio.Event()

        async def accept(self, inbounds: Sequence[Inbound], cursor: Cursor | None = None) -> list[Receipt]:
            self.began.set()
            await self.go_on.wait()
            return await super().accept(inbounds, cursor)

    gate = SlowGate(tmp_path)
    channel = build()
    await channel.start(gate)
    telegram.say(7, "последнее")
    await gate.began.wait()
    stopping = asyncio.create_task(channel.stop())
    gate.go_on.set()
    await stopping
    assert len(gate.inbounds) == 1
    assert "telegram" in gate.cursors


async def test_a_button_answered_too_late_troubles_nobody(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    await polling.send(row("Выберите", rows=buttons("Да")))
    telegram.fail(method="answerCallbackQuery", kind="400", words="Bad Request: query is too old")
    telegram.press(7)
    (answer,) = await telegram.wait_call("answerCallbackQuery")
    assert answer.error
    telegram.say(7, "дальше")
    await gate.until(lambda: len(gate.inbounds) == 2)


async def test_a_fetch_while_telegram_is_away(build: Build, gate: FakeGate) -> None:
    channel = build(api_url=f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(ConnectionError):
        await channel.fetch("file", 10)


async def test_a_file_gone_from_the_file_server(polling: Telegram, telegram: TelegramEmulator) -> None:
    telegram.document(7)
    telegram.world.file_at = lambda path: None  # type: ignore[method-assign]
    with pytest.raises(ConnectionError, match="404"):
        await polling.fetch("file-1", 1000)


@pytest.mark.parametrize("answer", [b"not json", b"[]", b'"ok"'])
async def test_an_answer_that_says_nothing_is_in_doubt(build: Build, gate: FakeGate, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = build(mode="webhook", secret="word", public_url="https://example.org", api_url=f"http://127.0.0.1:{port}")
    channel._gate = gate
    sent = await channel.send(row())
    assert (sent.verdict, sent.reason) == ("retry", "unconfirmed: an answer that is not JSON")
    server.close()
    await server.wait_closed()


async def test_a_row_without_a_message(polling: Telegram) -> None:
    empty: dict[str, Any] = {"message": None}
    assert (await polling.send(row(**empty))).verdict == "rejected"


async def test_a_short_wait_is_waited_for(build: Build, gate: FakeGate, telegram: TelegramEmulator) -> None:
    telegram.person(7)
    channel = build(limits={"total": "off", "chat": "50/s", "group": "off"})
    await channel.start(gate)
    sent = [await channel.send(row(key=str(number))) for number in range(55)]
    assert {one.verdict for one in sent} == {"sent"}
