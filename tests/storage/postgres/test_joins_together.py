"""Two processes join, undo and write at the same time: nothing deadlocks for good, nothing is lost, one client is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.codes import digest_code
from core.effects import UpdateClient
from core.joins import Code, JoinRefused
from storage.postgres.store import PostgresStore
from tests.postgres import Cluster
from tests.storage.conftest import OUTER
from tests.storage.making import FakeClock, accept_one, always, inbound

WRITE = always(UpdateClient({"city": "Тверь"}))


@pytest.fixture
async def processes(
    server: Cluster, database: str, clock: FakeClock
) -> AsyncIterator[tuple[PostgresStore, PostgresStore]]:
    """Two stores over one database, as two processes have them."""
    one, two = (PostgresStore(server.url(database), clock, OUTER, own_clock=True) for _ in range(2))
    await one.open()
    await two.open()
    yield one, two
    await one.close()
    await two.close()


async def join(store: PostgresStore, first: int, second: int) -> int:
    """The number of the join, 0 when another was quicker."""
    try:
        return await store.join(first, second, "test")
    except JoinRefused:
        return 0


async def test_joins_in_both_directions_beside_messages(processes: tuple[PostgresStore, PostgresStore]) -> None:
    one, two = processes
    for chat in ("1", "2", "3"):
        await accept_one(one, inbound(int(chat), chat))
    number = 10
    for _ in range(8):
        said = []
        for n in range(12):
            number += 1
            said.append(accept_one((one, two)[n % 2], inbound(number, str(1 + n % 3)), WRITE))
        *_, first, second, third = await asyncio.gather(
            *said, join(one, 1, 2), join(two, 2, 1), join(two, 3, 2), return_exceptions=False
        )
        assert not (first and second)
        while await one.work(WRITE) or await two.work(WRITE):
            pass
        for made in sorted([it for it in (first, second, third) if isinstance(it, int) and it], reverse=True):
            await two.unjoin(made, "test")
        homes = [await one.conversation(id) for id in (1, 2, 3)]
        assert [home is not None and home.client for home in homes] == [1, 2, 3]
    assert [len(await one.events(id)) for id in (1, 2, 3)] == [33, 33, 33]
    assert await one.backlog() == (0, 0.0)


async def test_a_code_is_used_once_by_two_processes(processes: tuple[PostgresStore, PostgresStore]) -> None:
    one, two = processes
    for chat in ("1", "2", "3"):
        await accept_one(one, inbound(int(chat), chat))
    for n in range(4):  # whoever comes second has tried a code in vain, and five such tries are too many
        digest = digest_code(f"code {n}")
        await one.offer_code(Code(1, digest, 600.0, f"k{n}"))
        answers = await asyncio.gather(one.use_code(2, digest, f"a{n}"), two.use_code(3, digest, f"b{n}"))
        assert sorted(answers) == ["ok", "used"]
        for made in await one.joins():
            if made.state == "done":
                await two.unjoin(made.id, "test")


async def test_two_conversations_exchange_codes_at_once(processes: tuple[PostgresStore, PostgresStore]) -> None:
    one, two = processes
    await accept_one(one, inbound(1, "1"))
    await accept_one(one, inbound(2, "2"))
    for n in range(6):
        first, second = digest_code(f"first {n}"), digest_code(f"second {n}")
        await one.offer_code(Code(1, first, 600.0, f"f{n}"))
        await two.offer_code(Code(2, second, 600.0, f"s{n}"))
        answers = await asyncio.gather(one.use_code(2, first, f"a{n}"), two.use_code(1, second, f"b{n}"))
        assert list(answers) == ["ok", "ok"]
        (made,) = [it for it in await one.joins() if it.state == "done"]
        await one.unjoin(made.id, "test")
