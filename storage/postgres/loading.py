"""What a group of units surely needs, brought in few statements: first the locks, then what they protect.

Each statement of a transaction sees what was committed before it began, so what a lock protects is read by a later statement
than the one that takes it. Locks are taken in one order: conversations that must be had, by id; conversations that another
may have (skipped); rows of the outbox, by conversation and id. Nobody waits for a conversation while holding a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.events import Inbound
from core.outbox import OutboxRow, Settled
from storage import claims
from storage.postgres.asking import as_row
from storage.postgres.held import Lane, Loaded
from storage.postgres.questions import (
    CLAIM,
    CLAIM_ANY,
    CLAIM_ONLY,
    FIRST_CONTACTS,
    LANE_AHEAD,
    LANES,
    LOAD,
    LOCK_CHATS,
    LOCK_HOMES,
    PENDING,
    PREPARE,
    ROWS,
    STATES,
)
from storage.postgres.rows import PostgresRows
from storage.shape import LANE


@dataclass
class Needs:
    """What a unit is known to need. `keys` are those of internal events: (conversation, key); `homes` are conversations
    that it changes and must have."""

    inbounds: Sequence[Inbound] = ()
    settled: Sequence[Settled] = ()
    keys: Sequence[tuple[int, str]] = ()
    homes: Sequence[int] = ()
    turns: bool = False  # it decides: tickets may be opened


@dataclass
class Wanted:
    """The needs of a whole group."""

    inbounds: list[Inbound] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    keys: list[tuple[int, str]] = field(default_factory=list)
    homes: set[int] = field(default_factory=set)


def gather(needs: Iterable[Needs]) -> Wanted:
    """What all units of a group need together."""
    wanted = Wanted()
    for it in needs:
        wanted.inbounds += it.inbounds
        wanted.settled += it.settled
        wanted.keys += it.keys
        wanted.homes.update(it.homes)
    return wanted


async def prepare(link: Any, rows: PostgresRows, wanted: Wanted, at_once: bool) -> None:
    """Lock and load for units that were asked for from outside; `at_once` where the session has our function for it."""
    chats = list({(it.channel, it.account, it.chat): it for it in wanted.inbounds}.values())
    await _lock_homes(link, rows, wanted)
    if at_once:
        missing = await _prepare_at_once(link, rows, wanted, chats)
    else:
        missing = await _lock_chats(link, rows, chats) if chats else []
        locked = [home for it in chats if (home := rows.homes.get(_chat(it))) is not None]
        await _load(link, rows, wanted, missing, locked)
        await _load_lanes(link, rows, _marked(wanted.settled))
    if missing:
        await _number_first_contacts(link, rows, wanted)


async def _prepare_at_once(link: Any, rows: PostgresRows, wanted: Wanted, chats: Sequence[Inbound]) -> list[Inbound]:
    """The chats that are not ours, as `_lock_chats` has them."""
    marked, settled = _marked(wanted.settled), _settled(wanted.settled)
    found = await link.fetchrow(
        PREPARE,
        *_columns([(*_chat(it), _sender(it)) for it in chats], 4, rows),
        *_columns(_events(wanted), 3, rows),
        *_columns(settled, 2, rows),
        list({row.conversation for row in marked}),
        [row.id for row in marked],
        _event_count(wanted),
        rows.estimate(len(wanted.inbounds)),
    )
    places, homes, versions, epochs, clients, states, *loaded, following = found
    for place, *state in zip(*(it or () for it in (places, homes, versions, epochs, clients, states)), strict=True):
        rows.homes[_chat(chats[place - 1])] = state[0]
        rows.states[state[0]] = Loaded(*state[1:])
    missing = [it for it in chats if _chat(it) not in rows.homes]
    locked, clients = homes or [], clients or []
    _keep(rows, loaded, _events(wanted), missing, locked, clients, sorted([*settled, *((home, 0) for home in locked)]))
    if marked:
        _keep_lanes(rows, marked, await link.fetch(ROWS, following) if following else [])
    return missing


async def claim(
    link: Any, rows: PostgresRows, now: float | None, limit: int, ahead: int, only: Sequence[int] | None = None
) -> list[int]:
    """Lock up to `limit` conversations whose events may be processed now, and load what their turns need.

    With `only`, no others. One whose events another worker has put off meanwhile is left alone.
    """
    homes = await (_lock_ready(link, now, limit) if only is None else _locked(link, CLAIM_ONLY, only))
    if not homes:
        return []
    for record in await link.fetch(STATES, homes):
        _own(rows, record)
    rows.await_events(homes, map(as_row, await link.fetch(PENDING, homes, ahead)))
    await _load(link, rows, Wanted(), [], homes, claimed=True)
    return [home for home in homes if all(it["not_before"] <= rows.now for it in rows.waiting_events[home])]


async def _lock_ready(link: Any, now: float | None, limit: int) -> list[int]:
    """Among the oldest events; among all of them when these are put off or others have them."""
    homes, seen = await link.fetchrow(CLAIM, now, limit, claims.WINDOW * limit)
    if len(homes) < limit and seen == claims.WINDOW * limit:
        return await _locked(link, CLAIM_ANY, now, limit)
    return list(homes)


async def _locked(link: Any, sql: str, *values: Any) -> list[int]:
    return [record[0] for record in await link.fetch(sql, *values)]


def _chat(inbound: Inbound) -> tuple[str, str, str]:
    return inbound.channel, inbound.account, inbound.chat


def _own(rows: PostgresRows, record: Any) -> None:
    rows.states[record["id"]] = Loaded(record["version"], record["epoch"], record["client"], record["state"])


async def _lock_homes(link: Any, rows: PostgresRows, wanted: Wanted) -> None:
    """Who must have a conversation, joins and verdicts that change it, waits for it before anything else is locked."""
    moved = {it.row.conversation for it in wanted.settled if it.sent.migrate_to or it.sent.verdict == "unreachable"}
    homes = sorted(moved | wanted.homes)
    if homes:
        for record in await link.fetch(LOCK_HOMES, homes):
            _own(rows, record)


async def _lock_chats(link: Any, rows: PostgresRows, chats: Sequence[Inbound]) -> list[Inbound]:
    """Those that are not ours: unknown ones, and ones that another process works on."""
    keys = [[rows.wash(value) for value in column] for column in zip(*map(_chat, chats), strict=True)]
    for record in await link.fetch(LOCK_CHATS, *keys):
        rows.homes[_chat(chats[record["n"] - 1])] = record["id"]
        _own(rows, record)
    return [it for it in chats if _chat(it) not in rows.homes]


async def _load(
    link: Any,
    rows: PostgresRows,
    wanted: Wanted,
    missing: Sequence[Inbound],
    locked: Sequence[int],
    claimed: bool = False,
) -> None:
    clients = list({rows.states[home].client for home in locked})
    holds = sorted([*_settled(wanted.settled), *((home, 0) for home in locked)])
    turns = sum(map(len, rows.waiting_events.values())) if claimed else len(wanted.inbounds)
    found = await link.fetchrow(
        LOAD,
        *_columns(_events(wanted), 3, rows),
        *_columns([(*_chat(it), _sender(it)) for it in missing], 4, rows),
        [] if claimed else list(locked),
        clients,
        *_columns(holds, 2, rows),
        _event_count(wanted),
        rows.estimate(turns),
    )
    _keep(rows, found, _events(wanted), missing, [] if claimed else locked, clients, holds)


def _keep(
    rows: PostgresRows,
    found: Sequence[Any],
    events: Sequence[tuple[str, str, str]],
    missing: Sequence[Inbound],
    locked: Sequence[int],
    clients: Sequence[int],
    holds: Sequence[tuple[int, int]],
) -> None:
    """What was loaded, in the order in which it was asked for."""
    now, seen, homes, senders, pending, cards, held, *numbers = found
    rows.now = now if rows.own_clock is None else rows.own_clock()
    rows.seen_events |= zip(events, seen, strict=True)
    rows.meet(missing, homes, senders)
    rows.pending_flags |= zip(locked, pending, strict=True)
    rows.cards |= zip(clients, cards, strict=True)
    rows.hold(holds, held)
    for name, block in zip(("inbox", "outbox"), numbers, strict=True):
        rows.numbers.stock(name, block)


def _events(wanted: Wanted) -> list[tuple[str, str, str]]:
    """Keys of the inbox; an internal event has no channel."""
    outer = [(it.channel, it.account, it.external_id) for it in wanted.inbounds]
    return outer + [("", str(home), key) for home, key in wanted.keys]


def _event_count(wanted: Wanted) -> int:
    """How many events may come of it: a verdict that is final makes one."""
    return len(wanted.inbounds) + len(wanted.keys) + len(wanted.settled)


def _settled(settled: Sequence[Settled]) -> list[tuple[int, int]]:
    """Rows that get their verdict, in the order in which they are locked."""
    return sorted({(it.row.conversation, it.row.id) for it in settled})


def _sender(inbound: Inbound) -> str:
    return inbound.sender_id or inbound.chat


async def _number_first_contacts(link: Any, rows: PostgresRows, wanted: Wanted) -> None:
    """Ids for conversations and clients that will be new; a repeated delivery needs none."""
    new = [
        it
        for it in wanted.inbounds
        if rows.homes[_chat(it)] is None and rows.seen_events[it.channel, it.account, it.external_id] is None
    ]
    senders = {(it.channel, it.account, _sender(it)) for it in new}
    unknown = sum(rows.senders.get(sender) is None for sender in senders)
    if new:
        homes, clients = await link.fetchrow(FIRST_CONTACTS, len({_chat(it) for it in new}), unknown)
        rows.numbers.stock("conversation", homes)
        rows.numbers.stock("client", clients)


def _columns(keys: Sequence[tuple[Any, ...]], width: int, rows: PostgresRows) -> list[list[Any]]:
    return [[rows.wash(value) for value in column] for column in zip(*keys, strict=True)] or [[] for _ in range(width)]


def _marked(settled: Sequence[Settled]) -> list[OutboxRow]:
    """Rows of lanes that get their verdict now."""
    return [it.row for it in settled if it.row.kind in LANE]


async def _load_lanes(link: Any, rows: PostgresRows, marked: Sequence[OutboxRow]) -> None:
    if marked:
        homes = list({row.conversation for row in marked})
        _keep_lanes(rows, marked, await link.fetch(LANES, homes, [row.id for row in marked]))


def _keep_lanes(rows: PostgresRows, marked: Sequence[OutboxRow], found: Sequence[Any]) -> None:
    """What follows the rows that get their verdict now."""
    following: dict[int, list[int]] = {row.conversation: [] for row in marked}
    for record in found:
        rows.outbox[record["id"]] = as_row(record)
        following[record["conversation"]].append(record["id"])
    for home, ids in following.items():
        waiting = {row.id for row in marked if row.conversation == home and rows.row_states.get(row.id) == 0}
        rows.lanes[home] = Lane(sorted(waiting | set(ids)), more=len(ids) == LANE_AHEAD)
