"""Wake-ups: told at once, a burst as one hint, the last of a burst never swallowed."""

from __future__ import annotations

import asyncio

from gateway.wakeups import PAUSE_SECONDS, Bell, Wakeups
from storage.hints import LocalHints
from tests.gateway.shared import SharedStore, Tables


async def test_a_burst_is_rung_at_its_begin_and_at_its_end() -> None:
    loop = asyncio.get_running_loop()
    rung: list[float] = []
    bell = Bell(lambda: rung.append(loop.time()))
    began = loop.time()
    for _ in range(1000):
        bell.ring()
    assert len(rung) == 1
    async with asyncio.timeout(2):
        while len(rung) < 2:
            await asyncio.sleep(0.001)
    assert rung[1] - began >= PAUSE_SECONDS - 0.002
    await asyncio.sleep(3 * PAUSE_SECONDS)
    assert len(rung) == 2, "nothing was left to ring for"
    bell.ring()
    assert len(rung) == 3


async def test_a_stopped_bell_is_silent() -> None:
    rung: list[int] = []
    bell = Bell(lambda: rung.append(1))
    bell.ring()
    bell.ring()
    bell.stop()
    await asyncio.sleep(2 * PAUSE_SECONDS)
    assert rung == [1]


async def test_what_a_commit_leaves_to_others_is_told_to_all() -> None:
    hints = LocalHints()
    store = SharedStore(Tables(lambda: 0.0))
    one, two = Wakeups(hints), Wakeups(hints)
    one.connect(store)
    heard: list[str] = []
    for topic in ("events", "rows:", "rows:telegram"):
        two.listen(topic, lambda topic=topic: heard.append(topic))  # type: ignore[misc]
    assert store.on_events is not None
    assert store.on_rows is not None
    store.on_events()
    store.on_rows(frozenset({"telegram", ""}))
    store.on_rows(frozenset({"somebody else's"}))
    await asyncio.sleep(0.01)
    assert sorted(heard) == ["events", "rows:", "rows:telegram"]
    two.stop()
    await asyncio.sleep(2 * PAUSE_SECONDS)
    store.on_events()
    await asyncio.sleep(0.01)
    assert len(heard) == 3
    one.stop()
