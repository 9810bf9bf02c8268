"""A whole gateway with the API: a file of SQLite, a channel that records, quick passwords, a clock that is moved, browsers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from core.access import Role
from core.accounts import Accounts, Deed, User
from core.events import Event
from core.ports import Receipt, Store
from gateway.accounts.endings import Endings
from gateway.accounts.passwords import Passwords
from gateway.accounts.people import People
from gateway.api.build import build_api
from gateway.api.origin import HEADER
from gateway.app import Gateway
from gateway.config import read_config
from gateway.config.accounts import Accounts as Settings
from gateway.server import build_server
from storage.hints.local import LocalHints
from storage.postgres.store import PostgresStore
from tests.gateway.house import FORM, HELLO, PEOPLE, SHOP, Recorder, inbound

PASSWORD = "correct horse battery"
ROOT = Deed("console", "user_added")
CONFIG = """\
http: {port: 0}
storage: {url: "sqlite:///house.db", files: files, cache: cache}
flood: off
channels: {telegram: {kind: telegram, token: "42:x", line: support}}
lines:
  support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, max_wait: 0, closed: {ticket: general}, busy: {ticket: general}}
  billing: {title: Расчёты, hours: {mon-fri: "09:00-18:00"}, closed: {ticket: general}, busy: {ticket: general}}
desks: {general: {title: Обращения}}
"""
FLOWS = {"_bot.yaml": SHOP, "hello.yaml": HELLO, "people.yaml": PEOPLE, "form.yaml": FORM}


@dataclass
class Clock:
    """Seconds since the epoch."""

    at: float = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Any
    body: Any

    @property
    def kind(self) -> str:
        """The name of the problem."""
        return str(self.body["type"]).removeprefix("urn:frontline:") if isinstance(self.body, dict) else ""


class Browser:
    """A browser with its own cookies, or a machine with a token."""

    def __init__(self, client: TestClient[web.Request, web.Application], token: str = "") -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"} if token else {HEADER: "1"}

    async def ask(self, method: str, path: str, body: Any = None, /, **headers: str) -> Answer:
        more = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = None if body is None else msgspec.json.encode(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        answer = await self.client.request(method, f"/api/v1{path}", headers={**kind, **more}, data=data)
        return await read(answer)

    async def sign_in(self, name: str, password: str = PASSWORD, code: str = "") -> Answer:
        return await self.ask("POST", "/login", {"name": name, "password": password, "code": code})


async def read(answer: ClientResponse) -> Answer:
    raw = await answer.read()
    return Answer(answer.status, answer.headers, msgspec.json.decode(raw) if raw else None)


@dataclass
class House:
    """`ended` are users whose rights changed, as told by `Endings`. `channel` records what clients are sent."""

    gateway: Gateway
    people: People
    clock: Clock
    channel: Recorder
    server: TestServer
    stack: AsyncExitStack
    ended: list[int] = field(default_factory=list)
    said: int = 0  # messages of clients so far

    @property
    def store(self) -> Store:
        return self.gateway.store

    @property
    def accounts(self) -> Accounts:
        return self.gateway.store.accounts

    async def add(self, name: str, role: Role = "operator", **lines: Role) -> User:
        user, _ = await self.people.add(User(0, name, name.title(), role, dict(lines)), PASSWORD, ROOT)
        return user

    async def browser(self, name: str = "", token: str = "") -> Browser:
        """A new one, signed in under a name."""
        made = Browser(await self.stack.enter_async_context(TestClient(self.server)), token)
        if name:
            answer = await made.sign_in(name)
            assert answer.status == 200, answer.body
        return made

    async def client(self, said: Event | str, chat: str = "1") -> Receipt:
        """A client of the recording channel writes; the answers have been sent when this returns."""
        self.said += 1
        receipts = await self.gateway.intake.accept([inbound(self.said, said, chat, self.clock.moment())])
        await self.quiet()
        return receipts[0]

    async def quiet(self) -> None:
        """Returns when no event waits for its turn and no message for its sender. Fails after five seconds."""

        async def busy() -> bool:
            stats = await self.store.stats()
            return bool(stats["inbox"] or stats["outbox"])

        self.gateway.wake()
        async with asyncio.timeout(5):
            while await busy():
                await asyncio.sleep(0.01)

    async def until(self, met: Callable[[], bool]) -> None:
        """Returns when something holds. Fails after five seconds."""
        async with asyncio.timeout(5):
            while not met():
                await asyncio.sleep(0.01)


async def open_house(public_url: str = "", config: str = CONFIG, flows: dict[str, str] = FLOWS) -> AsyncIterator[House]:
    """For fixtures. `config` replaces the shipped one of this file, `flows` its flows."""
    clock, channel, hints = Clock(), Recorder(), LocalHints()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontline-house-")))
        (folder / "flows").mkdir()
        for name, text in flows.items():
            (folder / "flows" / name).parent.mkdir(exist_ok=True)
            (folder / "flows" / name).write_text(text, "utf-8")
        settings, findings = read_config(config, folder / "config.yaml", {})
        assert settings is not None, findings
        # PostgreSQL counts by its own clock, which nobody could move.
        url = settings.storage.url
        store = PostgresStore(url, clock.now, own_clock=True) if url.startswith("postgresql:") else None
        gateway = Gateway(settings, store=store, now=clock.moment, channels={channel.name: channel}, hints=hints)
        lines = tuple(settings.lines)
        passwords = Passwords(memory=64, iterations=1)
        people = People(gateway.store.accounts, Settings(), lines, clock.now, Endings(hints), passwords)
        gateway.people.close()
        gateway.people = people
        await gateway.start()
        stack.push_async_callback(gateway.stop)
        server = TestServer(build_server(build_api(people, gateway.floor, public_url)))
        await stack.enter_async_context(server)
        stack.push_async_callback(gateway.live.stop)  # the test's own server would wait for open sockets for a minute
        house = House(gateway, people, clock, channel, server, stack)
        people.endings.subscribe(house.ended.append)
        yield house
