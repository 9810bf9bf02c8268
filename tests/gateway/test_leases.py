"""Leases: one holder at a time, lost by one's own clock before another can have it, given back at once at a stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest

from gateway import leases as module
from gateway.leases import MARGIN_SECONDS, SECONDS, Leases
from gateway.metrics import Metrics
from storage.memory import MemoryStore
from tests.gateway.house import count
from tests.gateway.shared import SharedStore, Tables

T = TypeVar("T")
POLL = "poll:telegram"


class Time:
    """A clock that stands until it is moved; the store's and every process's own."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """Processes around one set of tables."""

    def __init__(self) -> None:
        self.time = Time()
        self.tables = Tables(self.time)
        self.made: list[Leases] = []
        self.metrics: list[Metrics] = []

    def process(self, owner: str, clock: Callable[[], float] | None = None) -> Leases:
        self.metrics.append(Metrics())
        self.made.append(Leases(SharedStore(self.tables), self.metrics[-1], owner, clock=clock or self.time))
        return self.made[-1]


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Leases are asked for in every round of the loop: only the clock that the test moves counts."""
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.001)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)
    it = Bench()
    yield it
    it.tables.away = False
    for leases in it.made:
        await leases.release()


async def until(found: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not found():
            await asyncio.sleep(0.001)


async def soon(waiting: Awaitable[T]) -> T:
    return await asyncio.wait_for(waiting, 5)


async def test_one_holds_it_and_the_other_waits(bench: Bench) -> None:
    one, two = bench.process("one"), bench.process("two")
    first = await soon(one.turn(POLL))
    waiting = asyncio.create_task(two.turn(POLL))
    for _ in range(10):
        bench.time.now += 4
        await asyncio.sleep(0.01)
    assert one.holds(POLL), "it is renewed as time goes on"
    assert not two.holds(POLL)
    assert not waiting.done()
    assert first.epoch == 1
    waiting.cancel()


async def test_what_is_given_back_is_taken_with_a_higher_epoch(bench: Bench) -> None:
    one, two = bench.process("one"), bench.process("two")
    first = await soon(one.turn(POLL))
    waiting = asyncio.create_task(two.turn(POLL))
    await one.release("poll:")
    second = await soon(waiting)
    assert (first.held, second.held) == (False, True)
    assert second.epoch == first.epoch + 1
    assert count(bench.metrics[0].leases_lost) == 0, "given back is not lost"


async def test_what_is_given_back_is_never_wanted_again(bench: Bench) -> None:
    one, two = bench.process("one"), bench.process("two")
    await soon(one.turn(POLL))
    await one.release("poll:")
    again = asyncio.create_task(one.turn(POLL))
    await soon(two.turn(POLL))
    await two.release("poll:")
    await asyncio.sleep(0.02)
    assert bench.tables.owner(POLL) == ""
    assert not again.done()
    again.cancel()


async def test_a_process_that_stood_still_knows_at_once(bench: Bench) -> None:
    """It is asked before anything is sent, and the answer is its own clock's, not that of a timer which comes later."""
    one = bench.process("one")
    hold = await soon(one.turn(POLL))
    bench.time.now += SECONDS - MARGIN_SECONDS + 0.1
    assert not one.holds(POLL)
    assert not hold.held


async def test_it_is_over_for_us_before_another_can_have_it(bench: Bench) -> None:
    one, two = bench.process("one"), bench.process("two")
    await soon(one.turn(POLL))
    bench.tables.away = True
    waiting = asyncio.create_task(two.turn(POLL))
    held_by_us = []
    while not waiting.done():
        bench.time.now += 0.5
        held_by_us.append(one.holds(POLL))
        bench.tables.away = bench.tables.owner(POLL) != ""
        await asyncio.sleep(0.005)
    assert held_by_us[0]
    assert not held_by_us[-2], "a while before"
    assert two.holds(POLL) != one.holds(POLL)


async def test_who_works_under_it_hears_of_its_end(bench: Bench) -> None:
    one, two = bench.process("one"), bench.process("two", bench.time)
    hold = await soon(one.turn(POLL))
    lost = asyncio.create_task(hold.lost())
    await asyncio.sleep(0.01)
    assert not lost.done()
    bench.tables.leases[POLL] = ("two", 2, bench.time.now + SECONDS)
    await soon(lost)
    assert count(bench.metrics[0].leases_lost) == 1
    await soon(two.turn(POLL))


async def test_a_new_term_ends_the_old_hold(bench: Bench) -> None:
    """What began under an older epoch must not go on under a newer one."""
    one = bench.process("one")
    hold = await soon(one.turn(POLL))
    lost = asyncio.create_task(hold.lost())
    await asyncio.sleep(0)
    bench.tables.leases[POLL] = ("one", 7, bench.time.now + SECONDS)
    await soon(lost)


async def test_a_store_that_comes_back_in_time_costs_nothing(bench: Bench) -> None:
    one = bench.process("one")
    await soon(one.turn(POLL))
    bench.tables.away = True
    await asyncio.sleep(0.01)
    bench.time.now += 5
    assert one.holds(POLL)
    bench.tables.away = False
    await until(lambda: bench.tables.leases[POLL][2] == bench.time.now + SECONDS)
    bench.time.now += 8
    assert one.holds(POLL)
    assert count(bench.metrics[0].leases_lost) == 0


async def test_an_error_of_ours_does_not_end_the_asking(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench.process("one")
    real, failures = bench.tables.hold, [RuntimeError("broken"), RuntimeError("again")]

    def hold(name: str, owner: str, seconds: float) -> int | None:
        if failures:
            raise failures.pop()
        return real(name, owner, seconds)

    monkeypatch.setattr(bench.tables, "hold", hold)
    await soon(one.turn(POLL))
    assert failures == []


async def test_numbers_say_what_is_held(bench: Bench) -> None:
    one = bench.process("one")
    await soon(one.turn(POLL))
    assert count(bench.metrics[0].lease, POLL) == 1
    bench.time.now += 60
    assert count(bench.metrics[0].lease, POLL) == 0


async def test_the_only_process_holds_everything_and_asks_for_nothing() -> None:
    leases = Leases(MemoryStore(lambda: 0.0), Metrics())
    hold = await leases.turn(POLL)
    assert (hold.held, hold.epoch, leases.holds("send:anything")) == (True, 0, True)
    lost = asyncio.create_task(hold.lost())
    await asyncio.sleep(0.01)
    assert not lost.done()
    hold.drop()
    assert leases.holds(POLL)
    lost.cancel()
    await leases.release()
    assert asyncio.all_tasks() == {asyncio.current_task(), lost}
