"""Machines with a folder of flows each, on a real PostgreSQL, with Redis and without: one publishes, all switch."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from storage.migrate import migrate_postgres
from tests.acceptance.house import ROOT, START_SECONDS, Process, until
from tests.ports import free_port
from tests.postgres import Cluster, cluster
from tests.redis import RedisServer, redis_server

__all__ = ["redis_server"]
pytestmark = pytest.mark.faults
BOT = "bot: Б\nwelcome: hello\nfallback: hello\noperator: hello\n"
HELLO = "flow: Привет\nsteps:\n  - say: Здравствуйте\n  - end: готово\n"
ORDER = """\
flow: Заказ
triggers:
  - words: [сделать заказ]
fields:
  товар: {label: Товар, ask: Что нужно?}
steps:
  - ask: товар
  - say: Записал {{ товар }}
  - end: готово
"""
EDITED = ORDER.replace("Записал", "Внёс")
WITHIN = 10.0  # seconds: one of polling, compiling, and much for a machine that is busy with other tests


class Machine:
    """A folder with flows and a configuration, commands in it, and the gateway that may run there."""

    def __init__(self, home: Path, database: str, redis: str, publish: str = "manual") -> None:
        self.home, self.port = home, free_port()
        (home / "flows").mkdir(parents=True)
        for name, text in {"_bot": BOT, "hello": HELLO, "order": ORDER}.items():
            self.write(name, text)
        rules = {word: {"ticket": "general"} for word in ("closed", "busy")}
        settings = {
            "http": {"port": self.port},
            "storage": {"url": database, "files": str(home.parent / "files")},
            "redis": {"url": redis},
            "publish": publish,
            "language": "en",
            "flood": "off",
            "channels": {"site": {"kind": "web", "line": "support"}},
            "lines": {"support": {"title": "П", "hours": {"mon-sun": "00:00-24:00"}, **rules}},
            "desks": {"general": {"title": "О"}},
        }
        (home / "config.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
        self.process = Process("-m", "gateway", "--config", "config.yaml", "run", log=home / "run.log")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self, name: str, text: str) -> None:
        (self.home / "flows" / f"{name}.yaml").write_text(text, "utf-8")

    def run(self, *words: str) -> tuple[int, str]:
        """A command of this machine: its exit code and all it says."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "--config", "config.yaml", *words],
            cwd=self.home,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    async def command(self, *words: str) -> dict[str, Any]:
        """A command that must do well, and its answer."""
        code, said = await asyncio.to_thread(self.run, *words, "--format", "json")
        assert code == 0, said
        return dict(json.loads(said))

    async def serves(self, http: aiohttp.ClientSession) -> str:
        """The edition that the gateway here serves; empty while it is not ready."""
        try:
            async with http.get(f"{self.url}/readyz") as answer:
                return str((await answer.json()).get("flows", ""))
        except aiohttp.ClientError:
            return ""

    async def start(self, http: aiohttp.ClientSession) -> str:
        self.process.spawn()

        async def ready() -> str:
            assert self.process.running, self.process.said()
            return await self.serves(http)

        found = await until(ready, "the gateway is ready", START_SECONDS)
        return str(found)


class Machines:
    """All machines of a deployment."""

    def __init__(self, root: Path, database: str, redis: str, http: aiohttp.ClientSession) -> None:
        self.root, self.database, self.redis, self.http = root, database, redis, http
        self.made: list[Machine] = []

    def machine(self, name: str, publish: str = "manual") -> Machine:
        self.made.append(Machine(self.root / name, self.database, self.redis, publish))
        return self.made[-1]

    async def all_serve(self, edition: str, *machines: Machine) -> None:
        async def switched() -> bool:
            return {await one.serves(self.http) for one in machines} == {edition}

        await until(switched, "all serve it", WITHIN)


@asynccontextmanager
async def opened(root: Path, server: Cluster, redis: str) -> AsyncIterator[Machines]:
    database = server.create()
    await asyncio.to_thread(migrate_postgres, server.url(database))
    async with aiohttp.ClientSession() as http:
        made = Machines(root, server.url(database), redis, http)
        try:
            yield made
        finally:
            for machine in made.made:
                await machine.process.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


class Client:
    """Writes to one machine, reads at another."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http, self.token, self.said = http, "", 0

    async def say(self, machine: Machine, text: str) -> None:
        base = f"{machine.url}/chat/site"
        if not self.token:
            async with self.http.post(f"{base}/session") as answer:
                self.token = (await answer.json())["token"]
        self.said += 1
        body = {"client_id": f"m{self.said}", "text": text}
        async with self.http.post(f"{base}/messages", json=body, headers=self.headers) as answer:
            assert answer.status == 200, await answer.text()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def hears(self, machine: Machine, text: str) -> None:
        async def found() -> bool:
            async with self.http.get(f"{machine.url}/chat/site/history?after=0", headers=self.headers) as answer:
                return any(item.get("text") == text for item in (await answer.json())["items"])

        await until(found, text, 10.0)


@pytest.fixture
async def machines(
    request: pytest.FixtureRequest, tmp_path: Path, server: Cluster, redis_server: RedisServer
) -> AsyncIterator[Machines]:
    async with opened(tmp_path, server, redis_server.url if request.param == "with Redis" else "") as made:
        yield made


both = pytest.mark.parametrize("machines", ["with Redis", "without Redis"], indirect=True)
with_redis = pytest.mark.parametrize("machines", ["with Redis"], indirect=True)
without_redis = pytest.mark.parametrize("machines", ["without Redis"], indirect=True)


@both
async def test_one_publishes_and_all_switch(machines: Machines) -> None:
    one, other, office = machines.machine("one"), machines.machine("other"), machines.machine("office")
    first = await one.start(machines.http)
    assert await other.start(machines.http) == first
    early, late = Client(machines.http), Client(machines.http)
    await early.say(one, "сделать заказ")
    await early.hears(other, "Что нужно?")

    office.write("order", EDITED)
    done = await office.command("publish")
    assert (done["live"], done["changed"]) == (True, ["order"])
    await machines.all_serve(done["id"], one, other)
    await early.say(other, "чайник")  # begun on one machine and version, gone on with on the other
    await early.hears(one, "Записал чайник")
    await late.say(other, "сделать заказ")
    await late.hears(other, "Что нужно?")
    flows = (await office.command("status"))["flows"]
    assert flows["id"] == done["id"]
    assert [(row["flow"], row["runs"], row["current"]) for row in flows["runs"]] == [("order", 1, True)]
    if machines.redis:
        names = {f"{socket.gethostname()}/{it.process.process.pid}" for it in (one, other) if it.process.process}
        assert {it["process"] for it in flows["processes"]} == names
        assert {it["edition"] for it in flows["processes"]} == {done["id"]}

    back = await office.command("publish", "--rollback", first[:6], "--urgent", "--why", "wrong price")
    assert (back["live"], back["id"]) == (True, first)
    await machines.all_serve(first, one, other)
    flows = (await office.command("status"))["flows"]
    assert flows["urgent"]["why"] == "wrong price"
    assert flows["urgent"]["by"].endswith(f"@{socket.gethostname()}")
    said = (await asyncio.to_thread(office.run, "status"))[1]
    assert "wrong price" in said


@without_redis
async def test_a_broken_edit_of_any_machine_stays_there(machines: Machines) -> None:
    one, office = machines.machine("one"), machines.machine("office")
    first = await one.start(machines.http)
    office.write("order", ORDER.replace("- ask: товар", "- ask: товра"))
    code, said = await asyncio.to_thread(office.run, "publish", "--urgent")
    assert code == 1
    assert "order.yaml" in said
    assert await one.serves(machines.http) == first


@without_redis
async def test_an_old_folder_comes_back_and_changes_nothing(machines: Machines) -> None:
    one, other = machines.machine("one", "auto"), machines.machine("other", "auto")
    first = await one.start(machines.http)
    assert await other.start(machines.http) == first
    other.write("order", EDITED)  # a save on a machine that watches

    async def switched() -> str:
        serving = await one.serves(machines.http)
        return serving if serving != first else ""

    newest = str(await until(switched, "the save is live everywhere", 10.0))
    assert await one.process.end() == 0
    assert await one.start(machines.http) == newest
    assert "folder_not_published" in one.process.said()
    assert await other.serves(machines.http) == newest
    assert "The folder holds other flows" in (await asyncio.to_thread(one.run, "status"))[1]


@with_redis
async def test_a_machine_that_is_behind_serves_on_and_stands_out(machines: Machines) -> None:
    one, behind = machines.machine("one"), machines.machine("behind")
    first = await one.start(machines.http)
    assert await behind.start(machines.http) == first
    settings = yaml.safe_load((one.home / "config.yaml").read_text("utf-8"))
    settings["desks"]["new"] = {"title": "Н"}
    office = machines.machine("office")
    (office.home / "config.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    office.write("order", ORDER.replace("  - end", "  - ticket: new\n    title: Заказ\n  - end"))
    done = await office.command("publish")

    async def said() -> bool:
        return "flows_behind" in behind.process.said()

    await until(said, "it says that it is behind", WITHIN)
    assert await behind.serves(machines.http) == first
    async with machines.http.get(f"{behind.url}/metrics") as answer:
        assert "frontline_flows_behind 1.0" in await answer.text()

    async def both_stand_out() -> bool:  # neither has the desk; what processes say of themselves is seconds old
        text = (await asyncio.to_thread(office.run, "status"))[1]
        return text.count("cannot serve the current edition") == 2

    await until(both_stand_out, "status names both", 30.0)
    office.write("order", EDITED)
    done = await office.command("publish")
    await machines.all_serve(done["id"], one, behind)


@both
async def test_a_page_shows_what_another_machine_does(machines: Machines) -> None:
    one, other = machines.machine("one"), machines.machine("other")
    await one.start(machines.http)
    await other.start(machines.http)
    client = Client(machines.http)
    await client.say(one, "сделать заказ")
    await client.hears(one, "Что нужно?")
    socket_ = await machines.http.ws_connect(f"{other.url}/chat/site/socket")
    await socket_.send_json({"token": client.token, "after": -1})
    assert json.loads(await socket_.receive_str(timeout=5))["type"] == "history"
    began = time.monotonic()
    await client.say(one, "чайник")
    places: list[int] = []
    text = ""
    while text != "Записал чайник":
        item = json.loads(await socket_.receive_str(timeout=10))["item"]
        places, text = [*places, item["seq"]], item["text"]
    assert time.monotonic() - began < WITHIN
    assert places == sorted(set(places)), "each once, in order"
    await socket_.close()
