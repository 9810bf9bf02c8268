"""Back-pressure: refused in time and said so, taken again by itself, nothing acknowledged that is not stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from core.events import Inbound
from core.ports import Busy, Cursor, Decide, Receipt, StorageFull
from gateway import pressure as module
from gateway.config.model import Intake as Limits
from gateway.intake import Intake
from gateway.pressure import Pressure
from storage.memory import MemoryStore
from tests.gateway.house import NOWHERE, Clock, Pipeline, count, inbound


class Hung(MemoryStore):
    """A store whose answers can be held up, or not come at all."""

    away = full = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.commits, self.reads = asyncio.Event(), asyncio.Event()
        self.commits.set()
        self.reads.set()

    async def accept(
        self, inbounds: Sequence[Inbound], decide: Decide | None = None, cursor: Cursor | None = None
    ) -> list[Receipt]:
        if self.full:
            raise StorageFull
        await self.commits.wait()
        return await super().accept(inbounds, decide, cursor)

    async def backlog(self) -> tuple[int, float]:
        if self.away:
            raise StorageFull
        await self.reads.wait()
        return await super().backlog()


class Bench:
    """An intake under pressure; `at` is the time of commits, `clock` that of the store."""

    def __init__(self, limits: Limits) -> None:
        self.clock, self.at = Clock(), 0.0
        self.store = Hung(self.clock)
        pipe = Pipeline(self.store, self.clock)
        self.metrics = pipe.metrics
        self.pressure = Pressure(self.store, limits, self.metrics, lambda: self.at)
        self.intake = Intake(
            self.store,
            pipe.worker,
            self.metrics,
            lambda rows: None,
            lambda: None,
            files=NOWHERE,
            pressure=self.pressure,
        )
        self.number = 0

    async def say(self) -> Receipt:
        self.number += 1
        return (await self.intake.accept([inbound(self.number, "привет", str(self.number))]))[0]

    async def refused(self) -> Busy:
        with pytest.raises(Busy) as caught:
            await self.say()
        return caught.value

    async def becomes(self, reason: str) -> None:
        async with asyncio.timeout(5):
            while self.pressure.reason != reason:
                await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)


@asynccontextmanager
async def looking(limits: Limits) -> AsyncIterator[Bench]:
    bench = Bench(limits)
    task = asyncio.create_task(bench.pressure.run())
    yield bench
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_long_inbox_refuses_until_it_is_shorter() -> None:
    async with looking(Limits(longest=10, retry_after="7s")) as bench:  # type: ignore[arg-type]
        bench.intake.careful = True
        for _ in range(11):
            await bench.say()
        await bench.becomes("long")
        busy = await bench.refused()
        assert busy.after == 7
        assert count(bench.metrics.refused, "telegram") == 1
        assert count(bench.metrics.busy, "long") == 1
        await bench.store.work(bench.intake._worker.decide, 2)
        assert (await bench.store.backlog())[0] == 9
        assert await bench.pressure._look() == "long", "not yet: it would flutter"
        await bench.store.work(bench.intake._worker.decide, 2)
        await bench.becomes("")
        await bench.say()
        assert count(bench.metrics.busy, "long") == 0


async def test_an_old_inbox_refuses() -> None:
    async with looking(Limits(oldest="1m")) as bench:  # type: ignore[arg-type]
        bench.intake.careful = True
        await bench.say()
        bench.clock.move(59)
        assert await bench.pressure._look() == ""
        bench.clock.move(2)
        await bench.becomes("old")
        await bench.refused()
        await bench.store.work(bench.intake._worker.decide)
        await bench.becomes("")


async def test_a_slow_commit_refuses_those_that_come_after() -> None:
    async with looking(Limits(slow="3s")) as bench:  # type: ignore[arg-type]
        bench.store.commits.clear()
        waiting = asyncio.create_task(bench.say())
        while not bench.pressure._under_way:
            await asyncio.sleep(0)
        bench.at = 2.9
        assert await bench.pressure._look() == ""
        bench.at = 3.1
        await bench.becomes("slow")
        await bench.refused()
        bench.store.commits.set()
        assert (await waiting).processed, "what was under way is taken"
        await bench.becomes("")


async def test_a_database_that_does_not_answer_refuses() -> None:
    async with looking(Limits(slow="20ms")) as bench:  # type: ignore[arg-type]
        bench.store.reads.clear()
        await bench.becomes("slow")
        bench.store.reads.set()
        await bench.becomes("")
        bench.store.away = True
        await bench.becomes("away")
        await bench.refused()
        bench.store.away = False
        await bench.becomes("")


async def test_no_limit_is_no_limit() -> None:
    async with looking(Limits(longest=0, oldest=0)) as bench:
        bench.intake.careful = True
        for _ in range(30):
            await bench.say()
        bench.clock.move(86_400)
        assert await bench.pressure._look() == ""


async def test_a_full_disk_says_when_to_come_again() -> None:
    bench = Bench(Limits(retry_after="9s"))  # type: ignore[arg-type]

    bench.store.full = True
    with pytest.raises(StorageFull) as caught:
        await bench.say()
    assert caught.value.after == 9
    assert bench.pressure._slowest() == 0, "it is over, though not well"
