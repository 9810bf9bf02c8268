"""Real processes for acceptance tests: the gateway with the shipped flows, Telegram beside it, and people who write."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, Self

import aiohttp
import yaml

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "123456:token-of-the-acceptance-tests"
SECRET = "acceptance-secret"
START_SECONDS = 60.0
ANSWER_SECONDS = 15.0
_chats = itertools.count(7_001)


def new_chat() -> int:
    """A client nobody has heard of."""
    return next(_chats)


async def until(found: Callable[[], Awaitable[Any]], what: str = "", seconds: float = ANSWER_SECONDS) -> Any:
    """The first true answer of `found`. Raises AssertionError when there is none in time."""
    ends = time.monotonic() + seconds
    while True:
        answer = await found()
        if answer:
            return answer
        assert time.monotonic() < ends, f"not in {seconds} s: {what}"
        await asyncio.sleep(0.05)


class Process:
    """A process of its own, its output in a file. Starting waits for `ready`; leaving stops it."""

    def __init__(self, *command: str, log: Path, environ: dict[str, str] | None = None) -> None:
        self.command, self.log = command, log
        self.environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(environ or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], cwd=self.log.parent, env=self.environ, stdout=output, stderr=output
            )

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 12.0) -> int:
        """Sends the signal; the exit code. Raises TimeoutExpired."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, seconds)

    async def close(self) -> None:
        if self.running:
            assert self.process is not None
            self.process.kill()
            await asyncio.to_thread(self.process.wait)

    def said(self) -> str:
        """All its output."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


class Gateway:
    """`frontline run` on a copy of the shipped configuration and flows, in a folder of its own.

    `changes` are settings, `lines__support={…}`. Tests of the flows count on the shipped hours: without them the flows are
    published all the same.
    """

    def __init__(self, home: Path, **changes: Any) -> None:
        self.home, self.port = home, free_port()
        shutil.copytree(ROOT / "flows", home / "flows")
        settings = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
        settings["http"] |= {"port": self.port, "public_url": self.url}
        settings["storage"] = {"url": "sqlite:///var/frontline.db", "files": "var/files"}
        if any(place.startswith("lines__") for place in changes):
            shutil.rmtree(home / "flows" / "tests")
        for place, value in changes.items():
            _put(settings, place.split("__"), value)
        self.config = home / "config.yaml"
        self.config.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), "utf-8")
        environ = dict.fromkeys(("TELEGRAM_TOKEN", "VK_TOKEN", "DATABASE_URL", "PUBLIC_URL", "FRONTLINE_LANG"), "")
        self.process = Process(
            "-m", "gateway", "--config", str(self.config), "run", log=home / "gateway.log", environ=environ
        )
        self.http: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.home / "var" / "frontline.db"

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        try:
            await self.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.process.close()
        if self.http is not None:
            await self.http.close()

    async def start(self) -> None:
        """Runs it until messages are taken."""
        self.process.spawn()
        await until(self._ready, "the gateway is ready", START_SECONDS)

    async def _ready(self) -> bool:
        assert self.process.running, self.process.said()
        try:
            return (await self.ask("GET", "/readyz"))[0] == 200
        except aiohttp.ClientError:
            return False

    async def stop(self) -> None:
        """SIGTERM, as a service manager does; it must end well."""
        assert await self.process.end() == 0, self.process.said()

    async def kill(self) -> None:
        """SIGKILL: no word of farewell."""
        assert await self.process.end(signal.SIGKILL) == -signal.SIGKILL

    async def ask(self, method: str, path: str, **how: Any) -> tuple[int, str]:
        """One request: the status and the body."""
        assert self.http is not None
        async with self.http.request(method, self.url + path, **how) as answer:
            return answer.status, await answer.text()

    async def metric(self, name: str) -> float:
        """The value of one line of `/metrics`, 0 when it is not there yet."""
        _, page = await self.ask("GET", "/metrics")
        found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def command(self, *arguments: str) -> str:
        """What a command of the command line prints, run beside the gateway."""
        command = [sys.executable, "-m", "gateway", "--config", str(self.config), *arguments]
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            env=self.process.environ,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    async def ticket(self, number: int) -> dict[str, Any]:
        """`frontline tickets N --format json`."""
        found: dict[str, Any] = json.loads(await self.command("tickets", str(number), "--format", "json"))
        return found

    async def tickets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await self.command("tickets", "--format", "json"))
        return found

    def stored(self, file: dict[str, Any]) -> bytes:
        """The bytes of a file of a ticket."""
        sha256 = str(file["sha256"])
        return (self.home / "var/files" / sha256[:2] / sha256).read_bytes()


def _put(settings: dict[str, Any], place: list[str], value: Any) -> None:
    for name in place[:-1]:
        settings = settings.setdefault(name, {})
    if isinstance(value, dict) and isinstance(settings.get(place[-1]), dict):
        settings[place[-1]] |= value
    else:
        settings[place[-1]] = value


class Messenger:
    """An emulator as a process of its own, reached over HTTP only."""

    name: ClassVar[str]

    def __init__(self, folder: Path, *flags: str) -> None:
        self.port = free_port()
        command = ("-m", f"tests.emulators.{self.name}", "--port", str(self.port), "--factor", "0.02", *flags)
        self.process = Process(*command, log=folder / f"{self.name}.log")
        self.http: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        self.process.spawn()
        try:
            await until(self._listening, "the emulator listens", START_SECONDS)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.process.close()
        if self.http is not None:
            await self.http.close()

    async def _listening(self) -> bool:
        assert self.process.running, self.process.said()
        try:
            return bool(await self.do("state"))
        except aiohttp.ClientConnectionError:
            return False

    async def do(self, deed: str, **keywords: Any) -> Any:
        """A deed of the emulator. Raises LookupError with its words when it refuses."""
        assert self.http is not None
        async with self.http.post(f"{self.url}/control/{deed}", json=keywords) as answer:
            said = await answer.json()
            if answer.status != 200:
                raise LookupError(said["error"])
            return said

    async def texts(self, chat: int) -> list[str]:
        found: list[str] = await self.do("texts", chat=chat)
        return found

    async def check(self) -> None:
        """Raises AssertionError when any call so far broke the official schema or a limit."""
        violations = (await self.do("state"))["violations"]
        assert not violations, "\n".join(violations)


class Telegram(Messenger):
    """A Telegram."""

    name = "telegram"


class Vk(Messenger):
    """A VK."""

    name = "vk"


class Api(Messenger):
    """A messenger that an integrator has connected by webhooks."""

    name = "api"


class Max(Messenger):
    """A MAX."""

    name = "max"


class Ground:
    """What a test plays on, seen from outside: `gateway` and what stands in its store."""

    gateway: Gateway

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Reads the store beside its process."""
        connection = sqlite3.connect(f"file:{self.gateway.database}?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def heard(self, chat: int, text: str) -> int:
        """How often a client's text stands in the history."""
        query = (
            "SELECT event FROM messages JOIN conversations ON conversations.id = messages.conversation WHERE chat = ?"
        )
        events = [json.loads(event) for (event,) in self.rows(query, str(chat)) if event]
        return sum(event.get("text") == text for event in events)

    async def settled(self, *messengers: Messenger, sent: bool = True) -> None:
        """Waits until nothing is under way: nothing undelivered or unread at the messengers, no event unprocessed, and, with
        `sent`, no row unsent."""

        async def idle() -> bool:
            states = [await messenger.do("state") for messenger in messengers]
            if any(state["waiting"] or state.get("unread") for state in states):
                return False
            asked = ("inbox", "outbox") if sent else ("inbox",)
            return not any([await self.gateway.metric(f'frontline_store{{what="{what}"}}') for what in asked])

        await until(idle, "everything is quiet", 20)


class Ear:
    """Somebody who hears the bot. `texts` is all that it has said so far, `heard` how many of them are no news."""

    heard = 0

    async def texts(self) -> list[str]:
        raise NotImplementedError

    async def hear(self, *expected: str, seconds: float = ANSWER_SECONDS) -> list[str]:
        """Everything new that the bot has said, once the expected words stand in it."""
        fresh: list[str] = []

        async def all_said() -> bool:
            fresh[:] = (await self.texts())[self.heard :]
            rest = iter(fresh)
            return all(any(words in text for text in rest) for words in expected)

        try:
            await until(all_said, "", seconds)
        except AssertionError:
            raise AssertionError(f"expected {expected}, the bot said {fresh}") from None
        self.heard += len(fresh)
        return fresh


class Telephone(Ear):
    """A person in a messenger's chat."""

    def __init__(self, messenger: Messenger, chat: int = 0) -> None:
        self.messenger, self.chat = messenger, chat or new_chat()

    async def texts(self) -> list[str]:
        return await self.messenger.texts(self.chat)


class Client(Telephone):
    """A person in a messenger's chat: acts, then waits for what the bot says to it."""

    async def say(self, text: str, *expected: str) -> list[str]:
        """Writes and waits until the bot has said all the expected words, in this order, after all it said before."""
        await self.messenger.do("say", chat=self.chat, text=text)
        return await self.hear(*expected)

    async def press(self, label: str, *expected: str) -> list[str]:
        await self.messenger.do("press", chat=self.chat, label=label)
        return await self.hear(*expected)

    async def contact(self, phone: str, *expected: str, own: bool = True) -> list[str]:
        await self.messenger.do("contact", chat=self.chat, phone=phone, own=own)
        return await self.hear(*expected)

    async def photo(self, data: bytes, *expected: str) -> list[str]:
        await self.messenger.do("photo", chat=self.chat, content=base64.b64encode(data).decode())
        return await self.hear(*expected)


def number_in(texts: list[str]) -> int:
    """The number of the ticket that the bot tells of."""
    found = re.search(r"Заявка (\d+)", "\n".join(texts))
    assert found, texts
    return int(found[1])


class Visitor(Ear):
    """A person in the web chat, by its HTTP interface alone."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.token = gateway, ""

    async def open(self) -> Self:
        self.token = (await self._post("session", {}))["token"]
        return self

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        status, text = await self.gateway.ask("POST", f"/chat/site/{path}", json=body, headers=headers)
        assert status in (200, 201), text
        found: dict[str, Any] = json.loads(text)
        return found

    async def upload(self, name: str, data: bytes) -> str:
        """The id of a file of one's own."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", data, filename=name)
        headers = {"Authorization": f"Bearer {self.token}"}
        status, text = await self.gateway.ask("POST", "/chat/site/files", data=form, headers=headers)
        assert status == 201, text
        return str(json.loads(text)["id"])

    async def history(self) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}"}
        _, text = await self.gateway.ask("GET", "/chat/site/history", headers=headers)
        found: list[dict[str, Any]] = json.loads(text)["items"]
        return found

    async def say(self, text: str, *expected: str, files: tuple[str, ...] = ()) -> list[str]:
        """Writes and waits, as `Client.say` does."""
        await self._post("messages", {"client_id": secrets.token_hex(8), "text": text, "files": list(files)})
        return await self.hear(*expected)

    async def press(self, label: str, *expected: str) -> list[str]:
        rows = [row for item in await self.history() for row in item.get("rows", ())]
        token = next(button["token"] for row in reversed(rows) for button in row if button["label"] == label)
        await self._post("messages", {"client_id": secrets.token_hex(8), "press": {"token": token, "label": label}})
        return await self.hear(*expected)

    async def texts(self) -> list[str]:
        return [item["text"] for item in await self.history() if item.get("author") not in (None, "client")]
