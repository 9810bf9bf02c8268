"""Outgoing webhooks: signed, in order, again until they are taken, stopped and resumed, never with anybody's words."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Judge

from gateway.config.hooks import Webhook
from gateway.hooks import deliver
from gateway.hooks.deliver import Delivery
from gateway.hooks.office import HooksOffice
from gateway.hooks.payload import build_event, is_wanted, type_of
from storage.codec import encode
from storage.feed import hooks
from storage.rows import Row
from tests.gateway.api.house import House, open_house
from tests.gateway.api.test_deeds import queued

SECRET = "whsec_" + base64.b64encode(os.urandom(32)).decode()


@dataclass
class Receiver:
    """Another system: `answers` are used up first, then everything is taken."""

    server: TestServer
    answers: list[int] = field(default_factory=list)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append(({**request.headers}, await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.calls]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async for made in open_house():
        yield made


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    app = web.Application()
    made = Receiver(TestServer(app))
    app.router.add_post("/in", made.take)
    await made.server.start_server()
    yield made
    await made.server.close()


def settings(receiver: Receiver, **more: Any) -> Webhook:
    url = str(receiver.server.make_url("/in"))
    return Webhook(**{"url": url, "secret": SECRET, "allow_private": True, "events": ["*"], **more})


async def begun(house: House, receiver: Receiver, **more: Any) -> Delivery:
    """A webhook that is told what happens from now on."""
    gateway = house.gateway
    made = Delivery(
        "crm", settings(receiver, **more), gateway.floor.units, gateway.leases, gateway.metrics, house.clock.now
    )
    house.stack.push_async_callback(made.close)
    await made.step()
    return made


async def drained(delivery: Delivery) -> None:
    while await delivery.step():
        pass


async def state(house: House) -> Row:
    found = await house.gateway.floor.units.ask(lambda reads: hooks.hook(reads, "crm"))
    assert found is not None
    return found


async def test_events_come_in_order_signed_as_the_specification_says(house: House, receiver: Receiver) -> None:
    crm = await begun(house, receiver)
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    home = await queued(house)
    await browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    await drained(crm)
    for headers, body in receiver.calls:
        Judge(SECRET).verify(body.decode(), headers)
    seqs = [event["seq"] for event in receiver.events]
    assert seqs == sorted(set(seqs))
    assert len({headers["webhook-id"] for headers, _ in receiver.calls}) == len(seqs)
    changed = [event for event in receiver.events if event["type"] == "session.changed"]
    assert [event["data"]["session"]["status"] for event in changed][-1] == "assigned"
    assert changed[-1]["data"]["before"] == {"line": "support", "operator": ""}


async def test_what_is_not_taken_comes_again_and_holds_up_what_is_behind_it(house: House, receiver: Receiver) -> None:
    crm = await begun(house, receiver)
    receiver.answers = [500, 429]
    await queued(house)
    await house.client("ещё слово")
    await drained(crm)
    assert len(receiver.calls) == 1, "nothing overtakes it"
    assert (await state(house))["error"] == "HTTP 500"
    await drained(crm)
    assert len(receiver.calls) == 1, "not before its time"
    house.clock.at += deliver.PAUSES[0] * 1.2
    await drained(crm)
    assert len(receiver.calls) == 2
    house.clock.at += deliver.PAUSES[1] * 1.2
    await drained(crm)
    ids = [headers["webhook-id"] for headers, _ in receiver.calls]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert [body for _, body in receiver.calls[:3]] == [receiver.calls[0][1]] * 3
    assert (await state(house))["attempts"] == 0


async def test_long_failure_stops_it_and_a_command_resumes_it_without_loss(house: House, receiver: Receiver) -> None:
    crm = await begun(house, receiver, stop_after="1h")
    receiver.answers = [503] * 5
    await queued(house)
    for _ in range(5):
        await drained(crm)
        house.clock.at += 4000
    found = await state(house)
    assert found["stopped"] == "failing"
    calls = len(receiver.calls)
    receiver.answers = []
    await drained(crm)
    assert len(receiver.calls) == calls
    office = HooksOffice(house.store, ["crm"], house.clock.now)
    (told,) = await office.hooks()
    assert (told["stopped"], told["configured"]) == ("failing", True)
    await office.resume("crm")
    await drained(crm)
    assert receiver.events[calls]["seq"] == receiver.events[0]["seq"]
    assert (await state(house))["stopped"] == ""


async def test_whoever_says_gone_is_left_alone(house: House, receiver: Receiver) -> None:
    crm = await begun(house, receiver)
    receiver.answers = [410]
    await queued(house)
    await drained(crm)
    house.clock.at += 100_000
    await drained(crm)
    assert len(receiver.calls) == 1
    assert (await state(house))["stopped"] == "gone"


async def test_a_replay_sends_the_same_again(house: House, receiver: Receiver) -> None:
    crm = await begun(house, receiver)
    await queued(house)
    await drained(crm)
    first = list(receiver.calls)
    office = HooksOffice(house.store, ["crm"], house.clock.now)
    await office.replay("crm", seq=json.loads(first[0][1])["seq"])
    await drained(crm)
    assert [body for _, body in receiver.calls] == [body for _, body in first] * 2
    await office.replay("crm", at=house.clock.at - 1)
    await drained(crm)
    again = [body for _, body in receiver.calls[2 * len(first) :]]
    assert again[: len(first)] == [body for _, body in first], "from that moment on, and what has come since"


async def test_a_private_address_is_not_called(house: House, receiver: Receiver) -> None:
    crm = await begun(house, receiver, allow_private=False)
    await queued(house)
    await drained(crm)
    assert receiver.calls == []
    assert (await state(house))["error"] == "the address is private"


async def test_a_filter_of_lines_keeps_the_others_out(house: House, receiver: Receiver) -> None:
    crm = await begun(house, receiver, lines=["billing"])
    await queued(house)
    await drained(crm)
    assert receiver.calls == []
    assert (await state(house))["cursor"] > 0, "what is not for it is behind it"


async def test_no_word_of_anybody_goes_out(house: House, receiver: Receiver) -> None:
    """A6 for webhooks: notes, what clients say, what operators say."""
    crm = await begun(house, receiver)
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    home = await queued(house)
    await browser.ask("POST", f"/conversations/{home}/take", {"epoch": 1})
    await browser.ask("POST", f"/conversations/{home}/note", {"text": "тайная заметка"})
    await browser.ask("POST", f"/conversations/{home}/reply", {"epoch": 2, "text": "открытый ответ"})
    await house.client("слова клиента")
    await drained(crm)
    assert len(receiver.calls) > 3
    said = b"".join(body for _, body in receiver.calls).decode()
    assert not any(word in said for word in ("тайная", "открытый", "слова", "привет"))


def row(kind: str = "session", person: str = "", line: str = "support", marks: dict[str, Any] | None = None) -> Row:
    return {
        "seq": 7, "at": 1_800_000_000.0, "kind": kind, "conversation": 5, "client": 3, "channel": "telegram",
        "line": line, "operator": "user:1", "person": person, "data": encode(marks or {}),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("made", "patterns", "lines", "wanted"),
    [
        (row(), ["session.*"], [], True),
        (row(), ["*"], ["support"], True),
        (row(), ["ticket.*"], [], False),
        (row(), ["session.changed"], ["billing"], False),
        (row(marks={"from": ["billing", ""]}), ["session.*"], ["billing"], True),
        (row(person="user:7"), ["*"], [], False),
        (row("presence"), ["presence.*"], [], True),
    ],
)
def test_filters(made: Row, patterns: list[str], lines: list[str], wanted: bool) -> None:
    assert is_wanted(made, patterns, lines) is wanted


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["now", "from", "what", "seq", "number", "version", "state", "text", "note"]), JSON)
)
def test_whatever_stands_in_the_feed_the_body_is_one_and_holds_no_long_text(data: dict[str, Any]) -> None:
    secret = "это заметка коллегам, и она длиннее любой отметки, которую ставит сама программа, на много слов"
    body = build_event(row(marks={**data, "text": secret, "note": secret, "state": secret, "what": [secret]}))
    found = msgspec.json.decode(body)
    assert (found["type"], found["seq"]) == (type_of("session"), 7)
    assert secret not in body.decode()
