"""The stage: what happens next, and when. In the past the clock jumps from one to the next; at work it is waited for."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from gateway.app import Gateway

Deed = Callable[[], Awaitable[None]]


class Stage:
    """Deeds in the order of their time (seconds since the epoch)."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.pace = 1.0  # how much quicker than people
        self._deeds: list[tuple[float, int, Deed]] = []
        self._numbers = itertools.count()
        self._news = asyncio.Event()

    def later(self, seconds: float, deed: Deed) -> None:
        """It happens after so long."""
        self.at(self.now() + seconds, deed)

    def at(self, moment: float, deed: Deed) -> None:
        """It happens then."""
        heapq.heappush(self._deeds, (moment, next(self._numbers), deed))
        self._news.set()

    def take(self, until: float) -> tuple[float, Deed] | None:
        """The next deed that is due by then."""
        if not self._deeds or self._deeds[0][0] > until:
            return None
        moment, _, deed = heapq.heappop(self._deeds)
        return moment, deed

    def clear(self) -> None:
        """Forget what was to come."""
        self._deeds.clear()

    async def run(self) -> None:
        """At work: each deed at its time, until it is cancelled."""
        while True:
            found = self.take(self.now())
            if found is not None:
                await found[1]()
                continue
            self._news.clear()
            left = self._deeds[0][0] - self.now() if self._deeds else 60.0
            try:
                async with asyncio.timeout(max(0.0, left)):
                    await self._news.wait()
            except TimeoutError:
                continue

    def hurry(self, pace: float) -> None:
        """Another pace, also for what is to come already."""
        now = self.now()
        self._deeds = [(now + (at - now) * self.pace / pace, n, deed) for at, n, deed in self._deeds]
        heapq.heapify(self._deeds)
        self.pace = pace
        self._news.set()


class Time:
    """A clock that is moved."""

    def __init__(self, at: float) -> None:
        self.at = at

    def seconds(self) -> float:
        return self.at

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


class PastStage(Stage):
    """The clock jumps; after each deed everything that follows from it is done before the next."""

    def __init__(self, time: Time) -> None:
        super().__init__(time.seconds)
        self.time = time
        self._one = asyncio.Lock()
        self._woken: set[asyncio.Task[None]] = set()
        self._pending = self._written = True
        self._due: float | None = None

    def watch(self, gateway: Gateway) -> None:
        """From now on only what was written is looked at again: a past has thousands of deeds."""

        def pending() -> None:
            self._pending = True

        def written(homes: Collection[int], clients: Collection[int]) -> None:
            self._written = True

        gateway.store.on_events, gateway.store.on_touched = pending, written
        gateway.floor.wake = lambda: self._wake(gateway)

    def _wake(self, gateway: Gateway) -> None:
        """A deed of the API has put something into an inbox, and waits for it."""
        task = asyncio.ensure_future(self.settle(gateway))
        self._woken.add(task)
        task.add_done_callback(self._woken.discard)

    async def play(self, gateway: Gateway, until: float) -> None:
        """Everything that is due by then; then it is then."""
        while (found := self.take(until)) is not None:
            await self._pass(gateway, found[0])
            await found[1]()
            await self.settle(gateway)
        await self._pass(gateway, until)

    async def _pass(self, gateway: Gateway, until: float) -> None:
        """The clock moves on, and timers go off on the way."""
        while (due := await self._next(gateway)) is not None and due <= until:
            self.time.at = max(self.time.at, due)
            self._written = self._pending = True
            if not await gateway.store.due(self.time.moment()):
                break
            await self.settle(gateway)
        self.time.at = max(self.time.at, until)

    async def _next(self, gateway: Gateway) -> float | None:
        """When the next timer goes off."""
        if self._written:
            self._written = False
            self._due = await gateway.store.next_due()
        return self._due

    async def settle(self, gateway: Gateway) -> None:
        """Returns when no event waits for its turn and nothing waits to be sent."""
        async with self._one:
            busy = True
            while self._pending or busy:
                if self._pending:
                    self._pending, self._written = False, True
                    receipts = await gateway.store.work(gateway.worker.decide)
                    self._pending = self._pending or bool(receipts)
                    gateway.intake.hand_on(receipts)
                busy = await gateway.sender.idle()
                self._written = self._written or busy
