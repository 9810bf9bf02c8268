"""F8, F12, F17, F18: processes with a wrong clock, frozen ones, stopped ones, and copies of the database."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

from storage.migrate import HEAD
from storage.rows import SENT, WAITING
from tests.faults.checker import Bounds, accepted_once, gapless, in_order, settled
from tests.faults.fleet import HERE, ROOT, Fleet, Member
from tests.faults.ground import Ground
from tests.faults.history import read_history
from tests.faults.house import Database, House, Outcome, SQLiteDatabase
from tests.faults.kills import start_mixed
from tests.faults.outages import stood
from tests.faults.platform import Platform, Trouble
from tests.faults.servers import PostgresDatabase
from tests.ports import free_port
from tests.postgres import Cluster, programs

STOP_SECONDS = 10.0  # the bar of F17
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
CURSOR = "SELECT value FROM cursors WHERE channel = 'telegram'"
LEADER = "SELECT owner FROM leases WHERE name = 'poll:telegram'"
# What a migration of a later version may do while processes of this one work: nothing they use is taken away.
EXPANSION = (
    *(
        f"ALTER TABLE {table} ADD COLUMN later text NOT NULL DEFAULT ''"
        for table in (
            "conversations",
            "inbox",
            "outbox",
            "messages",
            "tickets",
            "timers",
            "clients",
            "leases",
            "bundles",
        )
    ),
    "CREATE INDEX CONCURRENTLY ix_outbox_later ON outbox (later)",
    f"INSERT INTO meta (name, value) VALUES ('oldest', '{HEAD}') ON CONFLICT (name) DO UPDATE SET value = '{HEAD}'",
    "UPDATE alembic_version SET version_num = '9999'",
)


# --- F8: the clock ---------------------------------------------------------------------------------------------------


async def jump_clock(ground: Ground) -> Outcome:
    """F8: the clock of processes jumps by an hour, by a day, there and back. The database's clock is not theirs."""
    outcome = ground.outcome("F8 clock jumps")
    folder = ground.new_folder()
    dial = folder / "faketime"
    dial.write_text("+0\n", "utf-8")
    async with ground.house(folder=folder, add=lambda fleet: _add_dreamers(fleet, dial)) as house:
        clients = house.clients
        clients.start(16, [clients.quiet, clients.request], rest=16 * 3 / ground.rate)
        await asyncio.sleep(2)
        for jump in ("+1h", "-1h", "+1d") if ground.short else ("+1h", "-1h", "+1d", "-1d", "+0"):
            dial.write_text(f"{jump}\n", "utf-8")
            await asyncio.sleep(ground.length(15.0, 4.0))
            away = await _clock_of(house, house.fleet.members[0]) - time.time()
            outcome.bar((abs(away) > 3000) == (jump != "+0"), f"the clock is {away:.0f} s away at {jump}")
        dial.write_text("+0\n", "utf-8")
        await asyncio.sleep(2)
        await house.finish(outcome)
        outcome.bar(not stood(house), f"fell by themselves: {stood(house)}")
    return outcome


async def _clock_of(house: House, member: Member) -> float:
    """What a process takes for now, in seconds since the epoch."""
    async with house.http.get(f"{member.url}/healthz") as answer:
        return parsedate_to_datetime(answer.headers["Date"]).timestamp()


def _add_dreamers(fleet: Fleet, dial: Path) -> None:
    """Two processes of each kind; one of each lives in its own time."""
    own_time = {
        "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(dial), "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    for n in (1, 2):
        for name, roles in (("front", "intake,worker"), ("back", "sender,clock,console")):
            member = fleet.add(f"{name}{n}", "--roles", roles, **(own_time if n == 1 else {}))
            member.afresh = n == 1


# --- F12: a zombie ---------------------------------------------------------------------------------------------------


async def freeze_poller(ground: Ground) -> Outcome:
    """F12: the poller is frozen until another has taken over, and wakes up as if nothing had been."""
    outcome = ground.outcome("F12 frozen poller")
    async with ground.house(environ={"FAULTS_MODE": "polling"}) as house:
        clients = house.clients
        clients.polled = True
        clients.patience = 240.0  # it may be frozen again before it has caught up
        clients.start(16, [clients.request, clients.quiet, clients.echo], rest=16 * 3 / ground.rate)
        watching = asyncio.create_task(_watch_cursor(house))
        seconds = 16.0 if ground.shared else 4.0
        for _ in range(1 if ground.short else 3):
            await asyncio.sleep(2)
            await _freeze(house, await _leader(house), seconds if ground.short else 30.0)
        await asyncio.sleep(2)
        await house.finish(outcome, doubts=3)
        watching.cancel()
        backwards = (await asyncio.gather(watching, return_exceptions=True))[0]
        outcome.bar(isinstance(backwards, asyncio.CancelledError), f"the offset went back: {backwards}")
        outcome.numbers["409"] = house.platform.conflicts
        outcome.bar(not stood(house), f"fell by themselves: {stood(house)}")
    return outcome


async def _leader(house: House) -> Member:
    """The process that holds the lease of the poller; the only one on SQLite."""
    if house.database.kind == "sqlite":
        return house.fleet.members[0]
    async with asyncio.timeout(30):
        while True:
            for (owner,) in await house.database.ask(LEADER):
                pid = owner.split(":")[1] if owner else ""
                for member in house.fleet.members:
                    if pid == str(member.pid):
                        return member
            await asyncio.sleep(0.1)


async def _freeze(house: House, member: Member, seconds: float) -> None:
    member.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    if house.database.kind != "sqlite":
        assert await _leader(house) is not member, "nobody took over"
    member.signal(signal.SIGCONT)


async def _watch_cursor(house: House) -> str:
    """Runs for ever unless the stored offset goes back; then it says how."""
    last = 0
    while True:
        found = await house.database.ask(CURSOR)
        offset = int(found[0][0].partition("@")[0]) if found else 0
        if offset < last:
            return f"from {last} to {offset}"
        last = offset
        await asyncio.sleep(0.1)


# --- F16: a rolling upgrade ------------------------------------------------------------------------------------------


async def upgrade_in_turn(ground: Ground) -> Outcome:
    """F16: the tables grow under processes of the version before, which are then replaced one by one."""
    outcome = ground.outcome("F16 rolling upgrade, tables expanded first")
    async with ground.house() as house:
        assert isinstance(house.database, PostgresDatabase)
        start_mixed(house, ground.rate)
        await asyncio.sleep(ground.length(10.0, 3.0))
        for statement in EXPANSION:
            await asyncio.to_thread(house.database.cluster.sql, statement, house.database.name)
            await asyncio.sleep(0.5)
        await asyncio.sleep(ground.length(10.0, 2.0))
        for member in house.fleet.members:
            code = await member.stop()
            outcome.bar(code == 0, f"{member.name} ended with {code}")
            member.codes.clear()
            member.kept = True
            member.start()
            await member.ready()
            await asyncio.sleep(ground.length(5.0, 1.0))
        await house.finish(outcome)
        outcome.bar(not stood(house), f"fell by themselves: {stood(house)}")
        faults = [member.name for member in house.fleet.members if "cached" in member.said()]
        outcome.bar(not faults, f"statements of before the change failed in {faults}")
    return outcome


# --- F17: SIGTERM ----------------------------------------------------------------------------------------------------


async def stop_under_load(ground: Ground) -> Outcome:
    """F17: a deployment under load: each process ends in time and well, and nothing is lost or said twice."""
    outcome = ground.outcome("F17 SIGTERM under load")
    async with ground.house() as house:
        start_mixed(house, ground.rate)
        slowest = 0.0
        for _ in range(1 if ground.short else 5):
            for member in house.fleet.members:
                await asyncio.sleep(ground.length(3.0, 1.5))
                began = time.monotonic()
                code = await member.stop(STOP_SECONDS + 10)
                slowest = max(slowest, time.monotonic() - began)
                outcome.bar(code == 0, f"{member.name} ended with {code}")
                member.codes.clear()
                member.kept = True
                member.start()
                await member.ready()
        await house.finish(outcome)
        outcome.numbers["slowest stop s"] = round(slowest, 1)
        outcome.bar(slowest <= STOP_SECONDS, f"a stop took {slowest:.1f} s")
    return outcome


# --- F18: backup and restore -----------------------------------------------------------------------------------------


async def restore_copy(ground: Ground) -> Outcome:
    """F18: a copy made under load holds all that was acknowledged before it, and does not say again what waited."""
    outcome = ground.outcome("F18 backup and restore under load")
    async with ground.house() as house:
        # Some rows must wait in the copy: a chat whose platform is slow to take them.
        house.clients.start(24, rest=24 * 3 / ground.rate)
        await asyncio.sleep(ground.length(10.0, 3.0))
        house.platform.trouble = lambda chat: Trouble("slow", 0.5)
        await asyncio.sleep(1)
        began = time.monotonic()
        copy = await _copy(ground, house)
        took = time.monotonic() - began
        house.platform.trouble = lambda chat: None
        await house.finish(outcome)
        async with Platform() as second:
            rows = dict(await copy.ask("SELECT id, state FROM outbox WHERE lane = 1"))
            await _restore(house, copy)
            await _wake_up(ground, house, copy, second)
            await _check_copy(house, outcome, copy, second, began, rows)
    waiting = sum(state == 0 for state in rows.values())
    outcome.numbers |= {"copy took s": round(took, 1), "waiting rows in the copy": waiting}
    outcome.bar(waiting > 0, "no row waited in the copy")
    return outcome


def _command(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "--config", str(HERE / "config.yaml"), *words]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False)


async def _copy(ground: Ground, house: House) -> Database:
    """By the means that the operations guide names."""
    folder = ground.new_folder()
    if isinstance(house.database, SQLiteDatabase):
        copy = SQLiteDatabase(folder / "var" / "frontline.db")
        environ = house.fleet.environ | {"FAULTS_PORT": "0"}
        done = await asyncio.to_thread(_command, environ, "backup", str(copy.path))
        assert done.returncode == 0, done.stdout + done.stderr
        return copy
    assert isinstance(house.database, PostgresDatabase)
    name = f"{house.database.name}_copy"
    await asyncio.to_thread(_dump, house.database.cluster, house.database.name, name, folder / "dump")
    return PostgresDatabase(house.database.cluster, name, house.database.cluster.port, house.database.proxy)


def _dump(cluster: Cluster, name: str, copy: str, file: Path) -> None:
    dump = [str(programs() / "pg_dump"), "-Fc", "-f", str(file), "-d", cluster.url(name)]
    subprocess.run(dump, check=True, capture_output=True)
    cluster.create("template0", copy)
    restore = [str(programs() / "pg_restore"), "--no-owner", "-d", cluster.url(copy), str(file)]
    subprocess.run(restore, check=True, capture_output=True)


async def _restore(house: House, copy: Database) -> None:
    """Makes the copy an installation. The last signs of life in a copy fade within 30 s."""
    environ = house.fleet.environ | {"FAULTS_PORT": "0", "FAULTS_STORE": copy.url}
    until = time.monotonic() + 45
    while True:
        done = await asyncio.to_thread(_command, environ, "restore")
        if done.returncode == 0:
            return
        assert time.monotonic() < until, done.stdout + done.stderr
        await asyncio.sleep(2)


async def _wake_up(ground: Ground, house: House, copy: Database, second: Platform) -> None:
    """A gateway on the copy, before another platform, until nothing waits any more."""
    environ = house.fleet.environ | {"FAULTS_STORE": copy.url, "FAULTS_API": second.url}
    port = free_port()
    member = Member(
        ground.zygote, "restored", house.fleet.folder, environ | {"FAULTS_PORT": str(port)}, [], port, kept=False
    )
    member.start()
    try:
        await member.ready()
        async with asyncio.timeout(40):
            while any((await copy.ask("SELECT count(*) FROM outbox WHERE state = 0"))[0]):
                await asyncio.sleep(0.2)
        await asyncio.sleep(2)
    finally:
        await member.stop()


async def _check_copy(
    house: House, outcome: Outcome, copy: Database, second: Platform, began: float, rows: dict[int, int]
) -> None:
    """I1-I4 of the copy, and that only what came of its own turns was sent. `rows` are those it was born with."""
    history = await read_history(copy.ask, house.clients.journal, [second], await copy.now())
    before = 0
    for update in history.journal.updates.values():
        update.acked = update.acked if update.acked < began else 0.0
        before += update.acked > 0
    outcome.violations += [*accepted_once(history, Bounds()), *gapless(history), *in_order(history), *settled(history)]
    again = [row.id for row in history.rows if row.state == SENT and rows.get(row.id) == WAITING]
    outcome.bar(not again, f"the copy sent {len(again)} rows of the original: {again[:5]}")
    told = sum(map(len, second.told.values()))
    fresh = sum(row.lane and row.state == SENT and row.id not in rows for row in history.rows)
    outcome.bar(told <= fresh, f"the copy told {told} messages, {fresh} are its own")
    outcome.bar(before > 0, "nothing was acknowledged before the copy was made")
    outcome.numbers |= {"told by the copy": told, "acknowledged before it": before}
