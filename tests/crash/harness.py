"""The platform, the clients and the history checker around a gateway that keeps dying."""

from __future__ import annotations

import asyncio
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


class Zygote:
    """The process that starts gateways; one serves a whole test session."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls) -> Zygote:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.crash.zygote", cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        it = cls(process)
        async with asyncio.timeout(120):
            assert await it.line() == "ready"
        return it

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    def order(self, environ: dict[str, str], log: Path) -> None:
        arguments = ["--config", str(HERE / "config.yaml"), "run"]
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps({"environ": environ, "log": str(log), "arguments": arguments}) + b"\n")

    async def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await asyncio.wait_for(self.process.wait(), 20)


@dataclass
class Gateway:
    """The gateway under test, by way of the zygote."""

    zygote: Zygote
    port: int
    kills: int = 0
    code: int | None = None

    async def follow(self) -> None:
        while (line := await self.zygote.line()) == "killed":
            self.kills += 1
        self.code = int(line.split()[1])

    async def ready(self) -> None:
        """Waits until messages are taken."""
        async with asyncio.timeout(60), ClientSession() as http:
            while self.code is None:
                try:
                    async with http.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
                        if answer.status == 200:
                            return
                except ClientConnectionError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError(f"the gateway ended with {self.code}")


@asynccontextmanager
async def gateway(
    zygote: Zygote, folder: Path, api: str, fail: str, careful: float, at_once: int
) -> AsyncIterator[Gateway]:
    """A gateway that dies at `fail` and is started again; stopped by SIGTERM at the end, within ten seconds."""
    it = Gateway(zygote, free_port())
    environ = {
        "CRASH_PORT": str(it.port), "CRASH_DIR": str(folder), "CRASH_API": api,
        "CRASH_AT_ONCE": str(at_once), "FRONTLINE_FAIL": fail, "FRONTLINE_CAREFUL_SECONDS": str(careful),
    }  # fmt: skip
    zygote.order(environ, folder / "log")
    following = asyncio.create_task(it.follow())
    try:
        await it.ready()
        yield it
    finally:
        while it.code is None:
            zygote.process.send_signal(signal.SIGTERM)
            await asyncio.wait({following}, timeout=12)
        await following
        # It may just have been killed once more: then the signal met a start, before there was anything to stop.
        assert it.code == 0 or (fail and it.code == -signal.SIGTERM), f"the gateway ended with {it.code}"


class Clients:
    """Chats that post like Telegram: one update at a time a chat, again and again until it is answered 200."""

    def __init__(self, port: int, http: ClientSession, told: dict[int, list[str]]) -> None:
        self.told = told
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
        await self.answered(chat)

    async def answered(self, chat: int) -> None:
        """Three messages were posted in a burst; like a person, the client reads the answers before going on."""
        async with asyncio.timeout(60):
            while len({text for text in self.told[chat] if text.startswith("Заявка ")}) < self.dialogues[chat]:
                await asyncio.sleep(0.01)

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
    at_once: int


async def torment(
    zygote: Zygote,
    folder: Path,
    fail: str,
    *,
    kills: int,
    careful: float,
    at_once: int = 1,
    chats: int = 8,
    longest: float = 120.0,
) -> Story:
    """Runs load against a gateway that dies at `fail` until it died `kills` times, then lets it finish its work."""
    timeout = ClientTimeout(total=5)
    async with platform() as api, ClientSession(timeout=timeout) as http:
        async with gateway(zygote, folder, api.url, fail, careful, at_once) as dying:
            clients = Clients(dying.port, http, api.told)
            over = asyncio.Event()
            talks = [asyncio.create_task(clients.until(1000 + n, over)) for n in range(chats)]
            until = time.monotonic() + longest
            while dying.kills < kills and time.monotonic() < until:
                await asyncio.sleep(0.05)
            over.set()
            await asyncio.gather(*talks)
            died = dying.kills
        async with gateway(zygote, folder, api.url, "", 0.0, at_once):
            await drained(folder / "frontline.db")
        return Story(died, api, clients, folder / "frontline.db", at_once)


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
