"""Two gateways over one PostgreSQL: one of them routes, and the other takes over when it dies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from core.accounts import operator_id
from gateway import leases
from gateway.dispatch.dispatcher import LEASE
from tests.acceptance.people.test_routing import given, online, until, wait_in_queue
from tests.gateway.api.house import CONFIG, House, open_house
from tests.postgres import Cluster


@pytest.fixture
async def pair(database: str, server: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[House]]:
    """Two gateways over one PostgreSQL; leases end quickly."""
    for name, seconds in (("SECONDS", 1.5), ("RENEW_SECONDS", 0.4), ("RETRY_SECONDS", 0.1), ("MARGIN_SECONDS", 0.3)):
        monkeypatch.setattr(leases, name, seconds)
    config = CONFIG.replace("sqlite:///house.db", server.url(database))
    async with AsyncExitStack() as stack:
        opening = asynccontextmanager(open_house)
        yield [await stack.enter_async_context(opening(config=config)) for _ in range(2)]


def die(house: House) -> None:
    """The process is gone: it neither routes nor renews, and gives nothing back."""
    gone = [task for task in house.gateway._tasks if task.get_name() == "dispatcher"]
    for task in [*gone, *house.gateway.leases._tasks.values()]:
        task.cancel()


async def test_one_process_routes_and_another_takes_over_when_it_dies(pair: list[House]) -> None:
    looks = [0, 0]
    for place, house in enumerate(pair):
        looked = house.gateway.dispatcher.look

        async def count(place: int = place, looked: Callable[[], Awaitable[Any]] = looked) -> Any:
            looks[place] += 1
            return await looked()

        house.gateway.dispatcher.look = count  # type: ignore[method-assign]
    one, other = pair
    other.said = 1000  # their clients are other clients
    anna = await one.add("anna", support="operator")

    async def held() -> bool:
        return any(house.gateway.leases.holds(LEASE) for house in pair)

    await until(held)
    (active,) = (place for place, house in enumerate(pair) if house.gateway.leases.holds(LEASE))
    looks[1 - active] = 0
    browser = await online(other, "anna")  # whichever process hears it
    homes = [await wait_in_queue(one, str(chat)) for chat in range(1, 4)]
    for home in homes:
        await given(one, home, operator_id(anna.id))
    assert looks[active] > 0
    assert looks[1 - active] == 0, "only the holder of the lease routes"
    die(pair[active])
    for house in pair:
        house.clock.at += 2  # the database's clock ends the lease
    later = await wait_in_queue(pair[1 - active], "9")
    await given(pair[1 - active], later, operator_id(anna.id), 10.0)
    assert looks[1 - active] > 0
    assert (await browser.ask("GET", "/me/presence")).body["sessions"] == 4
