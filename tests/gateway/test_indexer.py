"""The indexer beside the hot path: changes come together, and others have most of the time. No test waits for a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

from core.access import Sight
from core.ports import StorageFull
from gateway.indexer import AGAIN, GATHER, REST, SHARE, WITHIN, Indexer
from storage.memory import MemoryStore
from storage.postgres.links import IDLE_SECONDS
from storage.search.port import Hit, Rest, Wanted, no_rest


class Time:
    """A clock that only work and sleep move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Slow:
    """A search whose units take a while. `meanwhile` is what happens then."""

    unit = 2

    def __init__(self, time: Time, took: float, stale: Sequence[Sequence[int]] = ()) -> None:
        self._time, self._took, self._stale = time, took, list(stale)
        self.followed: list[tuple[float, set[int]]] = []
        self.failures, self.parts, self.anew = 0, 1, 0
        self.meanwhile: Callable[[], None] = lambda: None

    async def open(self) -> None: ...
    async def close(self) -> None: ...

    async def find(self, wanted: Wanted, sight: Sight) -> list[Hit]:
        return []

    async def follow(
        self, homes: Sequence[int], clients: Sequence[int], tickets: Sequence[int], rest: Rest = no_rest
    ) -> None:
        assert max(len(homes), len(clients), len(tickets)) <= self.unit
        if self.failures:
            self.failures -= 1
            raise StorageFull("away")
        self.followed.append((self._time.now, set(homes)))
        for _ in range(self.parts - 1):
            self._time.now += self._took
            await rest()
        self._time.now += self._took
        self.meanwhile()

    async def stale(self, after: int, limit: int) -> tuple[list[int], int]:
        return (list(self._stale.pop(0)), len(self._stale)) if self._stale else ([], 0)

    async def changed_tickets(self, since: float, limit: int) -> list[tuple[int, float]]:
        return []

    @property
    def homes(self) -> list[int]:
        return sorted(home for _, homes in self.followed for home in homes)


def make(time: Time, search: Slow) -> Indexer:
    made = Indexer(MemoryStore(time), lambda: 0.0, time, time.sleep)
    made.search = search
    return made


async def run(indexer: Indexer, until: Callable[[], bool]) -> None:
    """Let it run until something holds."""
    task = asyncio.create_task(indexer.run())
    async with asyncio.timeout(5):
        while not until():
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_burst_gets_a_fifth_of_the_time() -> None:
    time = Time()
    search = Slow(time, 3.0)
    indexer = make(time, search)
    indexer.touched(range(1, 10), ())
    await run(indexer, lambda: indexer.idle)
    assert search.homes == list(range(1, 10))
    began = [at for at, _ in search.followed]
    assert len(began) == 5
    assert {after - before for before, after in pairwise(began)} == {3.0 + SHARE * 3.0}
    assert SHARE >= 4


async def rested(parts: int, seconds: float) -> Time:
    """One conversation was followed in so many parts, each of which took so long."""
    time = Time()
    search = Slow(time, seconds)
    search.parts = parts
    indexer = make(time, search)
    indexer.touched((1,), ())
    await run(indexer, lambda: indexer.idle)
    return time


async def test_a_long_unit_rests_between_its_parts() -> None:
    time = await rested(parts=4, seconds=0.125)
    assert time.slept.count(SHARE * 0.125) == 4
    assert sum(time.slept) < GATHER + SHARE * 0.125 * 4 + 1.0, "what it rested is no part of the work"


async def test_a_slow_part_keeps_no_transaction_waiting() -> None:
    """The server would end it, and the unit would begin again for ever."""
    time = await rested(parts=3, seconds=3.0)
    assert time.slept[:3] == [WITHIN, WITHIN, SHARE * 3.0]
    assert WITHIN < IDLE_SECONDS / 2


async def test_what_takes_no_time_rests_a_little() -> None:
    time = Time()
    search = Slow(time, 0.0)
    indexer = make(time, search)
    indexer.touched((1, 2, 3), ())
    await run(indexer, lambda: indexer.idle)
    assert set(time.slept) - {GATHER} == {REST}


async def test_the_comparison_after_a_start_rests_as_well() -> None:
    time = Time()
    search = Slow(time, 3.0, stale=[(1, 2), (), (3, 4)])
    await run(indexer := make(time, search), lambda: indexer.idle)
    assert search.homes == [1, 2, 3, 4]
    assert time.slept.count(SHARE * 3.0) == 2
    assert GATHER not in time.slept, "nobody writes: nothing is waited for"


async def test_a_talk_without_an_end_is_read_now_and_then() -> None:
    """Neither as often as it changes, nor only when it rests."""
    time = Time()
    search = Slow(time, 0.001)
    indexer = make(time, search)
    search.meanwhile = lambda: indexer.touched((1,), (7,))
    search.meanwhile()
    await run(indexer, lambda: len(search.followed) == 20)
    began = [at for at, _ in search.followed][1:]
    between = [after - before for before, after in pairwise(began)]
    assert min(between) >= GATHER
    assert max(between) < GATHER + 0.5
    assert GATHER <= 1.0


async def test_what_failed_is_read_again() -> None:
    time = Time()
    search = Slow(time, 0.001)
    indexer = make(time, search)
    indexer.touched((1, 2, 3), ())
    search.failures = 2
    await run(indexer, lambda: indexer.idle)
    assert search.homes == [1, 2, 3]
    assert time.slept.count(AGAIN) == 2


async def test_a_search_that_was_made_anew_is_filled_again() -> None:
    time = Time()
    search = Slow(time, 0.001)
    indexer = make(time, search)
    indexer.touched((1, 2), ())
    await run(indexer, lambda: indexer.idle)
    search.anew, search._stale = 1, [(1, 2, 3)]
    assert not indexer.idle
    await run(indexer, lambda: indexer.idle)
    assert search.homes == [1, 1, 2, 2, 3]


async def test_a_unit_that_is_cut_short_forgets_nothing() -> None:
    time = Time()
    search = Slow(time, 0.001)
    indexer = make(time, search)
    indexer.touched((1, 2, 3), (7,))

    def cut() -> None:
        raise asyncio.CancelledError

    search.meanwhile = cut
    task: Awaitable[None] = asyncio.create_task(indexer.run())
    await asyncio.gather(task, return_exceptions=True)
    assert not indexer.idle
    search.meanwhile = lambda: None
    search.followed.clear()
    await run(indexer, lambda: indexer.idle)
    assert search.homes == [1, 2, 3]
