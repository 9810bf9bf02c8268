"""The database goes away, the network is bad, a commit is cut off: nothing that was acknowledged is lost or done twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.events import Message
from core.outbox import OutboxRow
from core.ports import StorageFull
from storage.migrate import HEAD, migrate_postgres
from storage.postgres import links
from storage.postgres.store import PostgresStore
from tests.faults.proxy import Proxy
from tests.postgres import Cluster, cluster
from tests.storage.conftest import OUTER
from tests.storage.making import ECHO, FakeClock, accept_one, inbound, settled, texts
from tests.storage.postgres.conftest import Make


@pytest.fixture
async def proxy(server: Cluster) -> AsyncIterator[Proxy]:
    async with Proxy("127.0.0.1", server.port) as made:
        yield made


@pytest.fixture
async def far(new: Make, server: Cluster, database: str, proxy: Proxy) -> AsyncIterator[PostgresStore]:
    """A store behind a bad network."""
    made = new(server.url(database).replace(str(server.port), str(proxy.port)))
    await made.open()
    yield made
    proxy.hole, proxy.watch = False, None
    await made.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead connection is found out soon."""
    monkeypatch.setattr(links, "COMMAND_SECONDS", 0.5)
    monkeypatch.setattr(links, "CONNECT_SECONDS", 0.5)


async def hold_out(store: PostgresStore, number: int, chat: str, within: float = 20.0) -> float:
    """Accept as a platform does: again after each refusal. Seconds it took."""
    began = time.monotonic()
    while True:
        try:
            await accept_one(store, inbound(number, chat))
        except StorageFull:
            assert time.monotonic() - began < within
            await asyncio.sleep(0.05)
        else:
            return time.monotonic() - began


async def told(store: PostgresStore, chat: str) -> list[str]:
    """Texts of the client, in the order of the history."""
    conversation = await store.find_conversation("telegram", "bot", chat)
    assert conversation is not None
    history = await store.history(conversation.id)
    assert [it.seq for it in history] == list(range(1, len(history) + 1))
    return [it.event.text for it in history if isinstance(it.event, Message)]


# --- connections that end ----------------------------------------------------------------------------------------------

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"


async def test_a_killed_connection_is_replaced_unseen(one: PostgresStore, link: Any) -> None:
    await accept_one(one, inbound(1))
    await link.execute(KILL)
    assert (await accept_one(one, inbound(2))).processed
    await link.execute(KILL)
    assert await told(one, "1") == ["m1", "m2"]


async def test_connections_are_killed_all_the_time(one: PostgresStore, link: Any) -> None:
    over = False

    async def kill() -> None:
        while not over:
            await link.execute(KILL)
            await asyncio.sleep(0.2)

    async def client(chat: str) -> None:
        for number in range(40):
            await hold_out(one, number + 100 * int(chat), chat)

    killing = asyncio.ensure_future(kill())
    await asyncio.gather(*(client(str(chat)) for chat in range(8)))
    over = True
    await killing
    while (await one.stats())["inbox"]:
        await one.work(ECHO)
    for chat in range(8):
        assert await told(one, str(chat)) == [f"m{number + 100 * chat}" for number in range(40)]


async def test_the_server_crashes_and_comes_back(clock: FakeClock) -> None:
    with cluster() as server:
        name = server.create()
        await asyncio.to_thread(migrate_postgres, server.url(name))
        store = PostgresStore(server.url(name), clock, OUTER, own_clock=True)
        await store.open()

        async def client(chat: int) -> None:
            for number in range(30):
                await hold_out(store, number + 100 * chat, str(chat))
                await asyncio.sleep(0.01)

        clients = [asyncio.ensure_future(client(chat)) for chat in range(4)]
        for _ in range(2):
            await asyncio.sleep(0.15)
            await asyncio.to_thread(server.restart)
            assert await hold_out(store, 10_000, "late") < 5.0
        await asyncio.gather(*clients)
        while (await store.stats())["inbox"]:
            await store.work(ECHO)
        for chat in range(4):
            assert await told(store, str(chat)) == [f"m{number + 100 * chat}" for number in range(30)]
        server.stop()
        assert not await store.healthy()
        for refused in (accept_one(store, inbound(1)), store.lease(), store.work(ECHO), store.stats(), store.epoch(1)):
            with pytest.raises(StorageFull):
                await refused
        server.start()
        assert await store.healthy()
        await store.close()


async def test_a_database_that_only_reads_is_full(
    one: PostgresStore, link: Any, server: Cluster, database: str
) -> None:
    await link.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    try:
        await link.execute(KILL)
        with pytest.raises(StorageFull):
            await accept_one(one, inbound(1))
        assert not await one.healthy()
    finally:
        server.sql(f'SET default_transaction_read_only = off; ALTER DATABASE "{database}" RESET ALL')
        server.sql(KILL.replace("current_database()", f"'{database}'"))
    assert (await accept_one(one, inbound(1))).processed


# --- a bad network -----------------------------------------------------------------------------------------------------


def cut_once(proxy: Proxy, word: bytes, out: bool) -> list[bytes]:
    """Cut the connection at the first piece with this word; what was cut."""
    found: list[bytes] = []

    def watch(piece: bytes, sent: bool) -> bool:
        if not found and sent is out and word in piece:
            found.append(piece)
            return False
        return True

    proxy.watch = watch
    return found


# Before the server hears of it, and after it did but before we hear so.
CUTS = [(b"COMMIT", True), (b"COMMIT\0", False)]


@pytest.mark.parametrize(("word", "out"), CUTS)
async def test_an_accept_whose_commit_is_cut_off_is_safe(
    far: PostgresStore, proxy: Proxy, word: bytes, out: bool
) -> None:
    await accept_one(far, inbound(1))
    cut = cut_once(proxy, word, out)
    with pytest.raises(StorageFull):
        await accept_one(far, inbound(2, "b"))
    assert cut
    proxy.watch = None
    again = await accept_one(far, inbound(2, "b"))
    assert again.duplicate is not out
    rows = again.outbox or await far.lease()  # what nobody took is free at once
    assert texts(rows) == ["re m2"]
    assert await told(far, "b") == ["m2"]


@pytest.mark.parametrize(("word", "out"), CUTS)
async def test_a_mark_whose_commit_is_cut_off_is_repeated(
    far: PostgresStore, proxy: Proxy, word: bytes, out: bool
) -> None:
    from tests.storage.making import always, say

    (row,) = (await accept_one(far, inbound(1), always(say("a"), say("b")))).outbox
    cut = cut_once(proxy, word, out)
    with pytest.raises(StorageFull):
        await far.mark([settled(row)])
    assert cut
    proxy.watch = None
    receipts = await far.mark([settled(row)])
    rows: list[OutboxRow] = [row for receipt in receipts for row in receipt.outbox] or await far.lease()
    assert texts(rows) == ["b"]
    assert [it.state for it in await far.history(row.conversation)] == ["received", "sent", "pending"]


async def test_a_turn_whose_commit_is_cut_off_is_made_once(far: PostgresStore, proxy: Proxy) -> None:
    await accept_one(far, inbound(1), None)
    cut = cut_once(proxy, b"COMMIT", False)
    with pytest.raises(StorageFull) as caught:
        await far.work(ECHO)
    assert cut
    assert caught.value.__cause__ not in {None, caught.value}, "who follows the causes must come to an end"
    proxy.watch = None
    assert await far.work(ECHO) == []
    assert texts(await far.lease()) == ["re m1"]


@pytest.mark.usefixtures("impatient")
async def test_a_network_that_swallows_everything_is_noticed(far: PostgresStore, proxy: Proxy) -> None:
    await accept_one(far, inbound(1))
    proxy.hole = True
    began = time.monotonic()
    results = await asyncio.gather(
        accept_one(far, inbound(2)), far.epoch(1), far.stats(), far.work(ECHO), far.lease(), return_exceptions=True
    )
    assert all(isinstance(it, StorageFull) for it in results), results
    assert time.monotonic() - began < 8
    proxy.hole = False
    assert await hold_out(far, 2, "1") < 5
    assert await told(far, "1") == ["m1", "m2"]


@pytest.fixture
def short_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(links._SESSION, "idle_in_transaction_session_timeout", "300ms")


@pytest.mark.usefixtures("short_idle", "impatient")
async def test_a_process_that_stands_still_gives_its_locks_back(
    far: PostgresStore, proxy: Proxy, one: PostgresStore
) -> None:
    """Cut off in the middle of a transaction it holds a conversation; the server ends it, another process goes on."""
    await accept_one(far, inbound(1), None)
    halted: list[int] = []

    def watch(piece: bytes, out: bool) -> bool:
        if out and b"UPDATE conversations" in piece:
            halted.append(1)
            proxy.hole = True
        return True

    proxy.watch = watch
    with pytest.raises(StorageFull):
        await far.work(ECHO)
    assert halted
    until = time.monotonic() + 5
    while not (receipts := await one.work(ECHO)):
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    assert receipts[0].processed
    proxy.hole, proxy.watch = False, None
    assert await far.work(ECHO) == []  # the old owner has nothing to say any more
    assert await told(one, "1") == ["m1"]


async def test_a_server_too_slow_for_a_goodbye_has_still_answered(proxy: Proxy, server: Cluster, migrated: str) -> None:
    """What was asked before the end of a connection counts, however the end goes."""

    def deaf(piece: bytes, out: bool) -> bool:
        proxy.hole = out and piece.startswith(b"X")  # Terminate, of the frontend/backend protocol
        return True

    proxy.watch = deaf
    url = server.url(migrated).replace(str(server.port), str(proxy.port))
    assert await asyncio.to_thread(migrate_postgres, url) == (HEAD, HEAD)
    assert proxy.hole
