"""Machines with a folder of flows each and a gateway in it, over one real PostgreSQL, with Redis or without."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from storage.migrate import migrate_postgres
from tests.acceptance.house import ROOT, START_SECONDS, Process, until
from tests.ports import free_port
from tests.postgres import Cluster
from tests.smallest import BOT, HELLO

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
PEOPLE = "flow: Люди\ntriggers: [{exact: [человек]}]\nsteps:\n  - handoff: support\n  - end: передано\n"
EDITED = ORDER.replace("Записал", "Внёс")
WITHIN = 10.0  # seconds: one of polling, compiling, and much for a machine that is busy with other tests


class Machine:
    """A folder with flows and a configuration, commands in it, and the gateway that may run there."""

    def __init__(self, home: Path, database: str, redis: str, publish: str = "manual", **more: Any) -> None:
        """`more` are further settings."""
        self.home, self.port = home, free_port()
        (home / "flows").mkdir(parents=True)
        for name, text in {"_bot": BOT, "hello": HELLO, "order": ORDER, "people": PEOPLE}.items():
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
            **more,
        }
        (home / "config.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
        self.process = Process("-m", "gateway", "--config", "config.yaml", "run", log=home / "run.log")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self, name: str, text: str) -> None:
        (self.home / "flows" / f"{name}.yaml").write_text(text, "utf-8")

    def run(self, *words: str, given: str = "") -> tuple[int, str]:
        """A command of this machine, `given` on its standard input: its exit code and all it says."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "--config", "config.yaml", *words],
            cwd=self.home,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            input=given,
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

    def machine(self, name: str, publish: str = "manual", **more: Any) -> Machine:
        self.made.append(Machine(self.root / name, self.database, self.redis, publish, **more))
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
