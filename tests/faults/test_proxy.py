"""The bad network is as bad as it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.proxy import Proxy


class Line:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, word: bytes = b"hello", seconds: float = 5.0) -> bytes:
        self.writer.write(word)
        async with asyncio.timeout(seconds):
            return await self.reader.read(1000)

    async def is_cut(self, word: bytes = b"hello") -> bool:
        """Whether the connection is gone: reset, or at its end."""
        try:
            return await self.ask(word) == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def dial(proxy: Proxy) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def parrot() -> AsyncIterator[Proxy]:
    """A proxy before a server that repeats what it hears."""

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1000):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(repeat, "127.0.0.1", 0)
    try:
        async with Proxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
            yield proxy
    finally:
        server.close()


async def test_it_lets_through() -> None:
    async with parrot() as proxy, dial(proxy) as line:
        assert await line.ask() == b"hello"


async def test_it_delays() -> None:
    async with parrot() as proxy, dial(proxy) as line:
        proxy.delay = 0.1
        began = time.monotonic()
        assert await line.ask() == b"hello"
        assert time.monotonic() - began >= 0.2, "there and back"


async def test_it_cuts_and_takes_new_connections() -> None:
    async with parrot() as proxy:
        async with dial(proxy) as line:
            assert await line.ask() == b"hello"
            proxy.cut()
            assert await line.is_cut()
        async with dial(proxy) as line:
            assert await line.ask() == b"hello"


async def test_it_swallows() -> None:
    async with parrot() as proxy, dial(proxy) as line:
        proxy.hole = True
        with pytest.raises(TimeoutError):
            await line.ask(seconds=0.2)


async def test_it_half_closes() -> None:
    async with parrot() as proxy, dial(proxy) as line:
        assert await line.ask() == b"hello"
        proxy.half_close()
        assert await line.ask() == b"", "the server is not heard any more, and nobody says so to it"


async def test_it_refuses() -> None:
    async with parrot() as proxy:
        proxy.refuses = True
        async with dial(proxy) as line:
            assert await line.is_cut()


async def test_it_cuts_at_a_word() -> None:
    async with parrot() as proxy, dial(proxy) as line:
        proxy.watch = lambda piece, out: out or b"COMMIT" not in piece
        assert await line.ask() == b"hello"
        assert await line.is_cut(b"COMMIT")
        assert proxy.cuts == 1
