"""Hints of whole gateways: a page lives on what other processes do, Redis lost or not; Redis learns nothing of clients."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog

from core.outbox import OutboxRow
from core.ports import Hints
from gateway.app import Gateway
from gateway.config import Config, read_config
from gateway.hints import build_hints, deployment_salt
from gateway.live import LivePages
from gateway.metrics import Metrics
from storage.hints.local import LocalHints
from tests.gateway.house import Recorder
from tests.gateway.shared import SharedStore, Tables
from tests.ports import free_port
from tests.redis import RedisServer, redis_server

__all__ = ["redis_server"]
CONFIG = """\
http: {port: 0}
storage: {url: "memory:"}
redis: {url: "${REDIS_URL:-}"}
flood: off
channels:
  site: {kind: web, line: support}
lines:
  support: {title: П, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}, busy: {ticket: general}}
desks:
  general: {title: О}
"""
BOT = "bot: Б\nwelcome: ask\nfallback: ask\noperator: ask\n"
ASK = """\
flow: Вопрос
fields:
  имя: {label: Имя, ask: Как вас зовут?}
  телефон: {label: Телефон, type: phone, ask: Ваш телефон?}
steps:
  - ask: имя
  - ask: телефон
  - say: Спасибо, {{ имя }}
  - end: готово
"""
NAME, PHONE, SECRET = "Евдокия Канарейкина", "+7 921 555-35-35", "кукушка-шепчет-полночь"


class Deployment:
    """Whole gateways over one set of tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "flows").mkdir()
        (folder / "flows" / "_bot.yaml").write_text(BOT, "utf-8")
        (folder / "flows" / "ask.yaml").write_text(ASK, "utf-8")
        self.tables = Tables(time.time)
        self.running: list[Gateway] = []
        self.flood = "off"

    def config(self, redis: str = "") -> Config:
        config, findings = read_config(
            CONFIG.replace("flood: off", f"flood: {self.flood}"), self.folder / "config.yaml", {"REDIS_URL": redis}
        )
        assert config is not None, findings
        return config

    async def start(self, redis: str = "", hints: Hints | None = None) -> Gateway:
        gateway = Gateway(self.config(redis), store=SharedStore(self.tables), hints=hints)
        await gateway.start()
        self.running.append(gateway)
        return gateway


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Deployment]:
    made = Deployment(tmp_path)
    yield made
    await asyncio.gather(*(gateway.stop() for gateway in made.running))


class Client:
    """A browser without a screen: it writes to one process and has its page open at another."""

    def __init__(self, http: aiohttp.ClientSession, writes: Gateway, reads: Gateway) -> None:
        self.http = http
        self.writes, self.reads = (f"http://127.0.0.1:{one.port}/chat/site" for one in (writes, reads))
        self.token = ""
        self.told: list[str] = []
        self.places: set[int] = set()

    async def open(self) -> None:
        async with self.http.post(f"{self.writes}/session") as answer:
            self.token = (await answer.json())["token"]
        self.socket = await self.http.ws_connect(f"{self.reads}/socket")
        await self.socket.send_json({"token": self.token, "after": -1})
        assert (await self.frame())["type"] == "history"

    async def frame(self) -> dict[str, Any]:
        return dict(json.loads(await self.socket.receive_str(timeout=10)))

    async def say(self, id: str, text: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.post(
            f"{self.writes}/messages", json={"client_id": id, "text": text}, headers=headers
        ) as answer:
            assert answer.status == 200, await answer.text()

    async def hears(self, text: str) -> float:
        """The page shows a text within the time allowed; how long that took (seconds)."""
        began = time.monotonic()
        while not any(text in told for told in self.told):
            item = (await self.frame())["item"]
            if item["seq"] not in self.places:
                self.told.append(item.get("text", ""))
            self.places.add(item["seq"])
        return time.monotonic() - began

    async def dialogue(self) -> None:
        await self.say("m1", SECRET)
        await self.hears("Как вас зовут?")
        await self.say("m2", NAME)
        await self.hears("Ваш телефон?")
        await self.say("m3", PHONE)
        await self.hears("Спасибо")


async def test_a_page_lives_on_what_another_process_does(house: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.web.follow.LOOK_SECONDS", 3600.0)
    hints = LocalHints()
    one, other = await house.start(hints=hints), await house.start(hints=hints)
    async with aiohttp.ClientSession() as http:
        client = Client(http, one, other)
        await client.open()
        await client.dialogue()
        assert client.told == [SECRET, "Как вас зовут?", NAME, "Ваш телефон?", PHONE, f"Спасибо, {NAME}"]


async def test_without_hints_a_page_is_a_second_late(house: Deployment) -> None:
    one, other = await house.start(hints=LocalHints()), await house.start(hints=LocalHints())
    async with aiohttp.ClientSession() as http:
        client = Client(http, one, other)
        await client.open()
        await client.dialogue()
        assert client.told[-1] == f"Спасибо, {NAME}"


async def test_redis_learns_nothing_of_clients(house: Deployment, redis_server: RedisServer) -> None:
    """Whatever is sent to Redis in a real dialogue: topics, ids, hashes; no text, name, phone or secret of anybody."""
    async with redis_server.monitored() as lines, aiohttp.ClientSession() as http:
        one, other = await house.start(redis_server.url), await house.start(redis_server.url)
        client = Client(http, one, other)
        await client.open()
        await client.dialogue()
        (conversation,) = house.tables.rows.all("conversations")
        hint = f' {conversation["id"]}"'
        async with asyncio.timeout(5):
            while not any("frontline:tell:history:site" in line and hint in line for line in lines):
                await asyncio.sleep(0.02)
        phone = "".join(filter(str.isdigit, PHONE))
        personal = (*NAME.split(), SECRET, PHONE, phone, phone[1:], client.token, conversation["chat"], "Спасибо")
        assert found(personal, lines) == []
        count = len(lines)
        async with redis_server.client() as direct:  # what is looked for would be found
            await direct.set("x", " ".join(personal))
        async with asyncio.timeout(5):
            while not found(personal, lines[count:]):
                await asyncio.sleep(0.02)
    lines = lines[:count]
    commands = {line.split('"')[1].upper() for line in lines if '"' in line}
    assert commands <= {"PING", "PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE", "EVAL", "TIME"} | {
        "ZADD", "ZREMRANGEBYSCORE", "PTTL", "PEXPIRE", "HINCRBY", "HGETALL", "HDEL", "ZRANGEBYSCORE",
    }  # fmt: skip


@pytest.mark.parametrize("fault", ["kill", "hang", "flush"])
async def test_losing_redis_costs_a_client_a_second_at_most(
    house: Deployment, redis_server: RedisServer, fault: str
) -> None:
    one, other = await house.start(redis_server.url), await house.start(redis_server.url)
    async with aiohttp.ClientSession() as http:
        client = Client(http, one, other)
        await client.open()
        await client.say("m1", "привет")
        await client.hears("Как вас зовут?")
        if fault == "flush":
            async with redis_server.client() as direct:
                await direct.flushall()
        else:
            redis_server.kill() if fault == "kill" else redis_server.hang()
        try:
            await client.say("m2", NAME)
            assert await client.hears("Ваш телефон?") < 2.5  # a second, and what a busy machine adds
            await client.say("m3", PHONE)
            assert await client.hears("Спасибо") < 2.5
        finally:
            if fault == "hang":
                redis_server.go_on()


async def test_a_hung_redis_holds_neither_a_start_nor_a_stop_up(house: Deployment, redis_server: RedisServer) -> None:
    house.flood = "5/10s"
    before = await house.start(redis_server.url)
    redis_server.hang()
    try:
        began = time.monotonic()
        await house.start(redis_server.url)
        house.running.remove(before)
        await before.stop()
        assert time.monotonic() - began < 5.0  # about half a second, and what a busy machine adds
    finally:
        redis_server.go_on()


async def test_a_flood_is_one_wherever_it_arrives(house: Deployment, redis_server: RedisServer) -> None:
    """Five messages for each of two processes: for one client that is five too many."""
    house.flood = "5/10s"
    gateways = [await house.start(redis_server.url), await house.start(redis_server.url)]
    async with aiohttp.ClientSession() as http:
        client = Client(http, *gateways)
        await client.open()
        for n in range(5):
            await client.say(f"a{n}", "привет")
            client.writes, client.reads = client.reads, client.writes
            await client.say(f"b{n}", "привет")
            client.writes, client.reads = client.reads, client.writes
            await asyncio.sleep(0.05)
    kept = [one.metrics.registry.get_sample_value("frontline_flooded_total", {"channel": "site"}) for one in gateways]
    assert 1 <= sum(one or 0 for one in kept) <= 5
    alone = await house.start()
    assert alone.worker.flood.shared is None


async def test_the_way_to_redis_is_watched_without_naming_it(tmp_path: Path) -> None:
    config, _ = read_config(
        CONFIG, tmp_path / "config.yaml", {"REDIS_URL": f"redis://:geheim@127.0.0.1:{free_port()}/0"}
    )
    assert config is not None
    metrics = Metrics()
    with structlog.testing.capture_logs() as logs:
        hints = build_hints(config, metrics)
        assert up(metrics) == 1
        await hints.open()
        await hints.close()
    assert up(metrics) == 0
    assert [(line["event"], line["log_level"]) for line in logs] == [("hints_lost", "warning")]
    assert "geheim" not in repr(logs)
    assert "127.0.0.1" not in repr(logs)


async def test_a_way_back_is_said(tmp_path: Path, redis_server: RedisServer) -> None:
    config, _ = read_config(CONFIG, tmp_path / "config.yaml", {"REDIS_URL": redis_server.url})
    assert config is not None
    metrics = Metrics()
    redis_server.kill()
    with structlog.testing.capture_logs() as logs:
        hints = build_hints(config, metrics)
        await hints.open()
        assert up(metrics) == 0
        redis_server.start()
        async with asyncio.timeout(5):
            while up(metrics) != 1:
                await asyncio.sleep(0.02)
        await hints.close()
    assert [line["event"] for line in logs] == ["hints_lost", "hints_back"]


def found(words: Iterable[str], lines: Sequence[str]) -> list[str]:
    """The words that stand in the lines, as they are or as the server escapes them."""
    sent = "".join(lines)
    return [word for word in words if word in sent or repr(word.encode())[2:-1] in sent]


def up(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("frontline_hints_up")


def test_the_salt_is_the_same_for_all_processes_of_a_deployment(tmp_path: Path) -> None:
    config, _ = read_config(CONFIG, tmp_path / "config.yaml", {})
    assert config is not None
    storage = config.storage
    salts = {
        deployment_salt(config.model_copy(update={"storage": storage.model_copy(update={"url": url})}))
        for url in ("postgresql://u:pw@a/d", "postgresql://u:pw@b:6432/d")
    }
    assert len(salts) == 1
    assert salts != {deployment_salt(config)}


async def test_only_channels_with_pages_are_told_of() -> None:
    hints, heard = LocalHints(), list[str]()
    for topic in ("site", "telegram", "gone"):
        hints.listen(f"history:{topic}", heard.append)
    pages = LivePages(hints, {"site": Recorder(name="site", kind="web"), "telegram": Recorder()})
    for number, name in enumerate(("site", "telegram", "gone")):
        pages.told(OutboxRow(id=1, conversation=number + 1, kind="send", channel=name, account="a", chat="c", key="k"))
    await asyncio.sleep(0.01)
    assert heard == ["1"]
