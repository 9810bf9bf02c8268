"""What the doors of channels share: a body up to a size, a word compared in constant time, a secret out of the settings."""

from __future__ import annotations

import hmac
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec
from aiohttp import web

from core.ports import StorageFull

Answer = TypeVar("Answer", bound=web.StreamResponse)


class Reply(msgspec.Struct, frozen=True):
    """The answer to a delivery."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}

    @staticmethod
    def json(body: bytes) -> Reply:
        return Reply(200, body, {"Content-Type": "application/json; charset=utf-8"})

    @staticmethod
    def later(seconds: float) -> Reply:
        """503, and when to come again."""
        return Reply(503, b"", {"Retry-After": str(max(1, math.ceil(seconds)))})


class Watch(Protocol):
    """Whoever wants to know what comes to a door, and how it ends. Called for every delivery, so it must be quick."""

    def begin(self) -> Any: ...
    def end(self, begun: Any, status: int) -> None: ...


class Door:
    """A webhook that needs but headers (asked for by their names in any letters) and a whole body: the roof may serve it
    without aiohttp's objects.

    `refused` looks at the headers before the body is read; `serve` may raise `StorageFull`. A body of more than `most` bytes
    is answered 413.
    """

    def __init__(
        self,
        most: int,
        refused: Callable[[Mapping[str, str]], Reply | None],
        serve: Callable[[Mapping[str, str], bytes], Awaitable[Reply]],
    ) -> None:
        self.most, self.refused, self.serve = most, refused, serve
        self.watch: Watch | None = None

    async def answer(self, request: web.Request) -> web.Response:
        """The door as a handler of aiohttp: what `Channel.routes` gives."""
        return await watched(self.watch, self._answered(request))

    async def _answered(self, request: web.Request) -> web.Response:
        reply = self.refused(request.headers)
        if reply is None:
            raw = await read_body(request, self.most)
            reply = Reply(413) if raw is None else await self.serve(request.headers, raw)
        return web.Response(body=reply.body, status=reply.status, headers=reply.headers)


async def watched(watch: Watch | None, answer: Awaitable[Answer]) -> Answer:
    """The answer, of which the watch hears. What raises is answered further up: 503 for a full store, else 500."""
    if watch is None:
        return await answer
    begun, status = watch.begin(), 500
    try:
        made = await answer
        status = made.status
    except StorageFull:
        status = 503
        raise
    except web.HTTPException as early:
        status = early.status
        raise
    finally:
        watch.end(begun, status)
    return made


def door_of(handler: Any) -> Door | None:
    """The door whose handler this is."""
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, Door) else None


async def read_body(request: web.Request, most: int) -> bytes | None:
    """The body, or None when it is larger than `most` bytes."""
    if (request.content_length or 0) > most:
        return None
    raw = bytearray()
    async for piece in request.content.iter_any():
        raw += piece
        if len(raw) > most:
            return None
    return bytes(raw)


def knows(secret: str, given: str) -> bool:
    """Whether somebody said the word, in constant time; nobody does where there is none."""
    return bool(secret) and hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def revealed(value: Any) -> str:
    """A secret of the configuration as text."""
    reveal = getattr(value, "get_secret_value", None)
    return str(reveal() if reveal else value or "")
