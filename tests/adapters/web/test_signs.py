"""Who is writing and what was seen: from a page to those who answer, and typing the other way; over processes, too."""

from __future__ import annotations

import asyncio

import pytest

from adapters.web import signs
from adapters.web.signs import Signs
from core.events import Message
from core.messages import Outgoing, Quote
from core.rich import plain
from storage.hints.local import LocalHints
from tests.adapters.web.conftest import Open, Visitor, frame, shown, visit
from tests.adapters.web.house import House
from tests.adapters.web.test_processes import OpenPair, open_pair, page_elsewhere, store

__all__ = ["open_pair", "store"]


class Clock:
    """A clock that is moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def heard() -> None:
    """Local hints take two rounds of the loop: one to be told, one for each who hears."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_writing_ends_after_six_seconds_or_with_the_message() -> None:
    clock = Clock()
    here = Signs("site", None, clock)
    here.writes(7)
    assert here.writing() == {7}
    clock.now += signs.SECONDS + 0.1
    assert here.writing() == frozenset()
    here.writes(7)
    here.said(7)
    assert here.writing() == frozenset()


async def test_other_processes_hear_it_and_not_too_often() -> None:
    hints, clock = LocalHints(), Clock()
    told: list[str] = []
    hints.listen("signs:site", told.append)
    here, there = Signs("site", hints, clock), Signs("site", hints, clock)
    for _ in range(5):
        here.writes(7)
    here.saw(7, 12)
    here.saw(7, 11)
    await heard()
    assert there.writing() == {7}
    assert (there.seen(7), there.seen(8)) == (12, 0)
    assert told == ["7", "7 12"]
    there.stop()
    clock.now += signs.AGAIN
    here.saw(7, 20)
    await heard()
    assert there.seen(7) == 12


@pytest.mark.parametrize("data", ["", "x", "-1", "7.5"])
async def test_what_is_no_sign_is_nothing(data: str) -> None:
    hints = LocalHints()
    here = Signs("site", hints)
    hints.tell("signs:site", data)
    await heard()
    assert here.writing() == frozenset()


async def test_a_crowd_does_not_fill_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "KEYS", 3)
    here = Signs("site", None)
    for conversation in range(10):
        here.writes(conversation)
    assert here.writing() == {7, 8, 9}


async def said_over(visitor: Visitor, **word: object) -> None:
    """Says a word over a socket of its own, and waits until it was heard."""
    socket = await visitor.socket()
    await frame(socket)
    await socket.send_json(word)
    await socket.send_str("ping")
    while (await frame(socket))["type"] != "pong":
        pass
    await socket.close()


async def test_pages_say_what_was_seen_up_to_what_there_is(visitor: Visitor, house: House) -> None:
    await visitor.said("m1", text="hi")
    conversation = await house.store.find_conversation("site", "site", house.accepted[0].chat)
    assert conversation is not None
    await said_over(visitor, seen=2)
    assert house.channel.seen(conversation.id) == 2
    await said_over(visitor, seen=99)
    assert house.channel.seen(conversation.id) == 2


async def test_other_tabs_hear_what_was_seen(visitor: Visitor) -> None:
    await visitor.said("m1", text="hi")
    other = await visitor.socket()
    await frame(other)
    await said_over(visitor, seen=2)
    assert await frame(other) == {"type": "seen", "seq": 2}
    await other.close()


async def test_who_says_nonsense_is_sent_away(visitor: Visitor) -> None:
    await visitor.said("m1", text="hi")
    socket = await visitor.socket()
    await frame(socket)
    await socket.send_str("[")
    await socket.receive(timeout=5)
    assert socket.closed


async def test_who_says_too_much_is_not_heard(visitor: Visitor, house: House) -> None:
    await visitor.said("m1", text="hi")
    socket = await visitor.socket()
    await frame(socket)
    for _ in range(40):
        await socket.send_json({"typing": False})
    await socket.send_json({"seen": 2})
    await socket.send_str("ping")
    assert await frame(socket) == {"type": "pong"}
    await socket.close()


async def test_typing_reaches_pages_of_other_processes(open_pair: OpenPair) -> None:
    hints = LocalHints()
    pair = await open_pair(hints, hints)
    _, _, socket = await page_elsewhere(pair)
    (here, _), _ = pair
    chat = next(iter(pair[1][0].channel._room.hub._chats))
    await here.channel.typing(chat)
    assert await frame(socket) == {"type": "typing"}
    await socket.close()


async def test_a_reply_quotes_what_stands_in_the_history(visitor: Visitor, house: House) -> None:
    await visitor.said("m1", text="hi")
    await visitor.said("m2", text="to the bot", quote=2)
    await visitor.said("m3", text="to myself", quote=1)
    quotes = [inbound.event.quote for inbound in house.accepted if isinstance(inbound.event, Message)]
    assert quotes == [None, Quote("2", "Echo: hi"), Quote("m1", "hi")]
    items = (await visitor.history("?after=0"))["items"]
    assert [item.get("quote") for item in items[2::2]] == [{"id": "2", "text": "Echo: hi"}, {"id": "m1", "text": "hi"}]


async def test_a_reply_to_what_nobody_saw_is_refused(visitor: Visitor, house: House, open_house: Open) -> None:
    await visitor.said("open", link="")
    other = await visit(visitor.client)
    for seq in (-1, 1, 99):
        answer = await visitor.post("m", text="x", quote=seq)
        assert (answer.status, (await answer.json())["error"]) == (404, "not_found")
    assert (await other.post("m", text="x", quote=1)).status == 404
    assert len(house.accepted) == 1


async def test_operators_quotes_are_shown(visitor: Visitor, house: House) -> None:
    await visitor.said("m1", text="hi")
    socket = await visitor.socket()
    await frame(socket)
    answer = Outgoing(plain("yes"), quote=Quote("m1", "hi"))
    await house.say(house.accepted[0].chat, answer, author="operator")
    assert (await shown(socket, "yes"))[-1]["quote"] == {"id": "m1", "text": "hi"}
    await socket.close()
