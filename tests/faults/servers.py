"""PostgreSQL, PgBouncer and Redis of the runs: started when first asked for, gone at the end."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from storage.migrate import migrate_postgres
from tests.faults.proxy import Proxy
from tests.postgres import USER, Bouncer, Cluster
from tests.redis import RedisServer

TEMPLATE = "faults"


class PostgresDatabase:
    """A database of a cluster. The gateways reach it through `proxy`, the checker directly."""

    kind = "postgresql"

    def __init__(self, cluster: Cluster, name: str, port: int, proxy: Proxy) -> None:
        self.cluster, self.name, self.proxy = cluster, name, proxy
        self.url = f"postgresql://{USER}@127.0.0.1:{port}/{name}"

    async def ask(self, query: str) -> list[tuple[Any, ...]]:
        link = await asyncpg.connect(self.cluster.url(self.name))
        try:
            return [tuple(row) for row in await link.fetch(query)]
        finally:
            await link.close()

    async def now(self) -> float:
        return float((await self.ask("SELECT extract(epoch FROM clock_timestamp())::float8"))[0][0])


class Servers:
    """One cluster for all runs, a database for each."""

    def __init__(self) -> None:
        self._cluster: Cluster | None = None
        self._starting = asyncio.Lock()
        self._names = itertools.count(1)

    async def cluster(self) -> Cluster:
        async with self._starting:
            if self._cluster is None:
                self._cluster = Cluster()
                await asyncio.to_thread(prepare, self._cluster)
        return self._cluster

    @asynccontextmanager
    async def database(self, cluster: Cluster | None = None, pooled: bool = False) -> AsyncIterator[PostgresDatabase]:
        """A fresh database with tables, behind a proxy, and behind a PgBouncer when asked for."""
        cluster = cluster or await self.cluster()
        name = await asyncio.to_thread(cluster.create, TEMPLATE, f"run_{next(self._names)}")
        bouncer = Bouncer(cluster) if pooled else None
        if bouncer is not None:
            await asyncio.to_thread(bouncer.start)
        try:
            async with Proxy("127.0.0.1", bouncer.port if bouncer else cluster.port) as proxy:
                yield PostgresDatabase(cluster, name, proxy.port, proxy)
        finally:
            if bouncer is not None:
                bouncer.remove()
            await asyncio.to_thread(cluster.drop, name)

    def close(self) -> None:
        if self._cluster is not None:
            self._cluster.remove()


def prepare(cluster: Cluster) -> None:
    """Starts it, with a template that has the tables."""
    cluster.init()
    cluster.start()
    cluster.create(name=TEMPLATE)
    migrate_postgres(cluster.url(TEMPLATE))


@asynccontextmanager
async def redis(*more: str) -> AsyncIterator[RedisServer]:
    """A Redis that a scenario may treat as badly as it likes."""
    folder = Path(tempfile.mkdtemp(prefix="frontline-redis-"))
    server = RedisServer(folder, *more)
    try:
        await asyncio.to_thread(server.start)
        yield server
    finally:
        go_on(server)
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def go_on(server: RedisServer) -> None:
    """A hung server cannot be stopped."""
    process: subprocess.Popen[bytes] | None = server._process
    if process is not None and process.poll() is None:
        process.send_signal(signal.SIGCONT)
