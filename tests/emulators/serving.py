"""What the emulated messengers share as servers: their life, deeds over HTTP, answers that fail, a process of their own."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import aiohttp
import msgspec
import orjson
import uvloop
from aiohttp import web

MOST_BYTES = 60 * 1024 * 1024
WAIT = 10.0  # seconds


class Judged(Protocol):
    """What the platform knows, and what the bot did wrong."""

    violations: list[str]


class Delivering(Protocol):
    """How events reach the bot."""

    async def close(self) -> None:
        """Ends what is under way."""


W = TypeVar("W", bound=Judged)
D = TypeVar("D", bound=Delivering)


class Server(Generic[W, D]):
    """A platform on a free port, or on `port`. `deeds` are the methods that `POST /control/<deed>` calls with JSON keywords."""

    deeds: ClassVar[frozenset[str]] = frozenset()
    most_bytes: ClassVar[int] = MOST_BYTES  # of a request

    def __init__(self, port: int, world: W, delivery: D) -> None:
        self.world, self.delivery = world, delivery
        self.url = ""
        self._port = port
        self._sent = asyncio.Condition()
        self._hung: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def route(self, router: web.UrlDispatcher) -> None:
        """Adds what the platform answers."""
        raise NotImplementedError

    async def start(self, host: str = "127.0.0.1") -> None:
        app = web.Application(client_max_size=self.most_bytes)
        app.router.add_post("/control/{deed}", self._control)
        self.route(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://{host}:{self._port}"

    async def stop(self) -> None:
        for task in list(self._hung):
            task.cancel()
        await self.delivery.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def check(self) -> None:
        """Raises AssertionError when a call broke the schema or a limit."""
        assert not self.world.violations, "\n".join(self.world.violations)

    async def _hang(self, seconds: float) -> None:
        """Lets somebody wait for so long, or until the end of the platform."""
        task = asyncio.create_task(asyncio.sleep(seconds or 3600.0))
        self._hung.add(task)
        try:
            await asyncio.wait({task})
        finally:
            self._hung.discard(task)

    async def _notify(self) -> None:
        """Something was done that somebody may wait for."""
        async with self._sent:
            self._sent.notify_all()

    async def _until(self, met: Callable[[], bool], seconds: float) -> None:
        """Returns when it is met. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._sent:
            await self._sent.wait_for(met)

    async def keywords(self, request: web.Request) -> dict[str, Any]:
        """What a deed is called with."""
        found: dict[str, Any] = orjson.loads(await request.read() or b"{}")
        return found

    async def _control(self, request: web.Request) -> web.Response:
        deed = request.match_info["deed"]
        if deed not in self.deeds:
            return refused(404, f"no deed {deed}; known: {', '.join(sorted(self.deeds))}")
        try:
            result = getattr(self, deed)(**await self.keywords(request))
            if asyncio.iscoroutine(result):
                result = await result
        except (LookupError, TypeError, ValueError, TimeoutError, aiohttp.ClientError) as error:
            return refused(400, f"{type(error).__name__}: {error}")
        return web.Response(body=msgspec.json.encode(result), content_type="application/json")


def refused(status: int, why: str) -> web.Response:
    """A deed that is not done."""
    return web.Response(status=status, body=orjson.dumps({"error": why}), content_type="application/json")


def cut(request: web.Request) -> web.Response:
    """Closes the connection without an answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)


def bad_gateway() -> web.Response:
    """What stands before the platform answers in its place."""
    return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")


def serve(name: str, port: int, make: Callable[[argparse.Namespace], Server[Any, Any]], **flags: str) -> None:
    """A process of its own, until it is interrupted. `flags` are further options with their meanings; its first line of
    output is its name and its address."""
    parser = argparse.ArgumentParser(description=f"{name} for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--rates", action="store_true", help="the platform's own limits")
    parser.add_argument("--factor", type=float, default=1.0, help="scales the pauses between repetitions of events")
    for flag, meaning in flags.items():
        parser.add_argument(f"--{flag}", action="store_true", help=meaning)
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        uvloop.run(_run(name, make, given))


async def _run(name: str, make: Callable[[argparse.Namespace], Server[Any, Any]], given: argparse.Namespace) -> None:
    server = make(given)  # within the loop
    await server.start(given.host)
    print(f"{name} {server.url}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()
