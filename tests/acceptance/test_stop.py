"""SIGTERM under load: the process ends in time and well, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

from tests.acceptance.house import SECRET, TOKEN, Gateway, Telegram, until
from tests.acceptance.load import FIRST_CHAT, SENT, Load, carried_out, read

STOP_SECONDS = 10.0
TEXTS = ["хочу вернуть заказ 123456", "+79161234567", "размер", "Малы на размер, не надевали.", "отмена", "меню"]
HUNG = FIRST_CHAT + 3


async def test_a_stop_under_load_loses_nothing(tmp_path: Path) -> None:
    async with Telegram(tmp_path, "--fast") as telegram:
        account = {"token": TOKEN, "mode": "webhook", "secret": SECRET, "api_url": telegram.url, "limits": "off"}
        async with Gateway(tmp_path, flood="off", channels__telegram=account) as gateway:
            load = Load(gateway)
            await telegram.do("fail", kind="hang", method="sendMessage", chat=HUNG, seconds=60)
            clients = load.start(16, TEXTS)
            await until(lambda: taken(load, 300), "under load", 60)
            began = time.monotonic()
            code = await gateway.process.end(signal.SIGTERM, STOP_SECONDS)
            assert (code, time.monotonic() - began < STOP_SECONDS) == (0, True)
            load.over.set()
            await asyncio.gather(*clients)
            stored = load.stored()
            assert len(stored) == len(set(stored))
            assert set(load.acknowledged) <= set(stored)
            assert load.unanswered, "they wrote on while it went down"
            assert set(stored) - set(load.acknowledged) <= set(load.unanswered)
            await gateway.start()
            await until(lambda: drained(gateway), "the rest is answered", 60)
            assert read(gateway, "SELECT count(*) FROM inbox WHERE state NOT IN (1)") == [(0,)]
            await gateway.stop()
            assert "Traceback" not in gateway.process.said()
        assert read(gateway, SENT) == [(len(await carried_out(telegram)),)], "what was sent is known, and went once"


async def taken(load: Load, count: int) -> bool:
    return len(load.acknowledged) >= count


async def drained(gateway: Gateway) -> bool:
    return not any([await gateway.metric(f'frontline_store{{what="{what}"}}') for what in ("inbox", "outbox")])
