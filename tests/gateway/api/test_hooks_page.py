"""Outgoing webhooks over the API: states, attempts, replay and resume with their audit; the audit looked through and checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from sqlalchemy import literal_column, update

from gateway.hooks import deliver
from gateway.hooks.deliver import Delivery
from storage.accounts.schema import audit
from storage.watch.reading import attempts_of
from storage.watch.writing import KEPT_ATTEMPTS, write_attempt
from storage.work.units import asked
from tests.gateway.api.house import Browser, House
from tests.gateway.api.test_deeds import queued
from tests.gateway.hooks.test_hooks import SECRET, Receiver, begun, drained, settings


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    app = web.Application()
    made = Receiver(TestServer(app))
    app.router.add_post("/in", made.take)
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture
async def root(house: House) -> Browser:
    await house.add("root", "admin")
    return await house.browser("root")


async def hook(root: Browser, name: str = "crm") -> dict[str, Any]:
    answer = await root.ask("GET", "/hooks")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = next(it for it in answer.body["items"] if it["name"] == name)
    return found


async def built(house: House, receiver: Receiver, **more: Any) -> Delivery:
    house.gateway.config.webhooks["crm"] = settings(receiver, **more)
    return await begun(house, receiver, **more)


async def test_how_a_webhook_fares(house: House, root: Browser, receiver: Receiver) -> None:
    house.gateway.config.webhooks["later"] = settings(receiver)
    house.gateway.config.webhooks["shut"] = settings(receiver, secret=SecretStr(""))
    crm = await built(house, receiver)
    assert ((await hook(root))["state"], (await hook(root, "later"))["state"]) == ("works", "unused")
    assert (await hook(root, "shut"))["state"] == "off"
    await queued(house)
    receiver.answers = [503]
    await drained(crm)
    found = await hook(root)
    assert (found["state"], found["error"], found["attempts"]) == ("waits", "HTTP 503", 1)
    assert found["behind"] > 0
    assert found["next_at"] is not None
    del house.gateway.config.webhooks["crm"]
    assert (await hook(root))["state"] == "gone"
    whole = msgspec.json.encode((await root.ask("GET", "/hooks")).body).decode()
    assert SECRET not in whole
    assert "/in" not in whole, "of an address the host alone is told"


async def test_attempts_are_written_and_bounded(house: House, root: Browser, receiver: Receiver) -> None:
    crm = await built(house, receiver)
    receiver.answers = [500]
    await queued(house)
    await drained(crm)
    house.clock.at += deliver.PAUSES[0] * 1.2
    await drained(crm)
    found = (await root.ask("GET", "/hooks/crm/attempts")).body["items"]
    assert [(it["status"], it["attempt"]) for it in found][-2:] == [(204, 2), (500, 1)]
    assert found[-1]["seq"] == found[-2]["seq"] == receiver.events[0]["seq"]
    failed = (await root.ask("GET", "/hooks/crm/attempts?only=failed")).body["items"]
    assert [it["error"] for it in failed] == ["HTTP 500"]
    assert (await root.ask("GET", "/hooks/nowhere/attempts")).status == 404
    row = {"hook": "crm", "seq": 1, "type": "x", "attempt": 1, "status": 204, "error": "", "at": 1.0, "seconds": 0.1}
    units = house.gateway.floor.units
    for _ in range(KEPT_ATTEMPTS + 5):
        await units.write(lambda ledger: write_attempt(ledger, row))
    assert len(await units.ask(lambda reads: attempts_of(reads, "crm", False, 2**53, 1000))) == KEPT_ATTEMPTS


async def test_events_are_sent_again_once_for_a_key(house: House, root: Browser, receiver: Receiver) -> None:
    crm = await built(house, receiver)
    await queued(house)
    await drained(crm)
    sent = [event["seq"] for event in receiver.events]
    body = {"seq": sent[0]}
    moved = await root.ask("POST", "/hooks/crm/replay", body, Idempotency_Key="again")
    assert (moved.status, moved.body) == (200, {"name": "crm", "after": sent[0] - 1})
    await drained(crm)
    assert [event["seq"] for event in receiver.events] == sent * 2
    repeated = await root.ask("POST", "/hooks/crm/replay", body, Idempotency_Key="again")
    assert repeated.body == moved.body
    await drained(crm)
    assert len(receiver.calls) == 2 * len(sent), "the same key moves nothing again"
    at = datetime.fromtimestamp(house.clock.at - 60, UTC).isoformat()
    assert (await root.ask("POST", "/hooks/crm/replay", {"at": at})).body["after"] < sent[0]
    rows = (await root.ask("GET", "/audit?action=hook_replayed")).body["items"]
    assert [(it["by"], it["object"]) for it in rows] == [("root", "hook:crm")] * 2
    assert rows[-1]["detail"] == {"after": sent[0] - 1}


@pytest.mark.parametrize(
    "body", [{}, {"seq": 1, "at": "2027-01-01T00:00:00Z"}, {"seq": 0}, {"at": "2027-01-01T00:00:00"}]
)
async def test_a_replay_needs_one_place(house: House, root: Browser, receiver: Receiver, body: dict[str, Any]) -> None:
    await built(house, receiver)
    assert (await root.ask("POST", "/hooks/crm/replay", body)).kind == "invalid"


async def test_a_stopped_webhook_goes_on_where_it_stopped(house: House, root: Browser, receiver: Receiver) -> None:
    crm = await built(house, receiver, stop_after="1h")
    receiver.answers = [503] * 5
    await queued(house)
    for _ in range(3):
        await drained(crm)
        house.clock.at += 4000
    root = await house.browser("root")
    assert ((await hook(root))["state"], (await hook(root))["why"]) == ("stopped", "failing")
    receiver.answers = []
    assert (await root.ask("POST", "/hooks/crm/resume")).status == 200
    await drained(crm)
    assert ((await hook(root))["state"], (await hook(root))["behind"]) == ("works", 0)
    house.gateway.config.webhooks["never"] = settings(receiver)
    assert (await root.ask("POST", "/hooks/never/resume")).kind == "conflict"
    assert (await root.ask("POST", "/hooks/nowhere/resume")).status == 404


# --- the audit -------------------------------------------------------------------------------------------------------


async def test_the_audit_is_looked_through(house: House, root: Browser) -> None:
    anna = await house.add("anna", support="operator")
    browser = await house.browser("anna")
    token = (await browser.ask("POST", "/tokens", {"name": "x", "scopes": ["me:read"]})).body

    async def found(query: str) -> list[str]:
        answer = await root.ask("GET", f"/audit?{query}")
        assert answer.status == 200, answer.body
        return [it["action"] for it in answer.body["items"]]

    assert await found("by=anna") == ["token_added", "login"]
    assert await found("by=ann_") == [], "no patterns"
    assert await found("by=%25") == []
    assert await found(f"object=token:{token['id']}") == ["token_added"]
    assert await found(f"object=user:{anna.id}&action=user_added") == ["user_added"]
    assert await found("until=2001-01-01T00:00:00Z") == []
    assert await found("since=2001-01-01T00:00:00Z&by=anna&action=login") == ["login"]
    first = (await root.ask("GET", "/audit?limit=1")).body
    second = (await root.ask("GET", f"/audit?limit=1&cursor={first['next']}")).body
    assert second["items"][0]["id"] == first["items"][0]["id"] - 1


async def test_the_chain_is_checked(house: House, root: Browser) -> None:
    whole = (await root.ask("GET", "/audit/check")).body
    assert (whole["whole"], whole["broken"], whole["rows"]) == (True, None, 2)
    forged = update(audit).where(audit.c.id == literal_column("1")).values(by=literal_column("'nobody'"))
    await house.gateway.floor.units.write(lambda ledger: asked(ledger).run(forged))
    broken = (await root.ask("GET", "/audit/check")).body
    assert (broken["whole"], broken["broken"], broken["why"]) == (False, 1, "changed")
