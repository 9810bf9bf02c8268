"""A TCP proxy that is a bad network: delays, cuts, black holes, half-closed connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self

PIECE = 1 << 16


class Proxy:
    """Stands before `host:port`. `delay` (seconds) holds up every piece; `hole` swallows what is sent, both ways.

    `watch` is asked about every piece from the client (with True) and from the server (with False) before it goes on;
    who answers False has the connection cut there and then, the piece undelivered.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.delay = 0.0
        self.hole = False
        self.refuses = False
        self.watch: Callable[[bytes, bool], bool] | None = None
        self.port = 0
        self.cuts = 0
        self._writers: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        while self._writers:
            self.cut()
            await asyncio.wait(set(self._writers), timeout=0.1)

    def cut(self) -> None:
        """Every connection is reset now; new ones are taken."""
        for writers in self._writers.values():
            self._abort(writers)

    def half_close(self) -> None:
        """The server's side of every connection says goodbye to nobody: the client reads the end, its writes are lost."""
        for writers in self._writers.values():
            with suppress(OSError, RuntimeError):
                writers[0].write_eof()

    def _abort(self, writers: list[asyncio.StreamWriter]) -> None:
        self.cuts += 1
        for writer in writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writers = self._writers[task] = [writer]
        try:
            if self.refuses:
                writer.transport.abort()
                return
            far_reader, far_writer = await asyncio.open_connection(*self.target)
            writers.append(far_writer)
            await asyncio.gather(
                self._pipe(reader, far_writer, writers, True), self._pipe(far_reader, writer, writers, False)
            )
        except OSError:
            pass
        finally:
            for one in writers:
                one.transport.abort()
            del self._writers[task]

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, writers: list[asyncio.StreamWriter], out: bool
    ) -> None:
        while piece := await reader.read(PIECE):
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.watch is not None and not self.watch(piece, out):
                self._abort(writers)
                return
            if self.hole:
                continue
            with suppress(RuntimeError):  # half-closed: nothing goes this way any more
                writer.write(piece)
                await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()
