"""The way back: a door that stands in for the gateway's, and what the integrator's events are like."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from aiohttp import web

from adapters.api.capabilities import EVENT_BYTES
from adapters.api.door import later, problem, reply
from adapters.api.parse import Reader
from adapters.api.schema import Accepted, Note, Problem
from adapters.api.signing import Signer, Unsigned
from adapters.doors import read_body
from adapters.payloads import Unreadable
from adapters.verdict import Check, Failed, Skipped
from core.locale import n_

RETRY_SECONDS = 1.0
EARLY = 0.8  # of what was asked: clocks and timers differ a little
AGAIN_SECONDS = 30.0  # that a repetition may take
QUIET_SECONDS = 2.0


class Delivered(NamedTuple):
    """One delivery. `wrong` says what is the matter with its signature, `notes` with its events."""

    at: float
    id: str
    raw: bytes
    wrong: str
    notes: tuple[Note, ...]
    status: int


class Listener:
    """A hook on a port of ours. The first good delivery is asked to come again."""

    def __init__(self, keys: list[bytes], clock: Callable[[], float] = time.time) -> None:
        self._signer, self._clock = Signer(keys), clock
        self.deliveries: list[Delivered] = []
        self._news = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> str:
        """Listens; the address. Raises OSError."""
        app = web.Application(client_max_size=EVENT_BYTES)
        app.router.add_post("/{path:.*}", self._hook)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        address = self._runner.addresses[0]
        return f"http://{address[0]}:{address[1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def wait(self, found: Callable[[], bool], seconds: float) -> bool:
        """Whether it became true in time."""
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(found)
        except TimeoutError:
            return False
        return True

    async def _hook(self, request: web.Request) -> web.Response:
        raw = await read_body(request, EVENT_BYTES) or b""
        wrong = ""
        notes: tuple[Note, ...] = ()
        try:
            self._signer.check(request.headers, raw, self._clock())
            notes = _notes(raw, self._clock())
        except Unsigned as unsigned:
            wrong = str(unsigned)
        except Unreadable as unreadable:
            notes = (Note("", str(unreadable)),)
        answer = self._answer(wrong, notes)
        delivered = Delivered(time.monotonic(), request.headers.get("webhook-id", ""), raw, wrong, notes, answer.status)
        async with self._news:
            self.deliveries.append(delivered)
            self._news.notify_all()
        return answer

    def _answer(self, wrong: str, notes: tuple[Note, ...]) -> web.Response:
        if wrong:
            return problem(Problem("The signature does not fit", 401, wrong))
        if notes:
            return problem(Problem("Events are refused", 422, errors=notes))
        if not any(one.status == 503 for one in self.deliveries):
            return later(RETRY_SECONDS)
        return reply(Accepted(1))


def _notes(raw: bytes, now: float) -> tuple[Note, ...]:
    """What is wrong with the events. Raises Unreadable."""
    read = Reader("test", "test", frozenset(("*",))).read(raw, "d", datetime.fromtimestamp(now, UTC))
    return tuple(one.note for one in read.refused)


async def arrives(door: Listener, seconds: float) -> None:
    if not await door.wait(lambda: bool(door.deliveries), seconds):
        raise Failed(
            n_("nothing came within {seconds} s"),
            n_("send events to the address above; is it reachable from where your messenger runs?"),
            seconds=f"{seconds:g}",
        )


async def is_signed(door: Listener, seconds: float) -> None:
    first = _first(door)
    if first.wrong:
        raise Failed(
            n_("the signature was not right: {problem}"),
            n_("sign `<webhook-id>.<webhook-timestamp>.<raw body>` of each attempt with the time of that attempt"),
            problem=first.wrong,
        )


async def fits_the_schema(door: Listener, seconds: float) -> None:
    notes = [note for one in door.deliveries for note in one.notes]
    _first(door)
    if notes:
        raise Failed(
            n_("at {pointer}: {detail}"),
            n_("send what the published schema says: `frontline channel-schema`"),
            pointer=notes[0].pointer or "/",
            detail=notes[0].detail,
        )


async def comes_again(door: Listener, seconds: float) -> None:
    """The first good delivery was answered by 503."""
    asked = _asked(door)
    mend = n_("repeat what got no answer, 408, 429 or 5xx, after `Retry-After`, under the same webhook-id")

    def again() -> list[Delivered]:
        return [one for one in door.deliveries if one.at > asked.at and one.raw == asked.raw]

    if not await door.wait(lambda: bool(again()), AGAIN_SECONDS):
        raise Failed(n_("a delivery that was answered by 503 did not come again within {seconds} s"), mend, seconds=30)
    repeat = again()[0]
    if repeat.id != asked.id:
        raise Failed(n_("it came again under another webhook-id"), mend)
    if repeat.at - asked.at < RETRY_SECONDS * EARLY:
        raise Failed(n_("it came again before `Retry-After` was over"), mend)


async def stops_when_taken(door: Listener, seconds: float) -> None:
    asked = _asked(door)

    def taken() -> list[Delivered]:
        return [one for one in door.deliveries if one.id == asked.id and one.status == 200]

    if not await door.wait(lambda: bool(taken()), QUIET_SECONDS):
        raise Skipped(n_("no delivery has been taken"))
    if await door.wait(lambda: len(taken()) > 1, QUIET_SECONDS):
        raise Failed(
            n_("a delivery that was taken came again"),
            n_("do not repeat what was answered by 200: it does no harm, but it is load for both"),
        )


def _first(door: Listener) -> Delivered:
    if not door.deliveries:
        raise Skipped(n_("nothing has come"))
    return door.deliveries[0]


def _asked(door: Listener) -> Delivered:
    """The delivery that was asked to come again."""
    asked = next((one for one in door.deliveries if one.status == 503), None)
    if asked is None:
        raise Skipped(n_("no good delivery has come"))
    return asked


CHECKS = (
    Check("back", n_("Events arrive"), arrives),
    Check("back.signature", n_("Events are signed"), is_signed),
    Check("back.schema", n_("Events fit the published schema"), fits_the_schema),
    Check("back.retry", n_("A delivery that was not taken comes again, under the same webhook-id"), comes_again),
    Check("back.once", n_("A delivery that was taken does not come again"), stops_when_taken),
)
