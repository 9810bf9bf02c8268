"""A real Redis server on a free port, in a temporary folder: `from tests.redis import redis_server`."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.ports import free_port


class RedisServer:
    """One server, which tests may kill, stop, hang and fill. `more` are further words of its command line."""

    def __init__(self, folder: Path, *more: str, port: int | None = None) -> None:
        self.folder, self.more = folder, more
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers. Raises RuntimeError when it does not."""
        program = shutil.which("redis-server")
        assert program, "these tests need redis-server: sh tests/services.sh redis"
        # Hints need no disk: nothing is saved, so that a restarted server is empty.
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *self.more]
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen([program, *words], cwd=self.folder, stdout=log, stderr=log)
        if not self._answers():
            raise RuntimeError((self.folder / "redis.log").read_text(errors="replace")[-2000:])

    def _answers(self) -> bool:
        """Whether the port is open within 10 s; the server may be slow to start on a busy machine."""
        assert self._process is not None
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
                return False
        return False

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """`kill -9`; returns when it is gone."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def hang(self) -> None:
        """SIGSTOP: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Redis]:
        """A connection of the test's own."""
        async with Redis.from_url(self.url, decode_responses=True) as client:
            yield client

    @asynccontextmanager
    async def monitored(self) -> AsyncIterator[list[str]]:
        """Everything that anybody sends to the server from now on, as the server writes it down."""
        lines: list[str] = []
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        writer.write(b"MONITOR\r\n")
        assert (await reader.readline()).startswith(b"+OK")

        async def read() -> None:
            while line := await reader.readline():
                lines.append(line.decode("utf-8", "backslashreplace"))

        task = asyncio.create_task(read())
        try:
            yield lines
        finally:
            task.cancel()
            writer.close()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running server, empty."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
