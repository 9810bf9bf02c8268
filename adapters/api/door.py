"""The way in: signed deliveries of events. 200 only after the commit; what is refused is named by its place."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
from aiohttp import web

from adapters.api.capabilities import EVENT_BYTES
from adapters.api.parse import Heard, Reader, Refused
from adapters.api.schema import Accepted, Note, Problem
from adapters.api.signing import Signer, Unsigned, precheck
from adapters.doors import read_body
from adapters.payloads import Unreadable
from core.events import ColleagueReply, Message
from core.messages import Attachment
from core.ports import Gate, Receipt, StorageFull

BODY_SECONDS = 30.0  # that a delivery may take to arrive
START_SECONDS = 5.0
MOST_REMEMBERED = 1000
SAFE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class TurnedAway(Exception):
    """A request that is not read: its status, why, and the word of the counter (none: not worth one)."""

    def __init__(self, status: int, title: str, detail: str = "", what: str = "") -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.what = status, title, detail, what


Serve = Callable[[web.Request, Gate], Awaitable[web.Response]]


class Door:
    """One channel's door. `clock` gives seconds since the epoch."""

    def __init__(self, reader: Reader, signer: Signer, clock: Callable[[], float] = time.time) -> None:
        self._reader, self._signer, self._clock = reader, signer, clock
        # Deliveries of which something was set aside: their repeats are answered the same and set nothing aside again.
        self._aside: dict[str, None] = {}

    async def hook(self, request: web.Request, gate: Gate) -> web.Response:
        """The answer to one delivery. Raises `TurnedAway`, `StorageFull`."""
        delivery, raw = await self.signed(request, EVENT_BYTES, BODY_SECONDS)
        try:
            read = self._reader.read(raw, delivery, datetime.fromtimestamp(self._clock(), UTC))
        except Unreadable as unreadable:
            await self._set_aside(gate, delivery, [(raw, str(unreadable))])
            raise TurnedAway(400, "The delivery cannot be read", str(unreadable)) from None
        heard, strangers = await own_files(read.heard, self._reader.channel, gate)
        receipts = await gate.accept([one.inbound for one in heard]) if heard else []
        refused = sorted([*read.refused, *strangers], key=lambda one: _place(one.note))
        await self._set_aside(
            gate, delivery, [(one.raw, f"event refused at {one.note.pointer or '/'}") for one in refused]
        )
        for _ in range(read.ignored):
            gate.count(self._reader.channel, "seen")
        return _answer(receipts, refused, read.ignored, read.warnings)

    async def signed(self, request: web.Request, most: int, seconds: float) -> tuple[str, bytes]:
        """The webhook-id and the body of a request that is the integrator's. Raises `TurnedAway`."""
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise TurnedAway(415, "Compressed requests are not accepted")
        try:
            precheck(request.headers)
            raw = await _arrived(request, most, seconds)
            return self._signer.check(request.headers, raw, self._clock()), raw
        except Unsigned as unsigned:
            raise TurnedAway(401, "The signature does not fit", str(unsigned), unsigned.what) from None

    async def _set_aside(self, gate: Gate, delivery: str, found: list[tuple[bytes, str]]) -> None:
        """Into quarantine, once for each delivery. Raises `StorageFull`."""
        if not found or delivery in self._aside:
            return
        for raw, reason in found:
            await gate.quarantine(self._reader.channel, raw, reason)
        self._aside[delivery] = None
        while len(self._aside) > MOST_REMEMBERED:
            del self._aside[next(iter(self._aside))]


def guarded(
    name: str, serve: Serve, gate: Callable[[], Gate | None]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler with refusals and a full store as RFC 9457 problems."""

    async def answer(request: web.Request) -> web.Response:
        now = gate()
        if now is None:
            return later(START_SECONDS)
        try:
            return await serve(request, now)
        except TurnedAway as away:
            if away.what:
                now.count(name, away.what)
            return problem(Problem(away.title, away.status, away.detail))
        except StorageFull as full:
            return later(full.after)

    return answer


def later(seconds: float) -> web.Response:
    """503, and when to come again."""
    answer = problem(Problem("Nothing can be taken now", 503, "Send it again under the same webhook-id"))
    answer.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return answer


def problem(value: Problem) -> web.Response:
    """An RFC 9457 answer."""
    body = msgspec.json.encode(value)
    return web.Response(body=body, status=value.status, content_type="application/problem+json", headers=SAFE)


def reply(value: msgspec.Struct, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json", headers=SAFE)


async def _arrived(request: web.Request, most: int, seconds: float) -> bytes:
    """The body as it travelled. Raises `TurnedAway` when it is larger than `most` bytes or does not come in time."""
    try:
        async with asyncio.timeout(seconds):
            raw = await read_body(request, most)
    except TimeoutError:
        raise TurnedAway(408, "The body does not arrive") from None
    if raw is None:
        raise TurnedAway(413, f"At most {most} bytes", what="too_large")
    return raw


async def own_files(heard: list[Heard], channel: str, gate: Gate) -> tuple[list[Heard], list[Refused]]:
    """The events with what we know of their uploaded files; those with a file that was never uploaded here."""
    good: list[Heard] = []
    refused: list[Refused] = []
    for one in heard:
        event = one.inbound.event
        if not isinstance(event, Message | ColleagueReply) or not any(a.file for a in event.attachments):
            good.append(one)
            continue
        known = [await _own(attachment, channel, gate) for attachment in event.attachments]
        missing = next((place for place, attachment in enumerate(known) if attachment is None), -1)
        if missing >= 0:
            where = Note(f"{one.pointer}/attachments/{missing}/file", "No such file was uploaded to this channel")
            refused.append(Refused(where, msgspec.json.encode(one.inbound)))
            continue
        named = msgspec.structs.replace(event, attachments=tuple(filter(None, known)))
        good.append(Heard(one.pointer, msgspec.structs.replace(one.inbound, event=named)))
    return good, refused


async def _own(attachment: Attachment, channel: str, gate: Gate) -> Attachment | None:
    """An attachment by an uploaded file, as the file is; None when it is not the integrator's own upload."""
    if not attachment.file:
        return attachment
    stored = await gate.store.file(attachment.file)
    if stored is None or stored.channel != channel or stored.conversation or not stored.sha256:
        return None
    name = attachment.name or stored.name
    return msgspec.structs.replace(attachment, name=name, mime=stored.mime, size=stored.size)


def _answer(receipts: list[Receipt], refused: list[Refused], ignored: int, warnings: tuple[Note, ...]) -> web.Response:
    known = sum(receipt.duplicate for receipt in receipts)
    fresh = len(receipts) - known
    if not refused:
        return reply(Accepted(fresh, known, ignored, warnings))
    errors = tuple(one.note for one in refused)
    detail = "The events named in `errors` are not taken, the others are. Do not send them again unchanged"
    return problem(Problem("Events are refused", 422, detail, errors, fresh, known, ignored))


def _place(note: Note) -> int:
    """The place of an event in its batch."""
    step = note.pointer.split("/")[2:3]
    return int(step[0]) if step and step[0].isdecimal() else 0
