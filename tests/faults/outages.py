"""F3, F6, F7, F11: what the gateways stand on goes away, fills up, hangs, and comes back."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.fleet import Fleet
from tests.faults.ground import Ground
from tests.faults.house import House, Outcome, percentile
from tests.faults.kills import start_mixed
from tests.faults.proxy import Proxy
from tests.faults.servers import PostgresDatabase, prepare, redis
from tests.postgres import Cluster
from tests.redis import RedisServer

BACK_SECONDS = 5.0  # the bar of F3: messages are taken again so soon after the database is there
SPACE_SECONDS = 10.0  # the bar of F7
HINT_SECONDS = 1.0  # the bar of F6: what losing Redis may cost


async def taken_again(house: House, seconds: float = 60.0) -> float:
    """Seconds until the next message is acknowledged; `seconds` when none is."""
    began, journal = time.monotonic(), house.clients.journal
    before = len(journal.acks)
    while len(journal.acks) == before and time.monotonic() - began < seconds:
        await asyncio.sleep(0.02)
    return time.monotonic() - began


def stood(house: House) -> str:
    """Processes that fell though nobody killed them, with the codes they ended with."""
    return ", ".join(f"{member.name} {member.codes}" for member in house.fleet.members if any(member.codes))


# --- F3: PostgreSQL --------------------------------------------------------------------------------------------------


async def restart_database(ground: Ground) -> Outcome:
    """F3: crash restarts, then a longer stop. Nobody falls, nobody answers 500, all is well soon after it is back."""
    outcome = ground.outcome("F3 PostgreSQL restarts")
    cluster = await ground.servers.cluster()
    async with ground.house() as house:
        start_mixed(house, ground.rate)
        await asyncio.sleep(2)
        backs = [await _down(house, cluster, 0.0) for _ in range(1 if ground.short else 10)]
        backs.append(await _down(house, cluster, 2.0 if ground.short else 60.0))
        # After a crash the sender marks again when the base is back. After a minute its leases are over: another may come
        # first, and send again the one message that was under way.
        await house.finish(outcome, doubts=0 if ground.short else 1)
        outcome.numbers["back after s"] = round(max(backs), 1)
        outcome.bar(max(backs) <= BACK_SECONDS, f"messages were taken again after {max(backs):.1f} s")
        outcome.bar(not stood(house), f"fell by themselves: {stood(house)}")
    return outcome


async def _down(house: House, cluster: Cluster, seconds: float) -> float:
    await asyncio.to_thread(cluster.stop, "immediate")
    await asyncio.sleep(seconds)
    await asyncio.to_thread(cluster.start)
    back = await taken_again(house)
    await asyncio.sleep(1.5)
    return back


# --- F6: Redis -------------------------------------------------------------------------------------------------------


async def lose_redis(ground: Ground) -> Outcome:
    """F6: killed, flushed, hung for 5 s, out of memory. Hints only: at most a second is lost."""
    outcome = ground.outcome("F6 Redis lost, flushed, hung, full")
    async with redis("--maxmemory", "10mb") as server, ground.house(environ={"FAULTS_REDIS": server.url}) as house:
        start_mixed(house, ground.rate)
        span = ground.length(20.0, 3.0)
        await asyncio.sleep(span)
        waits = house.clients.journal.waits
        usual, before = percentile(waits, 0.95), len(waits)
        for harm in (_flush, _hang, _fill, _kill):
            await harm(server)
            await asyncio.sleep(span / 2)
        await house.finish(outcome)
        late = percentile(waits[before:], 0.95)
        outcome.numbers |= {"p95 before s": round(usual, 2), "p95 without s": round(late, 2)}
        outcome.bar(late <= usual + HINT_SECONDS, f"p95 went from {usual:.2f} to {late:.2f} s")
        outcome.bar(not stood(house), f"fell by themselves: {stood(house)}")
    return outcome


async def _flush(server: RedisServer) -> None:
    async with server.client() as client:
        await client.flushall()


async def _hang(server: RedisServer) -> None:
    server.hang()
    await asyncio.sleep(5.0)
    server.go_on()


async def _fill(server: RedisServer) -> None:
    async with server.client() as client:
        await client.config_set("maxmemory", "100kb")  # less than it needs empty: every write is refused
        await asyncio.sleep(2.0)
        await client.config_set("maxmemory", "10mb")


async def _kill(server: RedisServer) -> None:
    server.kill()
    await asyncio.sleep(2.0)
    await asyncio.to_thread(server.start)


# --- F7: the disk ----------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own, open to a database's user. Raises RuntimeError where we may not mount one."""
    place = Path(tempfile.mkdtemp(prefix="frontline-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise RuntimeError("F7 mounts a small tmpfs: run it as root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


def fill(place: Path) -> Path:
    """Ballast until nothing goes in any more."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        piece = 1 << 20
        while piece:
            try:
                file.write(b"\0" * piece)
            except OSError:
                piece //= 2
    return ballast


async def fill_disk(ground: Ground) -> Outcome:
    """F7: no space under the store: 503, nothing acknowledged that is not stored, well again by itself."""
    outcome = ground.outcome("F7 disk full")
    folder = ground.new_folder()
    with small_disk(400 if ground.shared else 30) as disk:
        cluster = None
        if ground.shared:
            (disk / "pg").mkdir()
            cluster = Cluster(disk / "pg", max_wal_size="64MB", min_wal_size="32MB")
            await asyncio.to_thread(prepare, cluster)
        else:
            (folder / "var").symlink_to(disk)
        try:
            await _starve(ground, outcome, folder, disk, cluster)
        finally:
            if cluster is not None:
                cluster.remove()
    return outcome


async def _starve(ground: Ground, outcome: Outcome, folder: Path, disk: Path, cluster: Cluster | None) -> None:
    async with ground.house(folder=folder, cluster=cluster) as house:
        start_mixed(house, ground.rate)
        await asyncio.sleep(2)
        backs = []
        for _ in range(1 if ground.short else 3):
            ballast = await asyncio.to_thread(fill, disk)
            refused = house.clients.journal.statuses[503]
            async with asyncio.timeout(60):
                while house.clients.journal.statuses[503] < refused + 20:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(ground.length(10.0, 2.0))
            ballast.unlink()
            if cluster is not None and not (cluster.data / "postmaster.pid").exists():
                await asyncio.to_thread(cluster.start)  # it gave up without space for its log; somebody starts it again
            backs.append(await taken_again(house))
            await asyncio.sleep(2)
        await house.finish(outcome)
        outcome.numbers["back after s"] = round(max(backs), 1)
        outcome.bar(max(backs) <= SPACE_SECONDS, f"messages were taken again after {max(backs):.1f} s")
        outcome.bar(not stood(house), f"fell by themselves: {stood(house)}")
        if cluster is None:
            said = await house.database.ask("PRAGMA integrity_check")
            outcome.bar(said == [("ok",)], f"the file is broken: {said[:3]}")


# --- F11: the network ------------------------------------------------------------------------------------------------


async def cut_network(ground: Ground) -> Outcome:
    """F11: between one process and the database: cuts, black holes, half-open connections, commits nobody hears of."""
    outcome = ground.outcome("F11 network between process and database")
    async with ground.house(add=lambda fleet: None) as house:
        assert isinstance(house.database, PostgresDatabase)
        port = house.database.proxy.port
        async with Proxy("127.0.0.1", port) as front, Proxy("127.0.0.1", port) as back:
            _add_behind(house.fleet, front, back, house.database.name)
            await house.fleet.start()
            start_mixed(house, ground.rate)
            await asyncio.sleep(2)
            faults = 0
            for seconds in (1.5,) if ground.short else (1.0, 5.0, 20.0, ground.seconds or 60.0):
                for harm, proxy in itertools.product((_cut, _half, _hole, _delay, _deaf), (front, back)):
                    await harm(proxy, seconds)
                    faults += 1
                    await asyncio.sleep(0.5)
            # A sender that cannot mark what is out loses its lease, and the next one sends it again.
            await house.finish(outcome, doubts=faults // 2)
            outcome.numbers["faults"] = faults
            outcome.bar(not stood(house), f"fell by themselves: {stood(house)}")
    return outcome


def _add_behind(fleet: Fleet, front: Proxy, back: Proxy, name: str) -> None:
    for roles, proxy, where in (("intake,worker", front, "front"), ("sender,clock", back, "back")):
        url = f"postgresql://frontline@127.0.0.1:{proxy.port}/{name}"
        fleet.add(f"{where}1", "--roles", roles, FAULTS_STORE=url)
        fleet.add(f"{where}2", "--roles", roles)


async def _cut(proxy: Proxy, seconds: float) -> None:
    """Resets for a while."""
    proxy.refuses = True
    proxy.cut()
    await asyncio.sleep(seconds)
    proxy.refuses = False


async def _half(proxy: Proxy, seconds: float) -> None:
    proxy.half_close()
    await asyncio.sleep(min(seconds, 5.0))


async def _hole(proxy: Proxy, seconds: float) -> None:
    """Nothing comes through and nobody says so; afterwards connections that lost something are of no use."""
    proxy.hole = True
    await asyncio.sleep(seconds)
    proxy.hole = False
    proxy.cut()


async def _delay(proxy: Proxy, seconds: float) -> None:
    proxy.delay = 0.3
    await asyncio.sleep(min(seconds, 10.0))
    proxy.delay = 0.0


async def _deaf(proxy: Proxy, seconds: float) -> None:
    """Commits happen, and the answer is lost: every third, for a while."""
    seen = 0

    def watch(piece: bytes, out: bool) -> bool:
        nonlocal seen
        if out or b"COMMIT\x00" not in piece:
            return True
        seen += 1
        return seen % 3 != 0

    proxy.watch = watch
    await asyncio.sleep(min(seconds, 10.0))
    proxy.watch = None
