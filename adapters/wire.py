"""A wire to one platform: small JSON calls over kept HTTP/1.1 connections.

A general HTTP client costs 0.1 ms of a core for each message that is sent, a tenth of all that a message costs; this one
costs 0.015 (docs/decisions/0015). `httptools` reads the answers, `aiohappyeyeballs` opens the connections.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from typing import Any

import httptools
from aiohappyeyeballs import start_connection
from yarl import URL

CONNECT_SECONDS = 10.0  # waiting for a free connection counts too
# Shorter than the platforms' own, so that a connection is seldom closed under a call that was just written.
KEEP_SECONDS = 15.0
CONNECTIONS = 100
ANSWER_BYTES = 32 << 20  # a batch of a hundred updates is far below
EYEBALLS_SECONDS = 0.25  # RFC 8305: how long the first address is waited for before the next one is tried too


class Unreached(ConnectionError):
    """The call never left this machine: safe to repeat. The text is the kind of trouble, never an address."""


class Unanswered(ConnectionError):
    """The call was written and no whole answer came: it may have been carried out."""


class Connection(asyncio.Protocol):
    """One connection; one call at a time."""

    __slots__ = ("_answer", "_body", "_late", "_loop", "_parser", "_size", "closed", "transport", "used_at")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._parser: Any = None
        self._late: asyncio.TimerHandle | None = None
        self.closed = False
        self.used_at = 0.0

    def call(self, request: bytes, seconds: float) -> asyncio.Future[tuple[int, bytes]]:
        """Writes the request; status and body of the answer, `Unanswered` when none comes within the time."""
        answer = self._answer = self._loop.create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._body, self._size = [], 0
        self._late = self._loop.call_later(seconds, self._fail, "TimeoutError")
        self.transport.write(request)
        return answer

    def close(self) -> None:
        """Closes at once: what may still come belongs to nobody."""
        self.closed = True
        self.transport.abort()

    # --- what the event loop tells ---

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.close()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(type(error).__name__)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        self._fail(type(error).__name__ if error is not None else "closed")

    # --- what the parser tells ---

    def on_body(self, piece: bytes) -> None:
        self._size += len(piece)
        self._body.append(piece)
        if self._size > ANSWER_BYTES:
            self._fail("the answer is too long")

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # «100 Continue»: the answer itself follows
            return
        answer = self._take_answer()
        if not self._parser.should_keep_alive():
            self.close()
        if answer is not None and not answer.done():
            self.used_at = self._loop.time()
            answer.set_result((status, b"".join(self._body)))

    def _fail(self, why: str) -> None:
        answer = self._take_answer()
        if answer is not None:
            self.close()
            if not answer.done():
                answer.set_exception(Unanswered(why))

    def _take_answer(self) -> asyncio.Future[tuple[int, bytes]] | None:
        if self._late is not None:
            self._late.cancel()
        answer, self._answer, self._late = self._answer, None, None
        return answer


class Wire:
    """Connections to one address, opened when they are needed and kept for a while."""

    def __init__(self, base: str, most: int = CONNECTIONS, headers: dict[str, str] | None = None) -> None:
        url = URL(base)
        self._host, self._port = url.host or "", url.port or 443
        self._tls = ssl.create_default_context() if url.scheme == "https" else None
        given = {"Host": url.authority, "Content-Type": "application/json", **(headers or {})}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in given.items()).encode()
        self._free: deque[Connection] = deque()
        self._places = asyncio.Semaphore(most)

    async def post(self, path: str, body: bytes, seconds: float) -> tuple[int, bytes]:
        """Status and body. `path` is encoded already, `seconds` bound the answer. Raises Unreached, Unanswered."""
        await self._place()
        try:
            connection = self._kept() or await self._connect()
            head = b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n" % (path.encode(), self._head, len(body))
            try:
                answer = await connection.call(head + body, seconds)
            except asyncio.CancelledError:
                connection.close()
                raise
            if not connection.closed:
                self._free.append(connection)
            return answer
        finally:
            self._places.release()

    def close(self) -> None:
        """Closes what is kept; a later call opens new connections."""
        while self._free:
            self._free.pop().close()

    async def _place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()  # does not wait
            return
        try:
            await asyncio.wait_for(self._places.acquire(), CONNECT_SECONDS)
        except TimeoutError:
            raise Unreached("no free connection") from None

    def _kept(self) -> Connection | None:
        """The connection used last, if it is young enough."""
        now = asyncio.get_running_loop().time()
        while self._free and (self._free[0].closed or now - self._free[0].used_at > KEEP_SECONDS):
            self._free.popleft().close()
        while self._free:
            connection = self._free.pop()
            if not connection.closed:
                return connection
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                reached = await start_connection(found, happy_eyeballs_delay=EYEBALLS_SECONDS, loop=loop)
                reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                name = self._host if self._tls is not None else None
                _, connection = await loop.create_connection(
                    Connection, sock=reached, ssl=self._tls, server_hostname=name
                )
        except (OSError, TimeoutError) as error:
            # No chaining: the text of the system's error may hold the address.
            raise Unreached(type(error).__name__) from None
        return connection
