"""Ten thousand open conversations with a million stored messages beside an empty store: does the path get slower?

One conversation is made by the product itself, through the webhook; its rows are then copied in SQL under other numbers.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.contenders import SECRET, Contender, build
from bench.load import PATIENCE, Client, Load, Platform
from bench.path import House, house, up
from bench.stats import Bar, median, percentile
from storage.codec import decode_conversation, encode
from storage.compiled import all_statements, statements
from storage.tables import clients, conversations, identities, inbox, messages, outbox, timers

CLIENTS = 16
FIRST = 500_000_000  # the chat whose conversation is copied; the copies follow
ALLOWED = 1.2  # times the p95 of an empty store
# What workers and senders ask again and again, by the names of `storage.queries`: none of it may read a whole table.
CLAIMS = ("READY_FIRST", "READY", "PENDING", "SEEN", "HEADS", "ASIDE", "DUE_TIMERS", "NEXT_DUE", "CONVERSATION_OF")


@dataclass(frozen=True)
class Size:
    """How much is stored: open conversations, and messages in each (half of them are the client's)."""

    conversations: int = 10_000
    messages: int = 100

    @property
    def total(self) -> int:
        return self.conversations * self.messages


# --- copying ---------------------------------------------------------------------------------------------------------


def copies(number: int, rows: dict[str, int]) -> Iterator[str]:
    """SQL that copies the only conversation and all of its rows until there are `number` of them.

    `rows` are the highest ids by table: a copy's ids are those of the original and a whole number of them more.
    """
    for table in (clients, conversations, identities, inbox, outbox, messages, timers):
        changed = {
            "id": f"t.id + n.k * {rows.get(table.name, 1)}",
            "conversation": "t.conversation + n.k",
            "client": "t.client + n.k",
            "chat": f"CAST({FIRST} + n.k AS TEXT)",
            "sender": f"CAST({FIRST} + n.k AS TEXT)",
            "external_id": "t.external_id || '-' || n.k",
            "target": f"CASE WHEN t.target > 0 THEN t.target + n.k * {rows.get('outbox', 1)} ELSE 0 END",
            "after": f"CASE WHEN t.after > 0 THEN t.after + n.k * {rows.get('outbox', 1)} ELSE 0 END",
        }
        if table is inbox:
            changed["account"] = "CASE WHEN t.channel = '' THEN CAST(t.conversation + n.k AS TEXT) ELSE t.account END"
        if table is timers:
            changed["key"] = "t.key"
        names = [column.name for column in table.columns]
        values = [changed.get(name, f"t.{name}") for name in names]
        yield (
            f"WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < {number - 1}) "
            f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table.name} t, n"
        )


def readdressed(state: bytes, k: int) -> bytes:
    """The state of the original as that of its copy number `k`."""
    conversation = decode_conversation.decode(state)
    conversation.id += k
    conversation.client += k
    conversation.chat = str(FIRST + k)
    return encode(conversation)


def fill_sqlite(path: Path, size: Size) -> None:
    """Copies within a file that nobody has open."""
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("BEGIN")
        rows = {name: db.execute(f"SELECT max(id) FROM {name}").fetchone()[0] for name in ("inbox", "outbox")}
        for statement in copies(size.conversations, rows):
            db.execute(statement)
        first, state = db.execute("SELECT id, state FROM conversations ORDER BY id LIMIT 1").fetchone()
        new = ((readdressed(state, k), first + k) for k in range(1, size.conversations))
        db.executemany("UPDATE conversations SET state = ? WHERE id = ?", new)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("ANALYZE")
    db.close()


async def fill_postgres(url: str, size: Size) -> None:
    """Copies within a database that nobody uses; its sequences go on behind them."""
    import asyncpg

    db = await asyncpg.connect(url)
    try:
        async with db.transaction():
            rows = {name: await db.fetchval(f"SELECT max(id) FROM {name}") for name in ("inbox", "outbox")}
            for statement in copies(size.conversations, rows):
                await db.execute(statement)
            first, state = await db.fetchrow("SELECT id, state FROM conversations ORDER BY id LIMIT 1")
            new = [(readdressed(state, k), first + k) for k in range(1, size.conversations)]
            await db.executemany("UPDATE conversations SET state = $1 WHERE id = $2", new)
            for (name,) in await db.fetch("SELECT quote_ident(sequencename) FROM pg_sequences"):
                await db.execute(f"SELECT setval('{name}', {1_000 * size.total})")
        await db.execute("VACUUM (ANALYZE)")
    finally:
        await db.close()


# --- plans -----------------------------------------------------------------------------------------------------------


def sqlite_plans(path: Path) -> dict[str, str]:
    """How SQLite answers each of the claims."""
    with sqlite3.connect(path) as db:
        found = {}
        for name in CLAIMS:
            made = statements("sqlite")[all_statements()[name]]
            values: Any = made.pick(_Anything())
            found[name] = "; ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {made.sql}", values))
    db.close()
    return found


MADE_OF_OTHERS = "PREPARE"  # calls a function of the session


async def postgres_plans(url: str) -> dict[str, str]:
    """How PostgreSQL answers the claims, those of the general statements and its own, by their scans."""
    import asyncpg

    from storage.postgres import questions, rows

    known = statements("postgresql")
    asked = {name: known[all_statements()[name]].sql for name in CLAIMS}
    own = {name: sql for name, sql in vars(questions).items() if not name.startswith("_") and is_question(sql)}
    del own[MADE_OF_OTHERS]
    asked |= {f"questions.{name}": sql for name, sql in own.items()}
    asked |= {"rows.LANE": rows.LANE, "rows.DUE": rows.DUE}
    db = await asyncpg.connect(url)
    try:
        return {name: scans(await db.fetch(f"EXPLAIN {with_literals(sql)}")) for name, sql in asked.items()}
    finally:
        await db.close()


def is_question(value: object) -> bool:
    """Not a part of other statements, nor settings of the session: those have no plan."""
    return isinstance(value, str) and value.lstrip().startswith(("SELECT ", "WITH "))


def with_literals(sql: str) -> str:
    """Every parameter replaced by something of its type: text in quotes becomes what its place asks for."""
    return re.sub(r"\$\d+", "'1'", re.sub(r"\$\d+(?=::\w+\[\])", "'{1}'", sql))


def scans(lines: Sequence[Sequence[str]]) -> str:
    """The scans of tables in a plan of PostgreSQL, each once."""
    found = [
        match[0].rstrip() for (line, *_) in lines if (match := re.search(r"(Index|Bitmap|Seq)[\w ]* Scan[\w ]*", line))
    ]
    return "; ".join(dict.fromkeys(found))


class _Anything(dict[str, Any]):
    """A value for every parameter."""

    def __missing__(self, name: str) -> int:
        return 1


def whole_tables(plans: dict[str, str]) -> list[str]:
    """Claims that read a table from one end to the other without an index."""
    return [f"{name}: {step}" for name, plan in plans.items() for step in plan.split("; ") if _whole(step)]


def _whole(step: str) -> bool:
    return step.startswith("Seq Scan") or (step.startswith("SCAN") and "INDEX" not in step and "anon" not in step)


# --- measuring -------------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A store under load, the groups of clients that talk to it, and what came of the rounds."""

    name: str
    bot: Contender
    groups: list[deque[Client]]
    rates: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def line(self) -> str:
        return f"- {self.name}: {median(self.rates):.0f} messages/s, p95 {median(self.p95):.1f} ms, unanswered {self.failed}"


async def run_volume(keys: Sequence[str], size: Size, seconds: float, rounds: int, console: Console) -> list[str]:
    """Lines of the report for the stores named by their contenders' keys."""
    lines = []
    for key in keys:
        async with house(key.startswith("postgres")) as made:
            lines += await compare(key, made, size, seconds, rounds, console)
    return lines


async def compare(key: str, made: House, size: Size, seconds: float, rounds: int, console: Console) -> list[str]:
    """One store: empty and full take turns, so that a noisy machine hurts both alike."""
    empty, full = await build(made.place, key, "empty"), await build(made.place, key, "full")
    await talk_once(full, made, size.messages // 2)
    began = time.perf_counter()
    plans = await fill(full, size)
    console.print(f"{full.name}: {size.total} messages stored in {time.perf_counter() - began:.0f} s")
    with empty.started(made.place.scratch), full.started(made.place.scratch):
        for bot in (empty, full):
            await up(bot, made)
        cases = make_cases(empty, full, size)
        for number in range(-1, rounds):  # the first one only warms up
            for case in cases:
                await one_round(case, number, seconds if number >= 0 else 2.0, console)
    return verdict(cases, size, plans)


async def fill(bot: Contender, size: Size) -> dict[str, str]:
    """Copies the only conversation; how the engine answers the claims then, when it can be asked from outside."""
    if bot.store.startswith("sqlite"):
        path = Path(bot.store.removeprefix("sqlite:///"))
        await asyncio.to_thread(fill_sqlite, path, size)
        return sqlite_plans(path)
    await fill_postgres(bot.store, size)
    return await postgres_plans(bot.store)


def make_cases(empty: Contender, full: Contender, size: Size) -> list[Case]:
    """New chats in the empty store; a few of the stored ones; all of the stored ones, one after another."""
    said = size.messages // 2
    stored = [Client(FIRST + k, said=said) for k in range(1, size.conversations)]
    few, rest = stored[:CLIENTS], stored[CLIENTS:]
    return [
        Case(f"{empty.name}, empty", empty, [deque([Client(FIRST + k)]) for k in range(CLIENTS)]),
        Case(f"{full.name}, {size.total:,} messages", full, [deque([client]) for client in few]),
        Case(f"{full.name}, {size.total:,} messages, every message to another conversation", full,
             [deque(rest[n::CLIENTS]) for n in range(CLIENTS)]),
    ]  # fmt: skip


async def one_round(case: Case, number: int, seconds: float, console: Console) -> None:
    measured = await Load(case.bot.ports, case.bot.path, SECRET).drive(case.groups, seconds)
    if number < 0:
        return
    case.rates.append(measured.rate)
    case.p95.append(1000 * percentile(measured.latencies, 0.95))
    case.failed += measured.failed
    console.print(f"{case.name}, round {number + 1}: {measured.rate:.0f} messages/s, p95 {case.p95[-1]:.1f} ms")


def verdict(cases: Sequence[Case], size: Size, plans: dict[str, str]) -> list[str]:
    """What was measured, and whether the bars hold."""
    empty, full, _ = cases
    slower = median(full.p95) / median(empty.p95)
    held = Bar(f"p95 with {size.total:,} messages ≤ {ALLOWED:g} × that of an empty store", f"{slower:.2f} ×",
               slower <= ALLOWED and not full.failed)  # fmt: skip
    lines = [*(case.line for case in cases), f"- {held.line}"]
    if plans:
        found = whole_tables(plans)
        lines.append(f"- {Bar('no claim reads a whole table', '; '.join(found), not found).line}")
        lines += [f"  - {name}: `{plan}`" for name, plan in plans.items()]
    return lines


async def talk_once(bot: Contender, made: House, messages: int) -> None:
    """The conversation to be copied: so many messages of the client, the last of them within a form."""
    with bot.started(made.place.scratch):
        await up(bot, made)
        load, client = Load(bot.ports, bot.path, SECRET), Client(FIRST)
        Platform.clients = {client.chat: client}
        (hook,) = await load.connect(1)
        for _ in range(messages):
            async with asyncio.timeout(PATIENCE):
                await hook.post(load.says(client))
                await client.answered.wait()
        hook.transport.close()
        await asyncio.sleep(1.0)  # the verdict on the last answer is written down
    bot.pids.clear()
