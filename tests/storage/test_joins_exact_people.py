"""A join that was undone has never been for what people keep, either: tags, tier, notes, edits, marks, sessions, tickets."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.conversation import Session
from core.effects import CreateTicket, Effect, UpdateClient
from core.ports import Done, Result, Work
from storage.asked import Asked
from storage.cards.card import TAG, TIER
from storage.cards.editing import By, add_note, edit_card
from storage.cards.marking import mark_read
from storage.cards.reading import version_of, whole_client
from storage.cards.schema import client_edits, client_notes, client_tags, read_marks
from storage.ledger import Ledger
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from storage.tables import clients
from storage.work.schema import sessions
from storage.work.units import Units
from tests.postgres import Cluster
from tests.storage.conftest import EMPTY, OUTER
from tests.storage.making import FakeClock, accept_one, inbound
from tests.storage.test_model import migrated

SqlStore = SQLiteStore | PostgresStore
CHATS = ("1", "2", "3")
HOMES = {chat: n for n, chat in enumerate(CHATS, 1)}
# A history: something happens in a chat, or two clients are joined, or the newest join is undone.
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["tag", "untag", "tier", "note", "read", "city", "ticket", "again"]), st.sampled_from(CHATS)
        ),
        st.tuples(st.just("join"), st.sampled_from([("1", "2"), ("2", "3"), ("1", "3"), ("3", "2")])),
        st.tuples(st.just("unjoin"), st.just("")),
    ),
    max_size=16,
)
TABLES = (client_tags, client_notes, client_edits, read_marks)
ALL = {table.name: select(table) for table in TABLES}
SESSIONS = select(sessions.c.conversation, sessions.c.number, sessions.c.client, sessions.c.current)
CLIENTS = select(clients.c.id, clients.c.phone, clients.c.words, clients.c.tier, clients.c.card)


async def play(store: SqlStore, clock: FakeClock, steps: list[tuple[str, Any]], joins: bool) -> dict[str, Any]:
    """The end of a history; without `joins` nobody is ever joined."""
    for n, chat in enumerate(CHATS):
        await accept_one(store, inbound(n, chat), opening)
    units, made = Units(store), list[int]()
    for n, (step, what) in enumerate(steps, 10):
        clock.now += 1
        if step == "unjoin":
            if made:
                await store.unjoin(made.pop(), "user:1")
        elif step == "join":
            one, other = [await owner(units, store, chat) for chat in what] if joins else (0, 0)
            if one != other:
                made.append(await store.join(one, other, "user:1", "one person"))
        elif step in {"city", "ticket", "again"}:
            effect: Effect = (
                CreateTicket(f"k{n}", n, "general", "T") if step == "ticket" else UpdateClient({"city": f"c{n}"})
            )
            turn = opening if step == "again" else partial(doing, effect)
            await accept_one(store, inbound(n, what), turn)
        else:
            client, work = await owner(units, store, what), partial(write, step, n, HOMES[what])
            await units.write(lambda ledger, client=client, work=work: work(ledger, client))  # type: ignore[misc]
    while made:
        await store.unjoin(made.pop(), "user:1")
    return await ending(store, units)


def opening(work: Work) -> Result:
    """A turn that begins the conversation's next session."""
    number = work.conversation.session.number + 1
    conversation = msgspec.structs.replace(
        work.conversation, session=Session(number, "queued", "queue", line="support")
    )
    return Result(conversation, [Done(it) for it in work.events])


def doing(effect: Effect, work: Work) -> Result:
    return Result(work.conversation, [Done(it, (effect,)) for it in work.events])


async def owner(units: Units, store: SqlStore, chat: str) -> int:
    """The client whose conversation it is now."""
    home = await store.conversation(HOMES[chat])
    assert home is not None
    assert await units.ask(lambda reads: whole_client(reads, home.client)) == home.client
    return home.client


def write(step: str, n: int, home: int, ledger: Ledger, client: int) -> None:
    """What somebody does in a conversation."""
    by, card = By("user:1", home, "because"), ledger.rows.card(client)
    tags = sorted(name for name, value in card.items() if name.startswith(f"{TAG}{home}-") and value)
    if step == "note":
        add_note(ledger, client, f"note {n}", by, float(n))
    elif step == "read":
        mark_read(ledger, 1, home, n, float(n))
    elif step == "tier":
        edit_card(ledger, client, version_of(card), {TIER: f"t{n}"}, by, float(n))
    elif step == "tag":
        edit_card(ledger, client, version_of(card), {f"{TAG}{home}-{n}": 1}, by, float(n))
    elif tags:
        edit_card(ledger, client, version_of(card), {tags[0]: ""}, by, float(n))


async def ending(store: SqlStore, units: Units) -> dict[str, Any]:
    def ask(reads: Asked) -> dict[str, Any]:
        found = {name: reads.all(statement) for name, statement in ALL.items()}
        return found | {"sessions": reads.all(SESSIONS), "clients": reads.all(CLIENTS)}

    found = await units.ask(ask)
    for row in found["client_edits"]:
        del row["was"]  # what whoever wrote has seen: while two are one, also what the other had
    for row in found["clients"]:
        row["card"] = msgspec.json.decode(row["card"])
    tickets = {id: [(it.number, it.conversation) for it in await store.tickets(client=id)] for id in HOMES.values()}
    return {name: sorted(rows, key=str) for name, rows in found.items()} | {"tickets": tickets}


async def both(make: Callable[[FakeClock, int], SqlStore], steps: list[tuple[str, Any]]) -> list[dict[str, Any]]:
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
    return ends


def agree(ends: list[dict[str, Any]]) -> None:
    joined, alone = ends
    for name, rows in alone.items():
        assert joined[name] == rows, name


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_undone_joins_leave_no_trace_in_a_file(steps: list[tuple[str, Any]], tmp_path: Path) -> None:
    def make(clock: FakeClock, n: int) -> SqlStore:
        for old in tmp_path.glob(f"{n}.db*"):
            old.unlink()
        return SQLiteStore(Path(shutil.copy(migrated(), tmp_path / f"{n}.db")), clock, OUTER)

    agree(asyncio.run(both(make, steps)))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_undone_joins_leave_no_trace_in_postgresql(steps: list[tuple[str, Any]], server: Cluster, common: str) -> None:
    def make(clock: FakeClock, n: int) -> SqlStore:
        server.sql(EMPTY, common)
        return PostgresStore(server.url(common), clock, OUTER, own_clock=True)

    agree(asyncio.run(both(make, steps)))
