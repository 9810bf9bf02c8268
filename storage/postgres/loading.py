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
from core.outbox import Settled
from storage.postgres.asking import as_row
from storage.postgres.flushing import columns_of
from storage.postgres.held import Lane, Loaded
from storage.postgres.rows import LANE_AHEAD, PostgresRows
from storage.shape import LANE

_STATE = "c.id, c.version, c.epoch, c.client, c.state"
_OUTBOX = ", ".join(f'o."{name}"' for name in columns_of("outbox"))
_INBOX = ", ".join(f'i."{name}"' for name in columns_of("inbox"))

LOCK_CHATS = f"""
SELECT k.n, {_STATE} FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k(channel, account, chat, n),
LATERAL (SELECT * FROM conversations c WHERE c.channel = k.channel AND c.account = k.account AND c.chat = k.chat
FOR NO KEY UPDATE SKIP LOCKED) c"""
LOCK_HOMES = f"""
SELECT {_STATE} FROM unnest($1::bigint[]) AS k(id),
LATERAL (SELECT * FROM conversations c WHERE c.id = k.id FOR NO KEY UPDATE) c"""
# The oldest first. Which are ready is read from the index of what is pending; locked ones are another worker's.
CLAIM = """
SELECT c.id FROM (
  SELECT i.conversation, min(i.id) AS first FROM inbox i WHERE i.state = 0 GROUP BY i.conversation
  HAVING max(i.not_before) <= coalesce($1::float8, extract(epoch FROM clock_timestamp())::float8) ORDER BY first
) AS r, LATERAL (SELECT id FROM conversations WHERE id = r.conversation FOR NO KEY UPDATE SKIP LOCKED) c LIMIT $2"""
CLAIM_ONLY = "SELECT c.id FROM conversations c WHERE c.id = ANY($1::bigint[]) FOR NO KEY UPDATE SKIP LOCKED"
STATES = f"SELECT {_STATE} FROM conversations c WHERE c.id = ANY($1::bigint[])"
PENDING = f"""
SELECT {_INBOX} FROM unnest($1::bigint[]) AS k(conversation),
LATERAL (SELECT * FROM inbox i WHERE i.conversation = k.conversation AND i.state = 0 ORDER BY i.id LIMIT $2) i"""
LANES = f"""
SELECT {_OUTBOX} FROM unnest($1::bigint[]) AS k(conversation),
LATERAL (SELECT * FROM outbox o WHERE o.conversation = k.conversation AND o.state = 0 AND o.lane = 1
AND o.id <> ALL($2::bigint[]) ORDER BY o.id LIMIT {LANE_AHEAD}) o"""
# Numbers are taken here, after the locks: within a conversation they grow.
LOAD = """
SELECT extract(epoch FROM clock_timestamp())::float8,
ARRAY(SELECT (SELECT i.conversation FROM inbox i
  WHERE i.channel = k.channel AND i.account = k.account AND i.external_id = k.external_id)
  FROM unnest($1::text[], $2::text[], $3::text[]) AS k(channel, account, external_id)),
ARRAY(SELECT (SELECT c.id FROM conversations c WHERE c.channel = k.channel AND c.account = k.account AND c.chat = k.chat)
  FROM unnest($4::text[], $5::text[], $6::text[]) AS k(channel, account, chat)),
ARRAY(SELECT (SELECT i.client FROM identities i
  WHERE i.channel = k.channel AND i.account = k.account AND i.sender = k.sender)
  FROM unnest($4::text[], $5::text[], $7::text[]) AS k(channel, account, sender)),
ARRAY(SELECT EXISTS (SELECT 1 FROM inbox i WHERE i.conversation = k.id AND i.state = 0) FROM unnest($8::bigint[]) AS k(id)),
ARRAY(SELECT (SELECT c.card FROM clients c WHERE c.id = k.id) FROM unnest($9::bigint[]) AS k(id)),
ARRAY(SELECT CASE WHEN k.id > 0
  THEN (SELECT o.state FROM outbox o WHERE o.id = k.id FOR NO KEY UPDATE)
  ELSE (SELECT o.id FROM outbox o WHERE o.conversation = k.conversation AND o.state = 0 AND o.lane = 1
    ORDER BY o.id LIMIT 1 FOR NO KEY UPDATE) END
  FROM unnest($10::bigint[], $11::bigint[]) AS k(conversation, id)),
ARRAY(SELECT nextval('inbox_id_seq') FROM generate_series(1, $12::int)),
ARRAY(SELECT nextval('outbox_id_seq') FROM generate_series(1, $13::int))"""
FIRST_CONTACTS = """
SELECT ARRAY(SELECT nextval('conversations_id_seq') FROM generate_series(1, $1::int)),
ARRAY(SELECT nextval('clients_id_seq') FROM generate_series(1, $2::int))"""


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


async def prepare(link: Any, rows: PostgresRows, wanted: Wanted) -> None:
    """Lock and load for units that were asked for from outside."""
    chats = list({(it.channel, it.account, it.chat): it for it in wanted.inbounds}.values())
    await _lock_homes(link, rows, wanted)
    missing = await _lock_chats(link, rows, chats) if chats else []
    locked = [home for it in chats if (home := rows.homes.get(_chat(it))) is not None]
    await _load(link, rows, wanted, missing, locked)
    if missing:
        await _number_first_contacts(link, rows, wanted)
    await _load_lanes(link, rows, wanted.settled)


async def claim(
    link: Any, rows: PostgresRows, now: float | None, limit: int, ahead: int, only: Sequence[int] | None = None
) -> list[int]:
    """Lock up to `limit` conversations whose events may be processed now, and load what their turns need.

    With `only`, no others. One whose events another worker has put off meanwhile is left alone.
    """
    found = await (link.fetch(CLAIM, now, limit) if only is None else link.fetch(CLAIM_ONLY, only))
    homes = [record[0] for record in found]
    if not homes:
        return []
    for record in await link.fetch(STATES, homes):
        _own(rows, record)
    rows.waiting_events = {home: [] for home in homes}
    for record in await link.fetch(PENDING, homes, ahead):
        rows.waiting_events[record["conversation"]].append(as_row(record))
    await _load(link, rows, Wanted(), [], homes, claimed=True)
    return [home for home in homes if all(it["not_before"] <= rows.now for it in rows.waiting_events[home])]


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
    events = [(it.channel, it.account, it.external_id) for it in wanted.inbounds]
    events += [("", str(home), key) for home, key in wanted.keys]
    clients = list({rows.states[home].client for home in locked})
    holds = sorted({(it.row.conversation, it.row.id) for it in wanted.settled} | {(home, 0) for home in locked})
    turns = sum(map(len, rows.waiting_events.values())) if claimed else len(wanted.inbounds)
    found = await link.fetchrow(
        LOAD,
        *_columns(events, 3, rows),
        *_columns([(*_chat(it), it.sender_id or it.chat) for it in missing], 4, rows),
        [] if claimed else list(locked),
        clients,
        *_columns(holds, 2, rows),
        len(events) + len(wanted.settled),
        rows.estimate(turns),
    )
    now, seen, homes, senders, pending, cards, held, *numbers = found
    rows.now = now if rows.own_clock is None else rows.own_clock()
    rows.seen_events |= zip(events, seen, strict=True)
    rows.meet(missing, homes, senders)
    rows.pending_flags |= zip(locked, pending, strict=False)
    rows.cards |= zip(clients, cards, strict=True)
    rows.hold(holds, held)
    for name, block in zip(("inbox", "outbox"), numbers, strict=True):
        rows.numbers.stock(name, block)


async def _number_first_contacts(link: Any, rows: PostgresRows, wanted: Wanted) -> None:
    """Ids for conversations and clients that will be new; a repeated delivery needs none."""
    new = [
        it
        for it in wanted.inbounds
        if rows.homes[_chat(it)] is None and rows.seen_events[it.channel, it.account, it.external_id] is None
    ]
    senders = {(it.channel, it.account, it.sender_id or it.chat) for it in new}
    unknown = sum(rows.senders.get(sender) is None for sender in senders)
    if new:
        homes, clients = await link.fetchrow(FIRST_CONTACTS, len({_chat(it) for it in new}), unknown)
        rows.numbers.stock("conversation", homes)
        rows.numbers.stock("client", clients)


def _columns(keys: Sequence[tuple[Any, ...]], width: int, rows: PostgresRows) -> list[list[Any]]:
    return [[rows.wash(value) for value in column] for column in zip(*keys, strict=True)] or [[] for _ in range(width)]


async def _load_lanes(link: Any, rows: PostgresRows, settled: Sequence[Settled]) -> None:
    """What follows the rows that get their verdict now."""
    marked = [it.row for it in settled if it.row.kind in LANE]
    if not marked:
        return
    homes = list({row.conversation for row in marked})
    following: dict[int, list[int]] = {home: [] for home in homes}
    for record in await link.fetch(LANES, homes, [row.id for row in marked]):
        rows.outbox[record["id"]] = as_row(record)
        following[record["conversation"]].append(record["id"])
    for home, ids in following.items():
        waiting = {row.id for row in marked if row.conversation == home and rows.row_states.get(row.id) == 0}
        rows.lanes[home] = Lane(sorted(waiting | set(ids)), more=len(ids) == LANE_AHEAD)
