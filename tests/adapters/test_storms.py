"""Storms of 429 and of error 9 over both emulators: order kept, nothing lost, no call inside a window that was closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram.channel import Telegram
from adapters.vk.channel import Vk
from core.messages import Outgoing
from core.outbox import OutboxRow
from core.ports import Channel
from core.rich import plain
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.fixtures import TOKEN
from tests.emulators.telegram import TelegramEmulator
from tests.emulators.vk import GROUP, VkEmulator
from tests.emulators.vk import TOKEN as VK_TOKEN

CHATS = (7, 8, 9, 10)
EACH = 5


@asynccontextmanager
async def over_telegram(folder: Path) -> AsyncIterator[tuple[Channel, TelegramEmulator]]:
    async with TelegramEmulator(rates=True) as telegram:
        channel = Telegram("telegram", {"token": TOKEN, "api_url": telegram.url, "limits": "off", "poll_seconds": 30})
        try:
            yield channel, telegram
        finally:
            await channel.stop()
        telegram.check()


@asynccontextmanager
async def over_vk(folder: Path) -> AsyncIterator[tuple[Channel, VkEmulator]]:
    async with VkEmulator(rates=True) as vk:
        settings = {"token": VK_TOKEN, "group_id": GROUP, "api_url": vk.url, "poll_seconds": 30}
        channel = Vk("vk", settings)
        try:
            yield channel, vk
        finally:
            await channel.stop()
        vk.check()


async def send_all(channel: Channel, rows: Sequence[OutboxRow]) -> None:
    """One conversation's lane: the next row only when the one before it is out, as the sender does it."""
    for row in rows:
        while True:
            sent = await channel.pace(row) or await channel.send(row)
            if sent.verdict == "sent":
                break
            assert sent.verdict == "retry", sent
            row.attempts += 1
            await asyncio.sleep(sent.after)


def rows_of(channel: Channel, chat: int) -> list[OutboxRow]:
    return [
        OutboxRow(
            n,
            chat,
            "send",
            channel.name,
            channel.account,
            str(chat),
            f"s{chat}-{n}",
            message=Outgoing(plain(f"{chat}: {n}")),
        )
        for n in range(EACH)
    ]


Over = Callable[[Path], Any]


@pytest.mark.parametrize(
    ("over", "faults"),
    [
        (over_telegram, [{"kind": "429", "method": "sendMessage", "retry_after": 1, "times": 9}]),
        (over_vk, [{"kind": "9", "method": "messages.send", "seconds": 4.0, "chat": chat} for chat in CHATS[:3]]),
    ],
    ids=["telegram", "vk"],
)
async def test_a_storm(over: Over, faults: list[dict[str, Any]], tmp_path: Path) -> None:
    async with over(tmp_path) as (channel, platform):
        for chat in CHATS:
            platform.person(chat)
        await channel.start(FakeGate(tmp_path))
        for fault in faults:
            platform.fail(**fault)
        over_it = asyncio.gather(*(send_all(channel, rows_of(channel, chat)) for chat in CHATS))
        typing = asyncio.gather(*(keep_typing(channel, chat, over_it) for chat in CHATS))
        async with asyncio.timeout(60):
            await over_it
        await typing
        assert platform.world.intruders == []
        assert {chat: platform.texts(chat) for chat in CHATS} == {
            chat: [f"{chat}: {n}" for n in range(EACH)] for chat in CHATS
        }
        refused = [call for call in platform.world.calls if call.error in {"429", "9"} or call.error.startswith("429 ")]
        assert len(refused) >= len(faults), "there was a storm"


async def keep_typing(channel: Channel, chat: int, over_it: asyncio.Future[Any]) -> None:
    """“Typing…” all through the storm: it must not break into a window either."""
    while not over_it.done():
        await channel.typing(str(chat))
        await asyncio.sleep(0.2)
