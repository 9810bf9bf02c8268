"""Hints within one process: heard in order, once; taken back; counted; here for a while."""

from __future__ import annotations

import asyncio

import pytest

from storage.hints import open_hints
from storage.hints.local import Counts, LocalHints


async def test_what_is_told_is_heard_in_order_and_repeats_once() -> None:
    hints, heard = open_hints(""), list[str]()
    hints.listen("history:site", heard.append)
    hints.listen("events", lambda data: heard.append(f"events {data}"))
    for data in ("1", "2", "1"):
        hints.tell("history:site", data)
    hints.tell("events")
    hints.tell("rows:site", "nobody listens")
    assert heard == []  # never from within `tell`: who tells may hold a lock
    await asyncio.sleep(0.01)
    assert heard == ["1", "2", "events "]


async def test_a_listener_taken_back_hears_nothing_more() -> None:
    hints, one, other = LocalHints(), list[str](), list[str]()
    unlisten = hints.listen("events", one.append)
    hints.listen("events", other.append)
    unlisten()
    unlisten()
    hints.tell("events", "x")
    await asyncio.sleep(0.01)
    assert (one, other) == ([], ["x"])


async def test_a_listener_may_tell_and_take_itself_back() -> None:
    hints, heard = LocalHints(), list[str]()

    def once(data: str) -> None:
        unlisten()
        heard.append(data)
        hints.tell("flows", "again")

    unlisten = hints.listen("flows", once)
    hints.tell("flows", "first")
    await asyncio.sleep(0.01)
    assert heard == ["first"]
    assert hints.topics() == frozenset()


async def test_closed_hints_are_silent() -> None:
    hints, heard = LocalHints(), list[str]()
    hints.listen("events", heard.append)
    hints.tell("events")
    await hints.close()
    await asyncio.sleep(0.01)
    assert heard == []


async def test_counts_within_a_window() -> None:
    now = 0.0
    hints = LocalHints(lambda: now)
    assert [await hints.count("a", 10) for _ in range(3)] == [1, 2, 3]
    assert await hints.count("b", 10) == 1
    now = 10.0
    assert await hints.count("a", 10) == 1


def test_the_longest_silent_key_is_forgotten_first() -> None:
    counts = Counts(remembered=2)
    assert [counts.add(key, 10, 1.0) for key in ("a", "b", "a", "c", "a", "b")] == [1, 1, 2, 1, 3, 1]


async def test_presence_ends_by_itself() -> None:
    now = 0.0
    hints = LocalHints(lambda: now)
    await hints.present("process:a", 5)
    await hints.present("process:b", 9)
    await hints.present("operator:c", 9)
    assert await hints.who("process:") == {"process:a", "process:b"}
    now = 6.0
    assert await hints.who("process:") == {"process:b"}


def test_another_kind_of_server_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown hints 'memcached'"):
        open_hints("memcached://localhost")
