"""A small house with the API: a store in memory, quick passwords, a clock that stands until it is moved, browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from core.access import Role
from core.accounts import Accounts, Deed, User
from gateway.accounts.endings import Endings
from gateway.accounts.passwords import Passwords
from gateway.accounts.people import People
from gateway.api.build import build_api
from gateway.api.origin import HEADER
from gateway.config.accounts import Accounts as Settings
from gateway.server import build_server
from storage.hints.local import LocalHints
from storage.memory import MemoryStore

PASSWORD = "correct horse battery"
ROOT = Deed("console", "user_added")


@dataclass
class Clock:
    """Seconds since the epoch."""

    at: float = 1_800_000_000.0

    def now(self) -> float:
        return self.at


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
    """`ended` are users whose rights changed, as told by `Endings`."""

    accounts: Accounts
    people: People
    clock: Clock
    server: TestServer
    stack: AsyncExitStack
    ended: list[int] = field(default_factory=list)

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


async def open_house(public_url: str = "") -> AsyncIterator[House]:
    """For fixtures."""
    clock, hints = Clock(), LocalHints()
    store = MemoryStore(clock.now)
    passwords = Passwords(memory=64, iterations=1)
    people = People(store.accounts, Settings(), ("support", "billing"), clock.now, Endings(hints), passwords)
    async with AsyncExitStack() as stack:
        await hints.open()
        stack.push_async_callback(hints.close)
        stack.callback(people.close)
        server = TestServer(build_server(build_api(people, public_url)))
        await stack.enter_async_context(server)
        house = House(store.accounts, people, clock, server, stack)
        people.endings.subscribe(house.ended.append)
        yield house
