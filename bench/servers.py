"""The databases of a run: Redis without files, PostgreSQL with its durable defaults, both on the core of the load."""

from __future__ import annotations

import asyncio
import getpass
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.load import wait_port
from bench.machine import LOAD, free_port, running

# Room to breathe; durability as it comes: fsync and synchronous_commit are on.
SETTINGS = (
    "--listen_addresses=127.0.0.1",
    "--max_connections=100",
    "--shared_buffers=256MB",
    "--max_wal_size=2GB",
)
POSTGRES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin")


@asynccontextmanager
async def redis_server(scratch: Path) -> AsyncIterator[tuple[str, int]]:
    """URL and process id."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(scratch)]
    with running(command, {}, scratch / "redis.log", LOAD) as process:
        await wait_port(port)
        yield f"redis://127.0.0.1:{port}", process.pid


def postgres_program(name: str) -> str | None:
    """Where a program of PostgreSQL is: on the PATH, or where packages put it."""
    places = [str(path) for pattern in POSTGRES for path in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)]
    return shutil.which(name) or shutil.which(name, path=":".join(places))


def prepare_postgres(scratch: Path, user: str | None) -> list[str]:
    """Makes a cluster; the command of its server. Raises FileNotFoundError where PostgreSQL is not installed."""
    initdb, server = postgres_program("initdb"), postgres_program("postgres")
    if initdb is None or server is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    folder = scratch / "postgres"
    folder.mkdir()
    if user:
        scratch.chmod(0o755)
        shutil.chown(folder, user)
    made = [initdb, "-D", str(folder / "data"), "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale"]
    subprocess.run(made, check=True, capture_output=True, user=user, cwd=folder)
    return [server, "-D", str(folder / "data"), f"--unix_socket_directories={folder}", *SETTINGS]


@asynccontextmanager
async def postgres_server(scratch: Path) -> AsyncIterator[tuple[str, int]]:
    """URL of the server without a database, and process id. The server refuses to run as root, so it has its own user."""
    user = "postgres" if getpass.getuser() == "root" else None
    command = await asyncio.to_thread(prepare_postgres, scratch, user)
    port = free_port()
    with running([*command, f"--port={port}"], {}, scratch / "postgres.log", LOAD, user) as process:
        url = f"postgresql://bench@127.0.0.1:{port}"
        await wait_port(port)
        await _wait_ready(url)
        yield url, process.pid


async def _wait_ready(url: str) -> None:
    """It listens before it serves. Raises TimeoutError when it does not serve within a minute."""
    import asyncpg

    async with asyncio.timeout(60):
        while True:
            try:
                connection = await asyncpg.connect(f"{url}/postgres")
            except asyncpg.CannotConnectNowError:
                await asyncio.sleep(0.1)
            else:
                await connection.close()
                return


async def make_database(server: str, name: str) -> str:
    """A fresh database; its URL."""
    import asyncpg

    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return f"{server}/{name}"
