"""The door for callbacks: who may speak, what is answered, and both ways in at once."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, web

from adapters.vk.callback import MOST_AFTER
from adapters.vk.channel import Vk
from core.events import Message
from tests.adapters.telegram.gate import FakeGate
from tests.adapters.vk.conftest import Build
from tests.emulators.vk import CODE, GROUP, VkEmulator

SECRET = "word"
Post = Callable[..., Awaitable[tuple[int, str, dict[str, str]]]]


class Door:
    """A channel behind an HTTP server."""

    def __init__(self, channel: Vk, url: str) -> None:
        self.channel, self.url = channel, url


@pytest.fixture
async def serve(build: Build, gate: FakeGate) -> AsyncIterator[Callable[..., Awaitable[Door]]]:
    """Starts a channel behind a server of its own."""
    runners: list[web.AppRunner] = []

    async def make(**settings: Any) -> Door:
        app = web.Application(client_max_size=1 << 20)
        runner = web.AppRunner(app)
        holder: list[Vk] = []

        async def hook(request: web.Request) -> Any:
            ((_, _, handler),) = holder[0].routes()
            return await handler(request)

        app.router.add_post("/hooks/vk", hook)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        defaults = {"mode": "callback", "secret": SECRET, "confirmation": CODE, "public_url": url}
        holder.append(build(**{**defaults, **settings}))
        await holder[0].start(gate)
        await holder[0].caught_up()
        return Door(holder[0], f"{url}/hooks/vk")

    yield make
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with ClientSession() as session:

        async def send(door: Door, event: Any, **headers: str) -> tuple[int, str, dict[str, str]]:
            body = event if isinstance(event, bytes) else orjson.dumps(event)
            async with session.post(door.url, data=body, headers=headers) as answer:
                return answer.status, await answer.text(), dict(answer.headers)

        yield send


def event(text: str = "да", number: int = 1, **changes: Any) -> dict[str, Any]:
    message = {
        "peer_id": 7,
        "from_id": 7,
        "id": number,
        "conversation_message_id": number,
        "date": int(time.time()),
        "text": text,
    }
    whole = {"type": "message_new", "object": {"message": message}, "group_id": GROUP, "event_id": "e", "v": "5.199"}
    return {**whole, "secret": SECRET, **changes}


async def test_ok_only_after_the_commit(serve: Any, post: Post, gate: FakeGate, vk: VkEmulator) -> None:
    door = await serve()
    gate.full, gate.after = 1, 7.0
    status, _, headers = await post(door, event())
    assert status == 503
    wait = parsedate_to_datetime(headers["Retry-After"]).timestamp() - time.time()
    assert 5 < wait < 9
    assert gate.inbounds == []
    assert (await post(door, event()))[:2] == (200, "ok")
    assert [one.event for one in gate.inbounds] == [Message("да")]


async def test_vk_is_never_asked_to_wait_longer_than_it_can(
    serve: Any, post: Post, gate: FakeGate, vk: VkEmulator
) -> None:
    door = await serve()
    gate.full, gate.after = 1, 86_400.0
    _, _, headers = await post(door, event())
    assert parsedate_to_datetime(headers["Retry-After"]).timestamp() - time.time() <= MOST_AFTER


async def test_the_confirmation_string_is_for_our_community_only(
    serve: Any, post: Post, gate: FakeGate, vk: VkEmulator
) -> None:
    door = await serve()
    assert (await post(door, {"type": "confirmation", "group_id": GROUP}))[:2] == (200, CODE)
    assert (await post(door, {"type": "confirmation", "group_id": GROUP, "secret": SECRET}))[:2] == (200, CODE)
    assert (await post(door, {"type": "confirmation", "group_id": GROUP, "secret": "x"}))[0] == 403
    assert (await post(door, {"type": "confirmation", "group_id": GROUP + 1}))[0] == 403
    assert (await post(door, {"type": "confirmation"}))[0] == 403


async def test_an_unknown_confirmation_string_is_asked_for(
    serve: Any, post: Post, gate: FakeGate, vk: VkEmulator
) -> None:
    door = await serve(confirmation="")
    assert (await post(door, {"type": "confirmation", "group_id": GROUP}))[:2] == (200, CODE)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"secret": "wrong"}, "wrong_secret"),
        ({"secret": ""}, "wrong_secret"),
        ({"secret": None}, "wrong_secret"),
        ({"secret": [SECRET]}, "wrong_secret"),
        ({"secret": "\ud83d"}, "wrong_secret"),
        ({"group_id": GROUP + 1}, "foreign_account"),
        ({"group_id": str(GROUP)}, "foreign_account"),
        ({"group_id": None}, "foreign_account"),
    ],
)
async def test_strangers_leave_a_number_only(
    serve: Any, post: Post, gate: FakeGate, vk: VkEmulator, changes: dict[str, Any], what: str
) -> None:
    door = await serve()
    raw = json.dumps(event(**changes)).encode()  # half a symbol stays half a symbol
    assert (await post(door, raw))[0] == 403
    assert gate.counted == {("vk", what): 1}
    assert (gate.inbounds, gate.quarantined) == ([], [])


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"5", b'"ok"', b"\xff\xfe", b"[" * 50_000])
async def test_what_is_no_event_is_refused(serve: Any, post: Post, gate: FakeGate, vk: VkEmulator, raw: bytes) -> None:
    door = await serve()
    assert (await post(door, raw))[0] == 403
    assert gate.counted == {("vk", "unreadable"): 1}
    assert gate.quarantined == []


async def test_a_replay_of_yesterday_is_refused(serve: Any, post: Post, gate: FakeGate, vk: VkEmulator) -> None:
    door = await serve()
    old = event()
    old["object"]["message"]["date"] -= 86_401
    assert (await post(door, old))[0] == 403
    assert gate.counted == {("vk", "replay"): 1}
    old["object"]["message"]["date"] += 3600
    assert (await post(door, old))[:2] == (200, "ok")


async def test_an_unreadable_event_of_vk_is_set_aside_and_acknowledged(
    serve: Any, post: Post, gate: FakeGate, vk: VkEmulator
) -> None:
    """Never a 500 for ever; and the secret is not kept with it."""
    door = await serve()
    assert (await post(door, event(object={"message": {"peer_id": "x"}})))[:2] == (200, "ok")
    ((channel, raw, reason),) = gate.quarantined
    assert (channel, reason) == ("vk", "ValueError")
    assert SECRET.encode() not in raw


async def test_repeats_are_counted_and_change_nothing(serve: Any, post: Post, gate: FakeGate, vk: VkEmulator) -> None:
    door = await serve()
    for counter in range(5):
        headers = {"X-Retry-Counter": str(counter)} if counter else {}
        assert (await post(door, event(), **headers))[:2] == (200, "ok")
    assert len(gate.inbounds) == 1
    assert gate.counted == {("vk", "redelivery"): 4}


@pytest.mark.parametrize("counter", ["-1", "x", "9" * 500, "²"])
async def test_an_odd_counter_costs_nothing(
    serve: Any, post: Post, gate: FakeGate, vk: VkEmulator, counter: str
) -> None:
    door = await serve()
    assert (await post(door, event(), **{"X-Retry-Counter": counter}))[:2] == (200, "ok")


async def test_the_gateway_makes_itself_known(serve: Any, gate: FakeGate, vk: VkEmulator) -> None:
    door = await serve()
    (server,) = vk.delivery.servers
    assert (server["url"], server["secret_key"]) == (door.url, SECRET)
    await vk.wait_call("groups.setCallbackSettings")
    vk.person(7)
    while server["status"] != "ok":
        await vk.delivery.confirm(server, CODE)
    vk.say(7, "раз")
    await gate.until(lambda: bool(gate.inbounds))


async def test_a_known_server_is_not_added_twice(serve: Any, build: Build, gate: FakeGate, vk: VkEmulator) -> None:
    door = await serve()
    url = door.url.removesuffix("/hooks/vk")
    second = build(mode="callback", secret="new-word", public_url=url)
    await second.start(gate)
    await vk.wait_call("groups.setCallbackSettings", 2)
    (server,) = vk.delivery.servers
    assert server["secret_key"] == "new-word"


async def test_both_ways_at_once_bring_one_message(serve: Any, gate: FakeGate, vk: VkEmulator) -> None:
    await serve(mode="both")
    await vk.wait_call("groups.setCallbackSettings")
    (server,) = vk.delivery.servers
    await vk.delivery.confirm(server, CODE)
    for number in range(20):
        vk.say(7, str(number))
    vk.press_payload(7, {"t": "1.2.0"})
    await gate.until(lambda: sum(gate.batches) >= 42)
    assert len(gate.inbounds) == 21
    answers = await vk.wait_call("messages.sendMessageEventAnswer")
    assert [one.error for one in answers] == [""]


async def test_what_callbacks_did_not_bring_the_history_tells(serve: Any, gate: FakeGate, vk: VkEmulator) -> None:
    """While we were away VK has given up: the next start reads back."""
    gate.cursors["vk"] = f"@{time.time() - 7200:.0f}"
    vk.say(7, "раз")
    await serve()
    assert [one.event for one in gate.inbounds] == [Message("раз")]


async def test_callbacks_that_stop_coming_are_noticed(serve: Any, gate: FakeGate, vk: VkEmulator) -> None:
    await serve(watch_seconds=0.3)
    vk.delivery.servers.clear()
    vk.say(7, "Слышите?")
    await gate.until(lambda: [one.event for one in gate.inbounds] == [Message("Слышите?")])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "callback", "secret": ""}, "секрет"),
        ({"mode": "both", "secret": ""}, "секрет"),
        ({"mode": "pigeon"}, "pigeon"),
        ({"group_id": 0}, "group_id"),
    ],
)
async def test_what_cannot_work_refuses_to_start(
    build: Build, gate: FakeGate, vk: VkEmulator, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        await build(**settings).start(gate)


async def test_a_polling_channel_has_no_door(build: Build, vk: VkEmulator) -> None:
    assert build().routes() == []
