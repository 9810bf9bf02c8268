"""The webhook: registered with a secret, answered after the commit, deaf to strangers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import orjson
import pytest
import structlog
from aiohttp import ClientSession, web

from adapters.max.capabilities import UPDATES
from adapters.max.channel import SECRET_HEADER, Max
from core.events import Message
from tests.adapters.max.conftest import Build, buttons, row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.max import BOT, MaxEmulator

SECRET = "a-long_Secret-1"


@dataclass
class Hooked:
    """A channel behind a real door."""

    channel: Max
    url: str
    http: ClientSession

    async def post(self, data: Any, secret: str = SECRET, **headers: str) -> tuple[int, str]:
        """Posts as MAX does, or as somebody else: the status and when to come again."""
        raw = BytesIO(data if isinstance(data, bytes) else orjson.dumps(data))
        sent = {"Content-Type": "application/json", SECRET_HEADER: secret, **headers}
        async with self.http.post(self.url, data=raw, headers=sent) as answer:
            return answer.status, answer.headers.get("Retry-After", "")


@pytest.fixture
async def hooked(build: Build, max_: MaxEmulator, gate: FakeGate) -> AsyncIterator[Hooked]:
    """A started channel whose webhook MAX knows."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    doors: dict[str, Any] = {}

    async def door(request: web.Request) -> web.StreamResponse:
        answer: web.StreamResponse = await doors["hook"](request)
        return answer

    app.router.add_post("/hooks/max", door)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    channel = build(mode="webhook", secret=SECRET, public_url=base)
    ((method, path, doors["hook"]),) = channel.routes()
    assert (method, path) == ("POST", "/hooks/max")
    max_.person(7)
    await channel.start(gate)
    async with ClientSession() as http:
        yield Hooked(channel, f"{base}{path}", http)
    await channel.stop()
    await runner.cleanup()


def texts(gate: FakeGate) -> list[str]:
    return [inbound.event.text for inbound in gate.inbounds if isinstance(inbound.event, Message)]


async def test_it_subscribes_with_the_secret(hooked: Hooked, max_: MaxEmulator) -> None:
    (subscription,) = max_.delivery.subscriptions.values()
    assert (subscription["url"], subscription["secret"]) == (hooked.url, SECRET)
    assert subscription["update_types"] == list(UPDATES)
    assert hooked.channel.capabilities.quotes


async def test_messages_come_and_presses_are_answered(hooked: Hooked, max_: MaxEmulator, gate: FakeGate) -> None:
    max_.say(7, "привет")
    await gate.until(lambda: texts(gate) == ["привет"])
    await hooked.channel.send(row(rows=buttons("Да")))
    pressed = max_.press(7, "Да")
    await gate.until(lambda: len(gate.inbounds) == 2)
    await max_.wait_call("POST /answers")
    assert max_.world.answered == [pressed["callback"]["callback_id"]]
    await hooked.channel.caught_up()


async def test_what_comes_five_times_is_taken_once(hooked: Hooked, max_: MaxEmulator, gate: FakeGate) -> None:
    update = max_.say(7, "раз")
    await gate.until(lambda: len(gate.inbounds) == 1)
    assert [(await hooked.post(update))[0] for _ in range(5)] == [200] * 5
    assert texts(gate) == ["раз"]


async def test_both_doors_know_each_other(hooked: Hooked, build: Build, max_: MaxEmulator, gate: FakeGate) -> None:
    """The same update by webhook and, after a change of the mode, by a poll: taken once."""
    update = max_.say(7, "раз")
    await gate.until(lambda: len(gate.inbounds) == 1)
    await hooked.channel.stop()
    max_.delivery.subscriptions.clear()
    max_.push(update)
    channel = build()
    await channel.start(gate)
    await gate.until(lambda: sum(gate.batches) == 2)
    assert texts(gate) == ["раз"]


async def test_a_full_store_is_told_and_max_comes_again(hooked: Hooked, max_: MaxEmulator, gate: FakeGate) -> None:
    gate.full, gate.after = 3, 2.2
    assert await hooked.post(max_.say(8, "подождите")) == (503, "3")
    await gate.until(lambda: len(gate.inbounds) == 1)
    assert max_.delivery.refused == [503, 503]
    assert texts(gate) == ["подождите"]


async def test_strangers(hooked: Hooked, max_: MaxEmulator, gate: FakeGate) -> None:
    """Without the word: 403, and nothing is stored; a number is all that is left."""
    update = {"update_type": "message_created", "timestamp": 1, "message": {"body": {"mid": "m", "text": "canary"}}}
    for secret in ("", "wrong", SECRET + "x", "ы"):
        assert (await hooked.post(update, secret=secret.encode().decode("latin-1")))[0] == 403
    assert (await hooked.post(b"x" * (1 << 21)))[0] == 413
    assert (await hooked.post(update, **{"Content-Encoding": "gzip"}))[0] in {400, 415}
    assert not gate.inbounds
    assert not gate.quarantined
    assert gate.counted == {("max", "wrong_secret"): 4, ("max", "too_large"): 1}


async def test_updates_of_another_bot(hooked: Hooked, max_: MaxEmulator, gate: FakeGate) -> None:
    update = max_.say(7, "своему")
    await gate.until(lambda: len(gate.inbounds) == 1)
    other = orjson.loads(orjson.dumps(update).replace(str(BOT).encode(), b"111").replace(b"mid.", b"mid.other"))
    assert (await hooked.post(other))[0] == 403
    assert gate.counted == {("max", "foreign_account"): 1}
    assert len(gate.inbounds) == 1


async def test_poison_is_set_aside(hooked: Hooked, gate: FakeGate) -> None:
    for poison in (b"{", b"[]", b"null", b'{"update_type":"teleported"}', b'"\\ud800"'):
        assert (await hooked.post(poison))[0] == 200
    assert len(gate.quarantined) == 5
    assert gate.inbounds == []


async def test_half_a_surrogate_costs_nothing(hooked: Hooked, max_: MaxEmulator, gate: FakeGate) -> None:
    raw = orjson.dumps(max_.say(7, "раз")).replace("раз".encode(), b"\\ud83d!").replace(b"mid.", b"mid.x")
    await hooked.post(raw)
    assert "?!" in texts(gate)


async def test_a_group_is_left(hooked: Hooked, max_: MaxEmulator) -> None:
    max_.add_to_group(7)
    await max_.wait_call("DELETE /chats/members/me")


# --- configuration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "carrier pigeon"}, "carrier pigeon"),
        ({"mode": "webhook", "public_url": "https://a.example"}, "секрета"),
        ({"mode": "webhook", "public_url": "https://a.example", "secret": "four"}, "5–256"),
        ({"mode": "webhook", "public_url": "https://a.example", "secret": "с пробелом"}, "5–256"),
        ({"mode": "webhook", "secret": SECRET}, "public_url"),
        ({"mode": "webhook", "secret": SECRET, "public_url": "http://plain.example"}, "HTTPS"),
    ],
)
async def test_what_cannot_work(build: Build, gate: FakeGate, max_: MaxEmulator, settings: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        await build(**settings).start(gate)


async def test_a_process_that_only_sends_registers_nothing(build: Build, gate: FakeGate, max_: MaxEmulator) -> None:
    gate.hears = False
    await build(mode="webhook", secret=SECRET, public_url="https://a.example").start(gate)
    assert max_.world.calls == []


async def test_max_away_at_the_start(build: Build, gate: FakeGate, max_: MaxEmulator) -> None:
    """Other channels do not wait: it is tried again in the background."""
    max_.fail(method="POST /subscriptions", kind="cut")
    max_.fail(method="GET /me", kind="503")
    await build(mode="webhook", secret=SECRET, public_url="https://a.example").start(gate)
    assert max_.delivery.subscriptions == {}
    await max_.wait_call("POST /subscriptions", 2)
    assert list(max_.delivery.subscriptions) == ["https://a.example/hooks/max"]


async def test_an_address_refused_later_is_said(build: Build, gate: FakeGate, max_: MaxEmulator) -> None:
    max_.fail(method="POST /subscriptions", kind="cut")
    max_.fail(method="POST /subscriptions", kind="400", words="bad url")
    channel = build(mode="webhook", secret=SECRET, public_url="https://a.example")
    with structlog.testing.capture_logs() as logs:
        await channel.start(gate)
        await channel._background.finished()
    assert [line["event"] for line in logs] == ["max_webhook_waits", "max_webhook_refused"]


async def test_a_door_that_is_not_open_yet(build: Build) -> None:
    channel = build(mode="webhook", secret=SECRET, public_url="https://a.example")
    assert build().routes() == []
    refused = channel._refused({})
    assert refused is not None
    assert (refused.status, (await channel._hook({}, b"{}")).status) == (503, 503)
    with pytest.raises(RuntimeError):
        await channel.send(row())
