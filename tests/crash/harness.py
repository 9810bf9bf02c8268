"""The platform, the clients and the history checker around a gateway that keeps dying."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, web

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
QUESTIONS = ("Как вас зовут?", "Что случилось?")


@dataclass
class Platform:
    """A Bot API that remembers what each chat was told, in the order it was told."""

    told: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    url: str = ""
    message_id: int = 0

    async def method(self, request: web.Request) -> web.Response:
        body = await request.read()
        name = request.match_info["method"].lower()
        if name != "sendmessage":
            return web.json_response({"ok": True, "result": True})
        said = orjson.loads(body)
        self.message_id += 1
        self.told[int(said["chat_id"])].append(said["text"])
        chat = {"id": int(said["chat_id"]), "type": "private"}
        result = {"message_id": self.message_id, "date": int(time.time()), "chat": chat, "text": said["text"]}
        return web.json_response({"ok": True, "result": result})


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    """The platform on a free port."""
    it = Platform()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", it.method)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    it.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield it
    finally:
        await runner.cleanup()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Gateway:
    """The process under test, by way of the zygote."""

    process: asyncio.subprocess.Process
    port: int
    kills: int = 0

    async def count_kills(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.kills += line.strip() == b"killed"

    async def ready(self) -> None:
        """Waits until messages are taken."""
        async with asyncio.timeout(60), ClientSession() as http:
            while True:
                try:
                    async with http.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
                        if answer.status == 200:
                            return
                except ClientConnectionError:
                    pass
                await asyncio.sleep(0.05)


@asynccontextmanager
async def gateway(folder: Path, api: str, fail: str, careful: float) -> AsyncIterator[Gateway]:
    """A gateway that dies at `fail` and is started again; stopped by SIGTERM at the end."""
    port = free_port()
    environ = {
        **os.environ,
        "CRASH_PORT": str(port), "CRASH_DIR": str(folder), "CRASH_API": api,
        "FRONTLINE_FAIL": fail, "FRONTLINE_CAREFUL_SECONDS": str(careful),
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.crash.zygote", "--config", str(HERE / "config.yaml"), "run"]
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    it = Gateway(process, port)
    counting = asyncio.create_task(it.count_kills())
    try:
        await it.ready()
        yield it
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()
        await counting


class Clients:
    """Chats that post like Telegram: one update at a time a chat, again and again until it is answered 200."""

    def __init__(self, port: int, http: ClientSession) -> None:
        self.url = f"http://127.0.0.1:{port}/hooks/telegram"
        self.http = http
        self.update_id = 0
        self.acknowledged: list[int] = []
        self.repeated = 0
        self.dialogues: dict[int, int] = defaultdict(int)

    async def say(self, chat: int, text: str) -> None:
        self.update_id += 1
        number = self.update_id
        person = {"id": chat, "is_bot": False, "first_name": "Клиент"}
        update = {
            "update_id": number,
            "message": {
                "message_id": number, "date": int(time.time()), "text": text, "from": person,
                "chat": {"id": chat, "type": "private", "first_name": "Клиент"},
            },
        }  # fmt: skip
        body = orjson.dumps(update)
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": "crash"}
        while True:
            try:
                async with self.http.post(self.url, data=body, headers=headers) as answer:
                    if answer.status == 200:
                        self.acknowledged.append(number)
                        return
            except (ClientConnectionError, TimeoutError):
                pass
            self.repeated += 1
            await asyncio.sleep(0.02)

    async def dialogue(self, chat: int) -> None:
        n = self.dialogues[chat]
        await self.say(chat, "оставить заявку")
        await self.say(chat, f"Клиент {chat}-{n}")
        await self.say(chat, f"Сломалось {chat}-{n}")
        self.dialogues[chat] = n + 1

    async def until(self, chat: int, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.dialogue(chat)


@dataclass
class Story:
    """What one run left behind."""

    kills: int
    platform: Platform
    clients: Clients
    database: Path


async def torment(
    folder: Path, fail: str, *, kills: int, careful: float, chats: int = 8, longest: float = 120.0
) -> Story:
    """Runs load against a gateway that dies at `fail` until it died `kills` times, then lets it finish its work."""
    timeout = ClientTimeout(total=5)
    async with platform() as api, ClientSession(timeout=timeout) as http:
        async with gateway(folder, api.url, fail, careful) as dying:
            clients = Clients(dying.port, http)
            over = asyncio.Event()
            talks = [asyncio.create_task(clients.until(1000 + n, over)) for n in range(chats)]
            until = time.monotonic() + longest
            while dying.kills < kills and time.monotonic() < until:
                await asyncio.sleep(0.05)
            over.set()
            await asyncio.gather(*talks)
            died = dying.kills
        async with gateway(folder, api.url, "", 0.0):
            await drained(folder / "frontline.db")
        return Story(died, api, clients, folder / "frontline.db")


async def drained(database: Path, seconds: float = 40.0) -> None:
    """Waits until nothing is pending in inbox and outbox."""
    async with asyncio.timeout(seconds):
        while any(pending(database)):
            await asyncio.sleep(0.1)


def ask(database: Path, query: str) -> list[tuple[object, ...]]:
    """Reads the store's file from outside."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def pending(database: Path) -> tuple[int, int]:
    """Events and rows that are not done."""
    return len(ask(database, PENDING_EVENTS)), len(ask(database, PENDING_ROWS))


PENDING_EVENTS = "SELECT id FROM inbox WHERE state = 0"
PENDING_ROWS = "SELECT id FROM outbox WHERE state = 0"
