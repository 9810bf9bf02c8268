"""Doors for other systems: who may come in, what is refused, and that nothing counts twice."""

from __future__ import annotations

import gzip
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient

from adapters.desks import signature as desk_signature
from core.effects import CreateTicket, UpdateClient
from core.events import Outside, TicketChanged
from core.ports import Result, Work
from gateway.config import read_config
from gateway.outside import OutsideDoors
from gateway.server import build_server, signature
from storage.memory import MemoryStore
from tests.gateway.house import Clock, echo, inbound

EVENTS, DESK = "events-secret", "desk-secret"
PHONE = "+79161234567"
CONFIG = f"""\
events: {{secret: {EVENTS}}}
desks:
  own: {{title: Свои}}
  outer: {{kind: webhook, title: Внешние, url: "https://desk.example/in", secret: {DESK},
          statuses: {{closed: {{title: решена, done: true}}}}}}
"""
TICKET = CreateTicket(number=1, key="t1", desk="outer", title="Возврат", text="", fields={}, priority="")


@dataclass
class Doors:
    """The doors over a store with one client, who has a ticket."""

    http: TestClient[web.Request, web.Application]
    store: MemoryStore
    conversation: int

    async def event(self, body: Any, name: str = "paid", *, secret: str = EVENTS, **headers: str) -> int:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        signed = {"X-Frontline-Signature": signature(secret, raw)} | headers
        return (await self.http.post(f"/events/{name}", data=raw, headers=signed)).status

    async def status(self, body: Any, desk: str = "outer", at: float | None = None, secret: str = DESK) -> int:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        stamp = str(int(time.time() if at is None else at))
        headers = {"X-Frontline-Timestamp": stamp, "X-Frontline-Signature": desk_signature(secret, stamp, raw)}
        return (await self.http.post(f"/desks/{desk}/status", data=raw, headers=headers)).status

    async def arrived(self) -> list[Any]:
        """The events that wait in the inbox; they are taken out of it."""
        seen: list[Any] = []

        def look(work: Work) -> Result:
            seen.extend(pending.event for pending in work.events)
            return echo()(work)

        while await self.store.work(look):
            pass
        return [event for event in seen if isinstance(event, Outside | TicketChanged)]


@pytest.fixture
async def doors(aiohttp_client: AiohttpClient, tmp_path: Path) -> AsyncIterator[Doors]:
    config, findings = read_config(CONFIG, tmp_path / "config.yaml", {})
    assert config is not None, findings
    store = MemoryStore(Clock(), frozenset({"outer"}))
    await store.open()
    receipts = await store.accept([inbound(1, "привет")], echo(TICKET))
    door = OutsideDoors(store, config, {"telegram": "42"}, lambda: None)
    yield Doors(await aiohttp_client(build_server(door.routes())), store, receipts[0].conversation)
    await store.close()


HERE = {"client": {"channel": "telegram", "id": "1"}, "data": {"сумма": 1200}}


async def test_an_event_comes_in_once(doors: Doors) -> None:
    assert await doors.event(HERE) == 202
    assert await doors.event(HERE) == 202, "a repeat is no mistake"
    assert await doors.arrived() == [Outside("paid", {"сумма": 1200})]


async def test_a_copied_event_cannot_be_played_again(doors: Doors) -> None:
    """Headers are not signed: a new key on an old body makes no new event."""
    assert await doors.event(HERE) == 202
    assert await doors.event(HERE, **{"Idempotency-Key": "another"}) == 202
    assert len(await doors.arrived()) == 1


async def test_equal_events_are_told_apart_by_their_id(doors: Doors) -> None:
    assert await doors.event(HERE | {"id": "a"}) == 202
    assert await doors.event(HERE | {"id": "b"}) == 202
    assert await doors.event(HERE | {"id": "b", "data": {"сумма": 1}}) == 202
    assert len(await doors.arrived()) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b'{"client": "1"}', 400),
        (b'{"client": {}, "data": []}', 400),
        (b'{"client": {"channel": "telegram", "id": "2"}}', 404),
        (b'{"client": {"channel": "vk", "id": "1"}}', 404),
        (b'{"client": {"phone": "+79990000000"}}', 404),
        (b'{"client": {"phone": null}}', 404),
        (b'{"client": {"phone": {"a": 1}}}', 404),
        (b'{"client": {}}', 404),
        (b"[" * 100_000, 400),
    ],
)
async def test_events_that_cannot_be_taken(doors: Doors, body: bytes, status: int) -> None:
    assert await doors.event(body) == status
    assert await doors.arrived() == []


async def test_an_unsigned_event_stores_nothing(doors: Doors) -> None:
    assert await doors.event(HERE, secret="wrong") == 403
    assert await doors.event(HERE, **{"X-Frontline-Signature": ""}) == 403
    assert await doors.arrived() == []


async def test_compressed_bodies_are_refused(doors: Doors) -> None:
    """What is signed is what travels: nothing is unpacked before it is believed."""
    packed = gzip.compress(orjson.dumps(HERE))
    assert await doors.event(packed, **{"Content-Encoding": "gzip"}) == 415
    assert await doors.arrived() == []


async def verify(doors: Doors, proof: tuple[str, ...]) -> None:
    await doors.store.accept([inbound(2, "вот телефон")], echo(UpdateClient({"phone": PHONE}, proof)))
    await doors.arrived()


async def test_a_phone_that_the_messenger_proved_finds_its_owner(doors: Doors) -> None:
    await verify(doors, ("phone",))
    assert await doors.event({"client": {"phone": "8 (916) 123-45-67"}, "data": {}}) == 202
    assert len(await doors.arrived()) == 1


async def test_a_phone_that_somebody_typed_opens_nothing(doors: Doors) -> None:
    """Anybody can type a phone; what concerns its owner must not come to a stranger."""
    await verify(doors, ())
    assert await doors.event({"client": {"phone": PHONE}, "data": {"долг": 1200}}) == 404
    assert await doors.arrived() == []


# --- statuses of outer desks -----------------------------------------------------------------------------------------

CLOSED = {"number": 1, "status": "closed", "comment": "Деньги вернули"}


async def test_a_status_is_written_and_told(doors: Doors) -> None:
    assert await doors.status(CLOSED) == 200
    ticket = await doors.store.ticket(1)
    assert ticket is not None
    assert (ticket.status, ticket.done) == ("closed", True)
    told = await doors.arrived()
    assert [(event.status, event.comment) for event in told] == [("решена", "Деньги вернули")]


async def test_a_repeated_status_is_told_once(doors: Doors) -> None:
    now = time.time()
    assert await doors.status(CLOSED, at=now) == 200
    assert await doors.status(CLOSED, at=now) == 200
    assert await doors.status(CLOSED, at=now + 1) == 200, "sent again, signed again"
    assert len(await doors.arrived()) == 1


async def test_an_old_status_played_again_changes_nothing(doors: Doors) -> None:
    """A signature stays valid for five minutes; who has copied a request must not turn the ticket back with it."""
    now = time.time()
    open_again = {"number": 1, "status": "в работе"}
    assert await doors.status(open_again, at=now - 20) == 200
    assert await doors.status(CLOSED, at=now - 10) == 200
    assert await doors.status(open_again, at=now - 20) == 200
    ticket = await doors.store.ticket(1)
    assert ticket is not None
    assert ticket.status == "closed"
    assert len(await doors.arrived()) == 2


@pytest.mark.parametrize(
    ("body", "desk", "secret", "late", "status"),
    [
        (CLOSED, "outer", "wrong", 0, 403),
        (CLOSED, "outer", DESK, 301, 403),
        (CLOSED, "outer", DESK, -301, 403),
        (CLOSED, "own", DESK, 0, 404),
        (CLOSED, "nowhere", DESK, 0, 404),
        (CLOSED | {"number": 2}, "outer", DESK, 0, 404),
        ({"number": 1}, "outer", DESK, 0, 400),
        (b"{", "outer", DESK, 0, 400),
    ],
)
async def test_statuses_that_are_not_taken(
    doors: Doors, body: Any, desk: str, secret: str, late: int, status: int
) -> None:
    assert await doors.status(body, desk, time.time() - late, secret) == status
    assert await doors.arrived() == []
    ticket = await doors.store.ticket(1)
    assert ticket is not None
    assert not ticket.done


async def test_a_long_comment_is_cut(doors: Doors) -> None:
    assert await doors.status(CLOSED | {"comment": "я" * 100_000}) == 200
    (told,) = await doors.arrived()
    assert len(told.comment) == 4000
