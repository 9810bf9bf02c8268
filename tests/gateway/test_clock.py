"""The clock: late timers wait for what was said meanwhile, only the last stage of a silence acts, no wake-up is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from core.effects import StartTimer
from core.events import TimerFired
from core.outbox import Sent, Settled
from core.ports import Decide, Receipt, StorageFull
from gateway import clock as clock_module
from gateway.clock import Clock
from storage.memory import MemoryStore
from tests.gateway import house
from tests.gateway.house import Pipeline, Recorder, echo, inbound


@dataclass
class Poller(Recorder):
    """A channel that has caught up when it is told so."""

    read: asyncio.Event = field(default_factory=asyncio.Event)

    async def caught_up(self) -> None:
        await self.read.wait()


class Watched(MemoryStore):
    """Counts rounds of work; may wake the clock in the middle of one, or be full for a while."""

    rounds = 0
    full = 0
    during: Callable[[], None] | None = None

    async def work(self, decide: Decide, limit: int = 20) -> list[Receipt]:
        self.rounds += 1
        receipts = await super().work(decide, limit)
        if self.during is not None:
            self.during()
        return receipts

    async def due(self, now: datetime) -> int:
        if self.full:
            self.full -= 1
            raise StorageFull
        return await super().due(now)


@dataclass
class Bench:
    """A running clock."""

    pipe: Pipeline
    store: Watched
    clock: Clock
    pauses: list[float]

    async def until(self, reached: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(5):
            while not await reached():
                await asyncio.sleep(0.005)

    async def said(self, text: str) -> None:
        async def is_said() -> bool:
            return any(text in one for one in await self.pipe.said())

        await self.until(is_said)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    time = house.Clock()
    store = Watched(time)
    await store.open()
    pipe = Pipeline(store, time)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    clock = Clock(store, pipe.worker, pipe.intake, time.now, pause)
    store.on_events = clock.wake
    yield Bench(pipe, store, clock, pauses)
    await store.close()


@asynccontextmanager
async def running(clock: Clock, channels: Sequence[Recorder] = ()) -> AsyncIterator[None]:
    task = asyncio.create_task(clock.run(channels))
    yield
    clock.stop()
    async with asyncio.timeout(5):
        await task


async def deliver(bench: Bench) -> None:
    """Silence counts from the delivery of the question."""
    while rows := [*bench.pipe.rows, *await bench.store.lease()]:
        bench.pipe.rows.clear()
        await bench.store.mark([Settled(row, Sent("sent", (str(row.id),))) for row in rows])


async def ask(bench: Bench) -> None:
    await bench.pipe.say("заявка")
    await deliver(bench)


async def test_timers_wait_until_the_pollers_have_read_what_came_meanwhile(bench: Bench) -> None:
    """An answer given in time, read late, makes the timer of its question void."""
    await ask(bench)
    bench.pipe.clock.move(16 * 60)
    poller = Poller()
    bench.pipe.intake.careful = True
    async with running(bench.clock, [poller]):
        await bench.pipe.say("+79161234567")
        await bench.said("Пришлите фото")
        assert not any("Вы ещё здесь" in one for one in await bench.pipe.said())
        poller.read.set()
        rounds = bench.store.rounds
        bench.clock.wake()
        await bench.until(lambda: _more(bench, rounds + 2))
    assert not any("Вы ещё здесь" in one for one in await bench.pipe.said())


async def _more(bench: Bench, rounds: int) -> bool:
    bench.clock.wake()
    return bench.store.rounds >= rounds


async def test_claims_end_with_the_clock(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would hear how they ended, and the store is closed under them."""
    begun, ended = [], []

    async def work(decide: Decide, limit: int = 20) -> list[Receipt]:
        begun.append(limit)
        try:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]
        finally:
            ended.append(limit)

    monkeypatch.setattr(bench.store, "work", work)
    claim = asyncio.create_task(bench.clock._claim(2))
    while len(begun) < 2:
        await asyncio.sleep(0)
    claim.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claim
    assert len(ended) == 2


async def test_a_poller_that_does_not_come_is_not_waited_for_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_module, "CATCH_UP_SECONDS", 0.05)
    await ask(bench)
    bench.pipe.clock.move(16 * 60)
    async with running(bench.clock, [Poller()]):
        await bench.said("Вы ещё здесь?")


async def test_after_a_standstill_only_the_latest_stage_of_a_silence_acts(bench: Bench) -> None:
    await ask(bench)
    bench.pipe.clock.move(30 * 3600)

    async def over() -> bool:
        conversation = await bench.store.conversation(1)
        return conversation is not None and conversation.talk.run is None

    async with running(bench.clock):
        await bench.until(over)
    assert not any("Вы ещё здесь" in one for one in await bench.pipe.said()), "nobody is asked and left in one breath"
    assert not bench.pipe.worker.starting


async def test_a_timer_of_another_kind_is_not_lost_to_a_later_one(bench: Bench) -> None:
    """The queue's `busy`, joined pieces and a silence are different promises: after a standstill each is kept."""
    timers = StartTimer("line.wait", 600, {"session": 1, "epoch": 1}), StartTimer("silence", 900)
    await bench.store.accept([inbound(1, "привет")], echo(*timers))
    bench.pipe.clock.move(3600)

    async def fired() -> bool:
        events = [done.pending.event for done in await bench.store.events(1)]
        return [one.key for one in events if isinstance(one, TimerFired)] == ["line.wait", "silence"]

    async with running(bench.clock):
        await bench.until(fired)


async def test_a_wake_up_during_the_work_is_not_lost(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "FLOOR_SECONDS", 60.0)
    async with running(bench.clock):
        await bench.until(lambda: _rounds(bench, 1))
        await asyncio.sleep(0.01)
        before = bench.store.rounds

        def meanwhile() -> None:
            bench.store.during = None
            bench.clock.wake()

        bench.store.during = meanwhile
        bench.clock.wake()
        await bench.until(lambda: _rounds(bench, before + 2))


async def _rounds(bench: Bench, rounds: int) -> bool:
    return bench.store.rounds >= rounds


async def test_what_is_pushed_wakes_the_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "FLOOR_SECONDS", 60.0)
    bench.pipe.intake.careful = True
    async with running(bench.clock):
        await bench.until(lambda: _rounds(bench, 1))
        await asyncio.sleep(0.01)
        await bench.pipe.say("привет")
        await bench.said("Здравствуйте")


async def test_a_full_disk_is_waited_out(bench: Bench) -> None:
    await ask(bench)
    bench.store.full = 3
    bench.pipe.clock.move(16 * 60)
    async with running(bench.clock):
        await bench.said("Вы ещё здесь?")
    assert bench.pauses == [clock_module.FLOOR_SECONDS] * 3


async def test_a_store_that_goes_away_while_the_clock_rests_is_waited_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a start waits for the pollers: after an outage timers fire at once."""
    waited: list[int] = []
    caught_up, next_due = bench.clock._caught_up, bench.store.next_due

    async def count(*given: object) -> None:
        waited.append(1)
        await caught_up([], 0.0)

    async def away() -> float | None:
        monkeypatch.setattr(bench.store, "next_due", next_due)
        raise StorageFull

    monkeypatch.setattr(bench.clock, "_caught_up", count)
    monkeypatch.setattr(bench.store, "next_due", away)
    async with running(bench.clock):
        await bench.until(lambda: _rounds(bench, 3))
    assert waited == [1]
    assert bench.pauses == [clock_module.FLOOR_SECONDS]
