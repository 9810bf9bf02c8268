"""One open socket: what waits to be sent, in bounds; how it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Any

from aiohttp import WSMsgType, web

from gateway.api.live.rights import Pass

FRAME = 16 * 1024  # bytes of one message from a client
HEARTBEAT = 25.0  # seconds between pings; who does not answer in half of that is gone
CLOSING = 2.0  # seconds that the other side has to say goodbye
WAITING = 512  # messages that may wait for a slow socket
BYTES = 1 << 20  # and their bytes

BAD_HELLO = 4400  # the first message was no hello, or what came was nonsense again and again
SIGNED_OUT = 4401  # the session or token has ended: sign in, then come again
BEHIND = 4408  # too slow: come again and resume
MANY = 4409  # another socket of the same person took its place
AGAIN = 4503  # the gateway cannot serve it now: come again and resume
RESTART = 1012  # the gateway stops: come again and resume


class Socket:
    """A socket of somebody. `at` is the number up to which it has been sent the feed; `live` once it is not behind."""

    __slots__ = (
        "_bytes", "_closing", "_frames", "_more", "_pumping", "_ws", "at", "before", "conversation", "held", "lists",
        "live", "transport",
    )  # fmt: skip

    def __init__(self, ws: web.WebSocketResponse, transport: Any, held: Pass) -> None:
        self._ws, self.transport, self.held = ws, transport, held
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._more = asyncio.Event()
        self._pumping: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self.at = -1  # before its hello
        self.live = False
        self.before: deque[float] = deque()  # when its last messages came
        self.conversation = 0  # the one that is looked at
        self.lists: frozenset[str] = frozenset()

    @property
    def closed(self) -> bool:
        return self._closing is not None or self._ws.closed

    def start(self) -> None:
        """From now on what waits is sent."""
        self._pumping = asyncio.create_task(self._pump())

    def put(self, frame: bytes) -> None:
        """Send a message when the line is free. One who falls too far behind has to come again."""
        if self.closed:
            return
        if len(self._frames) >= WAITING or self._bytes + len(frame) > BYTES:
            self.close(BEHIND, "behind")
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        self._more.set()

    async def settled(self) -> None:
        """Returns when little is waiting: a long replay goes as fast as it is read."""
        while len(self._frames) > WAITING // 4 and not self.closed:  # noqa: ASYNC110 - seldom, and never for long
            await asyncio.sleep(0.01)

    async def _pump(self) -> None:
        """Sends what waits until the line is cut."""
        with contextlib.suppress(ConnectionError):
            while True:
                while self._frames:
                    frame = self._frames.popleft()
                    self._bytes -= len(frame)
                    await self._ws.send_frame(frame, WSMsgType.TEXT)
                self._more.clear()
                await self._more.wait()

    def close(self, code: int, why: str) -> None:
        """Ends the socket. What waits is not sent: a resume brings it."""
        if self._closing is None:
            self._frames.clear()
            self._bytes = 0
            self._closing = asyncio.create_task(self._end(code, why))

    async def _end(self, code: int, why: str) -> None:
        """Who does not read gets no more time than the goodbye may take."""
        if self._pumping is not None:
            self._pumping.cancel()
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._ws.close(code=code, message=why.encode())
        if (self.transport is not None and not self._ws.closed) or (
            self.transport is not None and self.transport.get_write_buffer_size()
        ):
            self.transport.abort()

    async def stop(self) -> None:
        """Ends what runs for the socket; returns when nothing does."""
        if self._pumping is not None:
            self._pumping.cancel()
        tasks = [task for task in (self._pumping, self._closing) if task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
