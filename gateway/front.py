"""The front of the HTTP server: webhooks that need but headers and a whole body are answered here, all else is aiohttp's.

A general server makes a request, a stream, a response and a writer for each message, a seventh of all that a message costs
(docs/decisions/0030). Only the plainest request is answered here: POST, HTTP/1.1, a length, a path of a door. Whatever is
otherwise, from its first byte on, goes to aiohttp with its connection, which never comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from typing import Any

import httptools
from aiohttp import web

from adapters.doors import Door, Reply
from core.ports import Busy, StorageFull
from gateway.logs import logger

log = logger()
HEAD_BYTES = 16 * 1024
ARRIVE_SECONDS = 30.0  # that a request may take to arrive
KEEP_SECONDS = 75.0  # that a connection may wait for the next one; nginx and aiohttp have the same
SWEEP_SECONDS = 5.0
GRACE_SECONDS = 2.0  # that requests under way have when we stop
BACKLOG = 1024
STRANGE = frozenset({"transfer-encoding", "expect", "upgrade", "content-encoding"})
LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode()) for status in HTTPStatus}


class Headers(dict[str, str]):
    """Values by name; the names are asked for in any letters."""

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        return super().get(name.lower(), default)


class Head:
    """The head of a request, as the parser tells it. `plain`: nothing in it needs more than we do here."""

    __slots__ = ("headers", "path", "plain")

    def __init__(self) -> None:
        self.headers, self.path, self.plain = Headers(), b"", True

    def on_url(self, url: bytes) -> None:
        self.path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        known = name.decode("latin-1").lower()
        self.plain = self.plain and known not in STRANGE and known not in self.headers
        self.headers[known] = value.decode("latin-1")


class Request:
    """A plain request: whose door, its headers, the bytes of its head and body, whether its connection lives on."""

    __slots__ = ("door", "headers", "keep", "size", "start")

    def __init__(self, door: Door, headers: Headers, start: int, size: int, keep: bool) -> None:
        self.door, self.headers, self.start, self.size, self.keep = door, headers, start, size, keep


def read_head(raw: bytes, doors: Mapping[bytes, Door]) -> Request | None:
    """A request by its head; None for one that is not ours to answer."""
    head = Head()
    parser = httptools.HttpRequestParser(head)
    try:
        parser.feed_data(raw)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    door, length = doors.get(head.path), head.headers.get("content-length")
    if door is None or not head.plain or not length.isascii() or not length.isdigit():
        return None
    if parser.get_method() != b"POST" or parser.get_http_version() != "1.1" or int(length) > door.most:
        return None
    return Request(door, head.headers, len(raw), int(length), parser.should_keep_alive())


class Guest(asyncio.Protocol):
    """One connection; one request at a time."""

    __slots__ = ("_asked", "_buffer", "_house", "_transport", "busy", "since")

    def __init__(self, house: Front) -> None:
        self._house, self._buffer = house, b""
        self._asked: Request | None = None
        self._transport: Any = None
        self.busy = False
        self.since = 0.0  # loop time of the last change

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._house.guests.add(self)
        self.since = self._house.time()

    def connection_lost(self, error: Exception | None) -> None:
        self._house.guests.discard(self)

    def data_received(self, data: bytes) -> None:
        if not self._buffer:
            self.since = self._house.time()
        self._buffer += data
        if len(self._buffer) > self._house.most:
            self._transport.abort()  # who sends the next request before the answer to this one has no such need
        elif not self.busy:
            self._look()

    def _look(self) -> None:
        """Answers the request when it is whole; hands everything to aiohttp when it is not for us."""
        if self._asked is None and not self._read_head():
            return
        asked = self._asked
        if asked is None or len(self._buffer) < asked.start + asked.size:
            return
        end = asked.start + asked.size
        body, self._buffer = self._buffer[asked.start : end], self._buffer[end:]
        self._asked, self.busy = None, True
        self._house.run(self._answer(asked, body))

    def _read_head(self) -> bool:
        """Whether the head is there and ours."""
        if not self._house.may_be_ours(self._buffer):
            self._hand_over()
            return False
        end = self._buffer.find(b"\r\n\r\n", 0, HEAD_BYTES)
        if end < 0:
            if len(self._buffer) >= HEAD_BYTES:
                self._hand_over()
            return False
        self._asked = read_head(self._buffer[: end + 4], self._house.doors)
        if self._asked is None:
            self._hand_over()
        return self._asked is not None

    async def _answer(self, asked: Request, body: bytes) -> None:
        reply = await answered(asked, body)
        keep = asked.keep and not self._house.closing
        self.busy, self.since = False, self._house.time()
        if self._transport.is_closing():
            return
        self._transport.write(written(reply, keep))
        if not keep:
            self._transport.close()
        elif self._buffer:
            self._look()

    def _hand_over(self) -> None:
        self._house.guests.discard(self)
        other = self._house.other()
        self._transport.set_protocol(other)
        other.connection_made(self._transport)
        buffer, self._buffer = self._buffer, b""
        if buffer:
            other.data_received(buffer)

    def end_if_late(self, now: float) -> None:
        """Closes a connection whose request does not arrive, or that nobody uses."""
        if not self.busy and now - self.since > (ARRIVE_SECONDS if self._buffer else KEEP_SECONDS):
            self._transport.abort()

    def leave(self) -> None:
        """Closes a connection that has nothing under way."""
        if not self.busy:
            self._transport.close()


async def answered(asked: Request, body: bytes) -> Reply:
    """The door's answer, or what stands for its error; its watch hears of it."""
    watch = asked.door.watch
    if watch is None:
        return await _answered(asked, body)
    begun = watch.begin()
    reply = await _answered(asked, body)
    watch.end(begun, reply.status)
    return reply


async def _answered(asked: Request, body: bytes) -> Reply:
    try:
        return asked.door.refused(asked.headers) or await asked.door.serve(asked.headers, body)
    except StorageFull as full:
        if not isinstance(full, Busy):
            log.error("intake_storage_full")
        return Reply.later(full.after)
    except Exception as error:
        log.error("request_failed", error_type=type(error).__name__, exc_info=True)
        return Reply(500)


def written(reply: Reply, keep: bool) -> bytes:
    """The answer as it travels."""
    more = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items()).encode("latin-1")
    end = b"" if keep else b"Connection: close\r\n"
    return b"%bContent-Length: %d\r\n%b%b\r\n%b" % (LINES[reply.status], len(reply.body), more, end, reply.body)


class Front:
    """Listens for `doors`, a map of paths, and for aiohttp: `application` serves everything else."""

    def __init__(self, doors: Mapping[str, Door], application: web.Application) -> None:
        self.doors = {path.encode(): door for path, door in doors.items()}
        self._heads = tuple(b"POST %b" % path for path in self.doors)
        self.most = HEAD_BYTES + max((door.most for door in doors.values()), default=0)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=GRACE_SECONDS)
        self.guests: set[Guest] = set()
        self.closing = False
        self.time = asyncio.get_running_loop().time
        self._under_way: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._sweeping: asyncio.Task[None] | None = None

    def may_be_ours(self, start: bytes) -> bool:
        """Whether a request that begins so may be one of a door."""
        return any(start.startswith(head) or head.startswith(start) for head in self._heads)

    def other(self) -> Any:
        """Aiohttp's side of a connection."""
        server = self._runner.server
        if server is None:
            raise RuntimeError("the front is closed")
        return server()

    def run(self, answer: Coroutine[Any, Any, None]) -> None:
        """Answers a request; a stop waits for it."""
        task = asyncio.get_running_loop().create_task(answer)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def listen(self, host: str, port: int) -> int:
        """The port. Raises OSError when nobody may listen there."""
        loop = asyncio.get_running_loop()
        await self._runner.setup()
        self._server = await loop.create_server(lambda: Guest(self), host, port, backlog=BACKLOG)
        self._sweeping = loop.create_task(self._sweep())
        return int(self._server.sockets[0].getsockname()[1])

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for guest in list(self.guests):
                guest.end_if_late(self.time())

    async def close(self) -> None:
        """Lets nobody in; what is under way has `GRACE_SECONDS`, here and at aiohttp."""
        self.closing = True
        if self._server is not None:
            self._server.close()
        for guest in list(self.guests):
            guest.leave()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=GRACE_SECONDS)
        if self._sweeping is not None:
            self._sweeping.cancel()
        await self._runner.cleanup()
