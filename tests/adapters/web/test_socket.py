"""The chat over a socket: what was missed first, then live; strangers are sent away."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestClient

from adapters.web import hub
from adapters.web.live import CLOSE_AGAIN, CLOSE_HELLO, CLOSE_TOKEN
from core.messages import Outgoing
from core.rich import plain
from tests.adapters.web.conftest import Open, Visitor, frame, shown, visit
from tests.adapters.web.house import House

Client = TestClient[Any, Any]


async def test_history_first_then_live(visitor: Visitor) -> None:
    await visitor.said("m1", text="before")
    socket = await visitor.socket()
    first = await frame(socket)
    assert first["type"] == "history"
    assert [item["text"] for item in first["items"]] == ["before", "Echo: before"]
    await visitor.said("m2", text="after")
    items = await shown(socket, "after")
    assert items[-1]["id"] == "m2"
    await socket.close()


async def test_an_answer_is_live(visitor: Visitor) -> None:
    socket = await visitor.socket()
    assert (await frame(socket))["items"] == []
    await visitor.said("m1", text="hi")
    answer = (await shown(socket, "Echo: hi"))[-1]
    assert (answer["seq"], answer["author"]) == (2, "bot")
    await socket.close()


async def test_resume_sends_what_was_missed_in_order(visitor: Visitor, house: House) -> None:
    for number in range(4):
        await visitor.said(f"m{number}", text=str(number))
    socket = await visitor.socket(after=3)
    page = await frame(socket)
    assert [item["seq"] for item in page["items"]] == [4, 5, 6, 7, 8]
    assert page["cursor"] == 8
    await socket.close()


async def test_a_long_absence_comes_in_several_frames(visitor: Visitor, house: House) -> None:
    await visitor.said("m", text="x")
    await house.say(house.accepted[0].chat, *[Outgoing(plain(str(n))) for n in range(450)])
    socket = await visitor.socket(after=1)
    seqs: list[int] = []
    while True:
        page = await frame(socket)
        seqs += [item["seq"] for item in page["items"]]
        if not page["more"]:
            break
    assert seqs == list(range(2, 453))
    await socket.close()


async def test_a_lost_message_between_pending_and_sent_is_not_missed(visitor: Visitor, house: House) -> None:
    house.holding = True
    await visitor.said("m1", text="one")
    first = await visitor.socket()
    cursor = (await frame(first))["cursor"]
    await first.close()
    await house.release()
    second = await visitor.socket(after=cursor)
    assert [item["text"] for item in (await frame(second))["items"]] == ["Echo: one"]
    await second.close()


async def test_all_tabs_hear_all(visitor: Visitor) -> None:
    tabs = [await visitor.socket() for _ in range(3)]
    for tab in tabs:
        await frame(tab)
    await visitor.said("m1", text="hi")
    for tab in tabs:
        items = await shown(tab, "Echo: hi")
        assert {item["text"] for item in items} == {"hi", "Echo: hi"}
        await tab.close()


async def test_nobody_hears_others(visitor: Visitor, client: Client) -> None:
    other = await visit(client)
    mine, theirs = await visitor.socket(), await other.socket()
    await frame(mine)
    await frame(theirs)
    await visitor.said("m1", text="secret")
    await shown(mine, "Echo: secret")
    await other.said("m1", text="own")
    assert {item["text"] for item in await shown(theirs, "Echo: own")} == {"own", "Echo: own"}
    await mine.close()
    await theirs.close()


async def test_a_message_without_a_place_gets_it_with_the_answer(visitor: Visitor, house: House) -> None:
    house.asleep = True
    socket = await visitor.socket()
    await frame(socket)
    await visitor.said("m1", text="later")
    assert (await shown(socket, "later"))[-1]["seq"] == 0
    house.asleep = False
    await house.wake()
    items = await shown(socket, "Echo: later")
    assert [(item["seq"], item["text"]) for item in items] == [(1, "later"), (2, "Echo: later")]
    await socket.close()


async def test_an_edit_is_live_and_is_caught_up_on(visitor: Visitor, house: House) -> None:
    await visitor.said("m1", text="hi")
    chat = house.accepted[0].chat
    await house.say(chat, Outgoing(plain("place 3")), slot="queue")
    socket = await visitor.socket()
    await frame(socket)
    await house.say(chat, Outgoing(plain("place 2")), slot="queue", replace=True)
    edited = (await shown(socket, "place 2"))[-1]
    assert (edited["seq"], edited["edited"]) == (3, 1)
    again = await visitor.socket(after=3)
    assert (await frame(again))["item"]["text"] == "place 2"
    await socket.close()
    await again.close()


async def test_an_operator_is_told_apart(visitor: Visitor, house: House) -> None:
    await visitor.said("m1", text="hi")
    socket = await visitor.socket()
    await frame(socket)
    await house.say(house.accepted[0].chat, Outgoing(plain("I am a person")), author="operator")
    assert (await shown(socket, "I am a person"))[-1]["author"] == "operator"
    await socket.close()


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ('{"token": "wrong"}', CLOSE_TOKEN),
        ('{"token": ""}', CLOSE_TOKEN),
        ("{}", CLOSE_HELLO),
        ("ping", CLOSE_HELLO),
        ("[" * 5000, CLOSE_HELLO),
    ],
)
async def test_strangers_are_sent_away(client: Client, house: House, hello: str, code: int) -> None:
    socket = await client.ws_connect("/chat/site/socket")
    await socket.send_str(hello)
    message = await socket.receive(timeout=5)
    assert message.type is WSMsgType.CLOSE
    assert socket.close_code == code


async def test_silence_and_noise_are_sent_away(open_house: Open) -> None:
    _, client = await open_house(hello_timeout=0.05)
    silent = await client.ws_connect("/chat/site/socket")
    await silent.receive(timeout=5)
    assert silent.close_code == CLOSE_HELLO
    noisy = await client.ws_connect("/chat/site/socket")
    await noisy.send_bytes(b"\0")
    await noisy.receive(timeout=5)
    assert noisy.close_code == CLOSE_HELLO


async def test_frames_above_64_kib_end_the_socket(visitor: Visitor) -> None:
    socket = await visitor.socket()
    await frame(socket)
    await socket.send_str("x" * 70_000)
    message = await socket.receive(timeout=5)
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
    assert socket.close_code == 1009


async def test_pages_of_others_open_no_socket(client: Client) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/chat/site/socket", origin="https://evil.example")
    assert refused.value.status == 403


async def test_sockets_are_not_compressed(client: Client, visitor: Visitor) -> None:
    socket = await client.ws_connect("/chat/site/socket", compress=15)
    assert socket.compress == 0
    await socket.close()


async def test_ping_is_answered(visitor: Visitor) -> None:
    socket = await visitor.socket()
    await frame(socket)
    await socket.send_str("ping")
    assert await frame(socket) == {"type": "pong"}
    await socket.close()


async def test_stopping_sends_all_away_to_come_again(visitor: Visitor, house: House) -> None:
    socket = await visitor.socket()
    await frame(socket)
    await house.channel.stop()
    await socket.receive(timeout=5)
    assert socket.close_code == CLOSE_AGAIN


async def test_a_slow_page_is_cut_off_and_resumes(
    visitor: Visitor, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "WAITING", 2)
    await visitor.said("m", text="x")
    listener = house.channel._room.hub.join(house.accepted[0].chat)
    for number in range(5):
        listener.put({"type": "item", "n": number})
    frames = [listener.frames.get_nowait() for _ in range(3)]
    assert frames[-1] is None


async def test_the_oldest_tab_gives_way(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "SOCKETS", 2)
    tabs = []
    for _ in range(3):
        tabs.append(await visitor.socket())
        await frame(tabs[-1])
    await tabs[0].receive(timeout=5)
    assert tabs[0].close_code == CLOSE_AGAIN
    for tab in tabs:
        await tab.close()


async def test_order_and_once_under_many_messages(visitor: Visitor, house: House) -> None:
    socket = await visitor.socket()
    await frame(socket)
    await asyncio.gather(*[visitor.said(f"m{n}", text=f"t{n}") for n in range(15)])
    known: dict[int, str] = {}
    while len(known) < 30:
        told = await frame(socket)
        item = told["item"]
        if item["seq"]:
            assert known.setdefault(item["seq"], item["text"]) == item["text"]
    assert [item["text"] for item in (await visitor.history())["items"]] == [known[seq] for seq in sorted(known)]
    assert json.dumps(known)
    await socket.close()
