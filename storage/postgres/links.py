"""Connections: a bounded set that opens them when needed, notices when they are dead, and says when there are none."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from asyncpg import exceptions as errors

from core.ports import StorageFull
from storage.postgres.address import Address

CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 10.0  # a statement that takes longer has no server any more: a half-open connection says nothing
IDLE_SECONDS = 8  # a transaction whose process stands still gives its locks back
REST_SECONDS = 0.5  # that a transaction which has not asked anything may wait for the next group
SILENCE_MS = 10_000  # sent bytes that nobody acknowledges for so long end a connection

# Settings of the session, where it is ours alone. JIT compiles for longer than any statement of ours runs.
_SESSION = {
    "application_name": "frontline",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    "tcp_user_timeout": str(SILENCE_MS),
}

# SQLSTATE classes that say: the database cannot take it now. https://www.postgresql.org/docs/current/errcodes-appendix.html
_AWAY_CLASSES = frozenset({"08", "28", "3D", "53", "57", "58"})
_AWAY_STATES = frozenset({"25006", "25P03", "55000", "XX000"})
# … and: try it again.
_AGAIN_STATES = frozenset({"40001", "40P01", "23505", "55P03", "0A000", "26000"})


# What the driver raises by itself when a connection ends.
DRIVER = (asyncpg.InterfaceError, asyncpg.InternalClientError)


def sqlstate(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", "") or "")


def is_away(error: BaseException) -> bool:
    """Whether the database is gone, full or refuses to write; a mistake of one unit is something else."""
    state = sqlstate(error)
    if state:
        return state[:2] in _AWAY_CLASSES or state in _AWAY_STATES
    return isinstance(error, OSError | TimeoutError | EOFError) or _is_of_driver(error)


def is_lost(error: BaseException) -> bool:
    """Whether only this connection ended, and another may be had at once."""
    state = sqlstate(error)
    return (
        state in {"08003", "08006", "57P01", "57P02", "25P03"}
        or isinstance(error, ConnectionError)
        or _is_of_driver(error)
    )


def _is_of_driver(error: BaseException) -> bool:
    """The driver found its connection ended in the middle of something; a ValueError is about a value of ours."""
    return isinstance(error, DRIVER) and not isinstance(error, ValueError)


def is_passing(error: BaseException) -> bool:
    """Whether the same unit may succeed when it is tried again: a deadlock, a key that somebody else just wrote."""
    return sqlstate(error) in _AGAIN_STATES


class Links:
    """At most `size` connections. Everything that cannot be had raises `StorageFull`.

    `made` makes the functions of a session of ours; `prepared` says whether there are any.
    """

    def __init__(self, address: Address, size: int, made: str = "") -> None:
        self._address, self._made = address, made
        self._idle: list[Any] = []
        self._resting: asyncio.Task[None] | None = None
        self._free = asyncio.Semaphore(size)
        self._closed = False
        self.pooled = address.pgbouncer == "yes"
        self.prepared = False

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Any]:
        """A connection. It is used again unless what was done with it ended in doubt.

        Whoever has it may leave a transaction begun in which nothing was asked: the next one need not begin it.
        """
        async with self._place():
            link = await self._take()
            try:
                yield link
            except (errors.PostgresError, ValueError):
                self._give(link, clean=not link.is_in_transaction())
                raise
            except BaseException:
                link.terminate()
                raise
            self._give(link, clean=True)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if not self._free.locked():
            await self._free.acquire()  # at once; a wait with a bound would be a task of its own
        else:
            await self._wait()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                await self._free.acquire()
        except TimeoutError as error:
            raise StorageFull("no connection to the database became free") from error

    async def _take(self) -> Any:
        while self._idle:
            link = self._idle.pop()
            if not link.is_closed():
                return link
        try:
            return await self.connect()
        except (errors.PostgresError, OSError, TimeoutError, *DRIVER) as error:
            raise StorageFull(f"the database does not answer: {type(error).__name__}: {error}") from error

    def _give(self, link: Any, clean: bool) -> None:
        if self._closed or link.is_closed() or not clean:
            link.terminate()
            return
        self._idle.append(link)
        if link.is_in_transaction() and self._resting is None:
            self._resting = asyncio.get_running_loop().create_task(self._end_begun())

    async def _end_begun(self) -> None:
        """Transactions that were begun in advance and that nobody needs are ended: among the server's sessions they would
        look like forgotten ones."""
        try:
            await asyncio.sleep(REST_SECONDS)
            for link in [it for it in self._idle if it.is_in_transaction()]:
                async with self._place():
                    await self._end(link)
        except StorageFull:
            pass  # all are busy, so none is forgotten
        finally:
            self._resting = None

    async def _end(self, link: Any) -> None:
        if link not in self._idle or not link.is_in_transaction():
            return
        self._idle.remove(link)
        try:
            await link.execute("COMMIT")
        except (errors.PostgresError, OSError, TimeoutError, *DRIVER):
            link.terminate()
        except BaseException:
            link.terminate()
            raise
        else:
            self._give(link, clean=True)

    async def connect(self) -> Any:
        """A new connection, with what the way to the server allows."""
        pooled = self.pooled
        link = await asyncpg.connect(
            self._address.dsn,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            # Behind a pool the next statement may run in another session, which knows no statement of ours.
            statement_cache_size=0 if pooled else 256,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            server_settings=None if pooled else _SESSION,
        )
        _watch(link)
        if self._made and not pooled:
            await self._prepare(link)
        return link

    async def _prepare(self, link: Any) -> None:
        """A role that may make nothing temporary goes without: its questions are asked one by one."""
        try:
            await link.execute(self._made)
        except errors.InsufficientPrivilegeError:
            self._made = ""
        except BaseException:
            link.terminate()
            raise
        else:
            self.prepared = True

    async def close(self) -> None:
        self._closed = True
        if self._resting is not None:
            self._resting.cancel()
            await asyncio.gather(self._resting, return_exceptions=True)
        idle, self._idle = self._idle, []
        for link in idle:
            await leave(link)


async def leave(link: Any) -> None:
    """Say goodbye to the server. One that is too slow to hear it is left without: that is no failure of what was asked."""
    with suppress(Exception):
        await link.close(timeout=1.0)


def _watch(link: Any) -> None:
    """Let the kernel find out that the other side is gone."""
    transport = getattr(link, "_transport", None)
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None or sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", 5),
        ("TCP_KEEPINTVL", 2),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", SILENCE_MS),
    ):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def is_pooled(address: Address) -> bool:
    """Whether a pool stands between: the process that answers is not the one the connection was greeted by."""
    if address.pgbouncer != "auto":
        return address.pgbouncer == "yes"
    link = await asyncpg.connect(
        address.dsn, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS, statement_cache_size=0
    )
    try:
        return bool(await link.fetchval("SELECT pg_backend_pid()") != link.get_server_pid())
    finally:
        await leave(link)
