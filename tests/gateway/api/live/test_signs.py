"""What lasts for seconds: who looks, who answers, whether the client types; slow sockets; two processes over one database."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from gateway.api.live import socket as sockets
from gateway.api.live.hub import Hub
from gateway.api.live.live import Live
from gateway.api.live.signs import BELIEVED, Signs
from storage.feed.store import Feed
from storage.hints.local import LocalHints
from tests.gateway.api.house import House
from tests.gateway.api.live.conftest import open_tap
from tests.gateway.api.test_deeds import queued


async def test_colleagues_see_who_looks_and_who_answers(house: House) -> None:
    anna, boris = await house.add("anna", support="operator"), await house.add("boris", support="operator")
    await house.add("carl", billing="operator")
    taps = [await open_tap(house, await house.browser(name)) for name in ("anna", "boris", "carl")]
    home = await queued(house)
    await taps[0].say("look", conversation=home)
    looking = await taps[1].next("looking")
    assert looking == {"type": "looking", "conversation": home, "people": [{"id": anna.id, "title": "Anna"}]}
    await taps[1].say("look", conversation=home)
    while len(looking["people"]) < 2:
        looking = await taps[0].next("looking")
    assert {it["id"] for it in looking["people"]} == {anna.id, boris.id}
    await taps[1].say("answering", conversation=home)
    assert (await taps[0].next("answering"))["person"] == {"id": boris.id, "title": "Boris"}
    house.gateway.hints.tell("signs:telegram", str(home))
    house.gateway.hints.tell("signs:telegram", f"{home} 3")
    assert (await taps[0].next("client_types"))["conversation"] == home
    assert (await taps[0].next("client_saw"))["upto"] == 3
    await taps[1].close()
    while len(looking["people"]) > 1:
        looking = await taps[0].next("looking")
    await taps[2].say("look", conversation=home)
    assert (await taps[2].next("error"))["code"] == "not-found"
    assert taps[1].of("answering") == [], "nobody is told of oneself"
    assert taps[2].of("looking", "answering", "client_types", "client_saw", "change") == []


async def test_a_watched_list_of_the_bot_ticks(house: House) -> None:
    await house.add("anna", support="operator")
    tap, other = [await open_tap(house, await house.browser("anna")) for _ in range(2)]
    await tap.say("watch", lists=["bot"])
    await tap.next("tick")
    before = len(tap.of("tick"))
    await house.client("привет")
    await tap.next("tick")
    assert len(tap.of("tick")) > before
    assert other.of("tick", "change") == [], "a talk with the bot is no line of the feed"


async def test_an_open_socket_is_a_sign_of_life(house: House) -> None:
    anna = await house.add("anna", support="operator")
    browser = await house.browser("anna")
    await browser.ask("PUT", "/me/presence", {"state": "online"})
    seen: list[tuple[str, int]] = []
    book = house.gateway.floor.presence
    book.seen = lambda user: seen.append(("seen", user))  # type: ignore[method-assign]
    book.gone = lambda user: seen.append(("gone", user))  # type: ignore[method-assign]
    first, second = await open_tap(house, browser), await open_tap(house, browser)
    await house.until(lambda: ("seen", anna.id) in seen)
    await first.close()
    await asyncio.sleep(0.05)
    assert ("gone", anna.id) not in seen
    await second.close()
    await house.until(lambda: seen[-1] == ("gone", anna.id))


async def test_hints_of_other_processes_are_believed_for_a_while_and_nonsense_is_not() -> None:
    now, hints = [0.0], LocalHints()
    heard: list[int] = []
    answers: list[tuple[int, int]] = []
    signs = Signs(hints, lambda: now[0], heard.append, lambda home, user: answers.append((home, user)))
    signs.start()
    for data in ("", "x", "p look 7", "p look 7 -5", "p look a b", "p look 7 5 9", "p look ٣ 5", "p dance 7 5"):
        hints.tell("live", data)
    hints.tell("live", "p look 7 5")
    hints.tell("live", "p answer 7 5")
    await asyncio.sleep(0.01)
    assert (signs.lookers(5), heard, answers) == ([7], [5], [(5, 7)])
    now[0] += BELIEVED + 1
    signs.beat()
    assert (signs.lookers(5), heard) == ([], [5, 5])


class Stuck:
    """A browser that does not read: nothing that is written ever leaves."""

    closed = False
    close_code: int | None = None

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.aborted = False

    async def send_frame(self, frame: bytes, _: object) -> None:
        self.sent.append(frame)
        await asyncio.get_running_loop().create_future()

    async def close(self, code: int, message: bytes) -> None:
        self.close_code = code
        await asyncio.get_running_loop().create_future()

    def abort(self) -> None:
        self.aborted = True

    def get_write_buffer_size(self) -> int:
        return 0


async def test_a_socket_that_does_not_read_is_dropped_and_keeps_nothing(monkeypatch: Any) -> None:
    monkeypatch.setattr(sockets, "CLOSING", 0.05)
    browser: Any = Stuck()
    one = sockets.Socket(browser, browser, None)  # type: ignore[arg-type]
    one.start()
    one.put(b"first")
    await asyncio.sleep(0.01)
    for n in range(sockets.WAITING + 10):
        one.put(b"%d" % n)
    assert one.closed
    assert len(one._frames) == 0
    await asyncio.sleep(0.2)
    assert (browser.close_code, browser.aborted, len(browser.sent)) == (sockets.BEHIND, True, 1)
    one.put(b"later")
    assert len(one._frames) == 0
    await one.stop()


async def test_a_slow_reader_holds_nobody_up(house: House, monkeypatch: Any) -> None:
    """One browser stops reading; the other hears everything at once, and the first is told to resume."""
    monkeypatch.setattr(sockets, "WAITING", 12)
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    slow, quick = await open_tap(house, browser), await open_tap(house, browser)
    live: Live = house.gateway.live
    first = live.hub.sockets[0]
    first._pumping.cancel()  # type: ignore[union-attr]
    await queued(house)
    for n in range(30):
        await house.client(f"слово {n}")
        while f"слово {n}" not in json.dumps(quick.all, ensure_ascii=False):
            await quick.next("change")
    assert await slow.until_closed() == sockets.BEHIND


def test_a_hub_forgets_what_is_gone() -> None:
    hub = Hub(2)
    assert (len(hub), hub.seeing([("*", "")]), hub.users) == (0, {}, [])
    assert not hub.leave(object())  # type: ignore[arg-type]


async def test_two_processes_see_the_same_order(house: House) -> None:
    """A second reader over the same store numbers and reads on its own, as another process would."""
    await house.add("anna", support="operator")
    tap = await open_tap(house, await house.browser("anna"))
    other = Feed(house.gateway.floor.units)
    await queued(house)
    await asyncio.gather(*(other.number() for _ in range(5)))
    await tap.next("change")
    await asyncio.sleep(0.1)
    rows = (await other.news(0, 0)).rows
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert [frame["seq"] for frame in tap.of("change")] == [row["seq"] for row in rows]
