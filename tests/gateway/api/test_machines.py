"""The API over PostgreSQL behind two gateways: one truth, whoever answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest
from aiohttp.test_utils import TestClient, TestServer

from core.accounts import User
from gateway.accounts.endings import Endings
from gateway.accounts.passwords import Passwords
from gateway.accounts.people import People
from gateway.api.build import build_api
from gateway.config.accounts import Accounts as Settings
from gateway.config.model import Config
from gateway.floor import Floor
from gateway.server import build_server
from handoff.lines import House
from storage.migrate import migrate_postgres
from storage.postgres.store import PostgresStore
from tests.gateway.api.house import PASSWORD, ROOT, Browser, Clock
from tests.postgres import cluster


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with cluster() as server:
        address = server.url(server.create(name="accounts"))
        migrate_postgres(address)
        yield address


HOUSE = House(lines={})


@pytest.fixture
async def browsers(url: str) -> AsyncIterator[tuple[Browser, Browser]]:
    """Browsers before two gateways over one database."""
    made: list[Browser] = []
    async with AsyncExitStack() as stack:
        for _ in range(2):
            store = PostgresStore(url, Clock().now)
            await store.open()
            stack.push_async_callback(store.close)
            passwords = Passwords(memory=64, iterations=1)
            people = People(store.accounts, Settings(), ("support",), Clock().now, Endings(None), passwords)
            stack.callback(people.close)
            if not made:
                await people.add(User(0, "root", "Root", "admin"), PASSWORD, ROOT)
            server = TestServer(
                build_server(build_api(people, Floor(store, Config(), lambda: HOUSE, Clock().moment, lambda: None), ""))
            )
            made.append(Browser(await stack.enter_async_context(TestClient(server))))
        yield made[0], made[1]


async def test_two_gateways_know_the_same_people(browsers: tuple[Browser, Browser]) -> None:
    one, other = browsers
    for browser in browsers:
        assert (await browser.sign_in("root")).status == 200
    bodies = [{"name": f"user{it % 5}", "role": "operator", "lines": {"support": "operator"}} for it in range(20)]
    asked = (browsers[at % 2].ask("POST", "/users", body) for at, body in enumerate(bodies))
    statuses = [answer.status for answer in await asyncio.gather(*asked)]
    assert (statuses.count(201), statuses.count(409)) == (5, 15)
    kept = await asyncio.gather(
        *(it.ask("POST", "/tokens", {"name": "crm", "scopes": ["me:read"]}, Idempotency_Key="k") for it in browsers * 3)
    )
    assert [it.status for it in kept].count(201) == 1
    assert (await one.ask("DELETE", "/me/devices")).status == 204
    assert (await other.ask("GET", "/me")).status == 401
    rows = (await one.ask("GET", "/audit?limit=200")).body["items"]
    assert [it["id"] for it in rows] == list(range(len(rows), 0, -1))
    assert all(newer["before"] == older["hash"] for newer, older in pairwise(rows))
    for bad in ("nobody\u0000", "a\u0000", "й" * 64):
        assert (await other.sign_in(bad)).status in {401, 422}
