"""The gateway as one object: how it stops, what it says of itself, who may look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.outbox import OutboxRow, Sent
from core.ports import StorageFull, Store
from gateway.app import Gateway, end
from gateway.config import read_config
from storage.memory import MemoryStore
from tests.gateway.house import Recorder, inbound
from tests.smallest import FLOWS

CONFIG = """\
http: {port: 0}
storage: {url: "memory:"}
flood: off
lines: {support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}, busy: {ticket: general}}}
desks: {general: {title: Обращения}}
metrics: {secret: "${METRICS:-}"}
"""


@dataclass
class Watched(Recorder):
    """Writes down what was still being sent when it was stopped."""

    under_way: int = 0
    cut: list[int] = field(default_factory=list)

    async def send(self, row: OutboxRow) -> Sent:
        self.under_way += 1
        try:
            return await super().send(row)
        finally:
            self.under_way -= 1

    async def stop(self) -> None:
        self.cut.append(self.under_way)


@asynccontextmanager
async def running(folder: Path, channel: Any, store: Store | None = None, **environ: str) -> AsyncIterator[Gateway]:
    (folder / "flows").mkdir()
    for name, text in FLOWS.items():
        (folder / "flows" / name).write_text(text, "utf-8")
    config, findings = read_config(CONFIG, folder / "config.yaml", environ)
    assert config is not None, findings
    gateway = Gateway(config, store=store, channels={channel.name: channel})
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def get(gateway: Gateway, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{gateway.port}{path}", headers=headers) as answer,
    ):
        return answer.status, await answer.text(), dict(answer.headers)


async def test_health(tmp_path: Path) -> None:
    async with running(tmp_path, Recorder()) as gateway:
        for path in ("/healthz", "/readyz", "/metrics"):
            status, _, headers = await get(gateway, path)
            assert (status, headers["Cache-Control"], headers["X-Content-Type-Options"]) == (200, "no-store", "nosniff")


class Full(MemoryStore):
    """A store whose disk is full: it can be read, and it cannot be written."""

    async def healthy(self) -> bool:
        return False


async def test_not_ready_while_nothing_can_be_written(tmp_path: Path) -> None:
    async with running(tmp_path, Recorder(), Full(time.time, frozenset())) as gateway:
        assert (await get(gateway, "/healthz"))[0] == 200
        status, _, headers = await get(gateway, "/readyz")
        assert (status, headers["Retry-After"]) == (503, "5")


class Hung(MemoryStore):
    """A store that does not answer when it is asked how it is."""

    async def healthy(self) -> bool:
        await asyncio.get_running_loop().create_future()
        return True

    async def stats(self) -> dict[str, float]:
        raise StorageFull


async def test_a_store_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.app.HEALTH_SECONDS", 0.05)
    async with running(tmp_path, Recorder(), Hung(time.time, frozenset())) as gateway:
        assert (await get(gateway, "/readyz"))[0] == 503
        status, page, _ = await get(gateway, "/metrics")
        assert status == 200, "the numbers of the process are there all the same"
        assert "frontline_messages_total" in page
        assert "frontline_store{" not in page


async def test_numbers_only_for_who_knows_the_word(tmp_path: Path) -> None:
    async with running(tmp_path, Recorder(), METRICS="слово") as gateway:
        assert (await get(gateway, "/metrics"))[0] == 403
        assert (await get(gateway, "/metrics", Authorization="Bearer wrong"))[0] == 403
        assert (await get(gateway, "/metrics", Authorization="Bearer слово"))[0] == 200


async def test_a_silent_channel_can_be_seen(tmp_path: Path) -> None:
    async with running(tmp_path, Recorder()) as gateway:
        _, page, _ = await get(gateway, "/metrics")
        assert 'frontline_silence_seconds{channel="telegram"}' in page


async def test_what_is_under_way_is_sent_before_channels_close(tmp_path: Path) -> None:
    """A connection closed under a message would leave it in doubt, and the next start would send it twice."""
    channel = Watched(hold=asyncio.Event())
    async with running(tmp_path, channel, MemoryStore(time.time)) as gateway:
        await gateway.intake.accept([inbound(1, "привет")])
        async with asyncio.timeout(2):
            while not channel.under_way:
                await asyncio.sleep(0)
        stopping = asyncio.create_task(gateway.stop())
        for _ in range(20):
            await asyncio.sleep(0)
        assert channel.hold is not None
        channel.hold.set()
        await stopping
        assert channel.cut == [0]
        assert (await gateway.store.stats())["outbox"] == 0


async def test_a_loop_that_loses_its_cancellation_ends_all_the_same() -> None:
    """As `asyncio.wait_for` of Python 3.11 does when what it waits for comes at the moment of the cancellation."""
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end([task])
    assert task.done()
    assert lost == 2
