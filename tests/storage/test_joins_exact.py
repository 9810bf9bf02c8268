"""A join that was undone has never been: random histories with and without it end the same, in every store."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.effects import CreateTicket, Effect, UpdateClient
from storage.memory import MemoryStore
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from tests.postgres import Cluster
from tests.storage.conftest import EMPTY, OUTER
from tests.storage.making import AnyStore, FakeClock, accept_one, always, inbound
from tests.storage.test_model import migrated

CHATS = ("1", "2", "3")
NAMES = st.sampled_from(["phone", "name", "city"])
VALUES = st.sampled_from(["", "а", "б", "+7999"])
WRITES = st.builds(
    lambda name, value, proved: UpdateClient({name: value}, (name,) if proved else ()), NAMES, VALUES, st.booleans()
)
TICKETS = st.just("ticket")
# A history: a client writes something on the card or opens a ticket; two clients are joined; the newest join is undone.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(CHATS), st.one_of(WRITES, TICKETS)),
        st.tuples(st.just("join"), st.sampled_from([(1, 2), (2, 3), (1, 3), (3, 2)]), st.none()),
        st.tuples(st.just("unjoin"), st.none(), st.none()),
    ),
    max_size=14,
)


async def play(store: AnyStore, clock: FakeClock, steps: list[Any], joins: bool) -> Any:
    """The end of a history; without `joins` nobody is ever joined."""
    for n, chat in enumerate(CHATS):
        await accept_one(store, inbound(n, chat))
    made: list[int] = []
    for n, (step, one, other) in enumerate(steps, 10):
        clock.now += 1
        if step == "say":
            effect: Effect = CreateTicket(f"k{n}", n, "general", "T") if other == "ticket" else other
            await accept_one(store, inbound(n, one), always(effect))
        elif joins and step == "join":
            first, second = [await whole_client(store, client) for client in one]
            if first != second:
                made.append(await store.join(first, second, "test"))
        elif joins and made:
            await store.unjoin(made.pop(), "test")
    while made:
        await store.unjoin(made.pop(), "test")
    return await ending(store)


async def whole_client(store: AnyStore, client: int) -> int:
    """The client that this one is a part of now."""
    card = await store.client(client)
    while card is not None and "_into" in card:
        client = card["_into"]
        card = await store.client(client)
    return client


async def ending(store: AnyStore) -> Any:
    homes = [await store.conversation(id) for id in (1, 2, 3)]
    return {
        "cards": [await store.client(id) for id in (1, 2, 3)],
        "clients": [home.client if home is not None else None for home in homes],
        "talks": [home.talk if home is not None else None for home in homes],
        "tickets": [[(it.number, it.conversation) for it in await store.tickets(client=id)] for id in (1, 2, 3)],
        "identities": [await store.identities(id) for id in (1, 2, 3)],
        "phones": [await store.find_clients(phone) for phone in ("а", "б", "+7999")],
        "events": [len(await store.events(id)) for id in (1, 2, 3)],
    }


async def both(make: Callable[[FakeClock, int], AnyStore], steps: list[Any]) -> tuple[Any, Any]:
    """The same history with its joins and without them."""
    ends = []
    for n, joins in enumerate((True, False)):
        clock = FakeClock()
        store = make(clock, n)
        await store.open()
        try:
            ends.append(await play(store, clock, steps, joins))
        finally:
            await store.close()
    return ends[0], ends[1]


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_undone_joins_leave_no_trace_in_memory(steps: list[Any]) -> None:
    joined, alone = asyncio.run(both(lambda clock, _: MemoryStore(clock, OUTER), steps))
    assert joined == alone


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_undone_joins_leave_no_trace_in_a_file(steps: list[Any], tmp_path: Path) -> None:
    def make(clock: FakeClock, n: int) -> AnyStore:
        for old in tmp_path.glob(f"{n}.db*"):
            old.unlink()
        return SQLiteStore(Path(shutil.copy(migrated(), tmp_path / f"{n}.db")), clock, OUTER)

    joined, alone = asyncio.run(both(make, steps))
    assert joined == alone


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_undone_joins_leave_no_trace_in_postgresql(steps: list[Any], server: Cluster, common: str) -> None:
    def make(clock: FakeClock, n: int) -> AnyStore:
        server.sql(EMPTY, common)
        return PostgresStore(server.url(common), clock, OUTER, own_clock=True)

    joined, alone = asyncio.run(both(make, steps))
    assert joined == alone
