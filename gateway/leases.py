"""Leases: one poller and one sender per account, whatever the number of processes; lost in time, by one's own clock."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterable

from core.hold import Hold
from core.ports import StorageFull, Store
from gateway.logs import logger
from gateway.metrics import Metrics
from storage.owners import process_name

log = logger()
SECONDS = 12.0  # a lease that is not renewed ends after so long, on the store's clock (design §4)
RENEW_SECONDS = 4.0
RETRY_SECONDS = 0.8  # how often one that is not ours is asked for: a released one is taken within a second
GIVE_BACK_SECONDS = 1.0  # that a stop waits for the store
# What was asked at one moment is counted from that moment, so our end comes first; this is for clocks of unequal pace.
MARGIN_SECONDS = 2.0


class Alone:
    """The lease of the only process: nobody can take it."""

    epoch = 0
    held = True

    async def lost(self) -> None:
        """Never returns."""
        await asyncio.get_running_loop().create_future()

    def drop(self) -> None:
        """There is nobody it could belong to."""


class Lease:
    """One lease of ours, or one we wait for (`core.ports.Hold`)."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self.name, self._clock = name, clock
        self.epoch = 0
        self.told = False  # whether the log says that it is ours
        self._until = 0.0
        self._change = asyncio.Event()  # replaced whenever the lease is taken or lost

    @property
    def held(self) -> bool:
        """By our own clock: a process that was stopped for a while knows at once that it has lost everything."""
        return self._clock() < self._until

    def extend(self, epoch: int, until: float) -> None:
        """It is ours until then (of our own clock)."""
        fresh = epoch != self.epoch or not self.held
        self.epoch, self._until = epoch, until
        if fresh:
            self._changed()

    def drop(self) -> None:
        """It is another's."""
        if self._until:
            self._until = 0.0
            self._changed()

    def _changed(self) -> None:
        change, self._change = self._change, asyncio.Event()
        change.set()

    async def taken(self) -> None:
        """Waits until it is ours."""
        while not self.held:
            await self._change.wait()

    async def lost(self) -> None:
        """Returns when it is no longer ours, or ours anew after somebody else's time."""
        epoch = self.epoch
        while self.held and self.epoch == epoch:
            with contextlib.suppress(TimeoutError):  # renewed meanwhile, or over
                async with asyncio.timeout(self._until - self._clock()):
                    await self._change.wait()


class Leases:
    """The leases of this process. On a store of one process all are held for ever and nothing is written.

    `changed` is called when one is taken.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        owner: str = "",
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._metrics, self._changed, self._clock = store, metrics, changed, clock
        self.owner = owner or process_name()
        self._leases: dict[str, Lease] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._released: tuple[str, ...] = ()

    def want(self, name: str) -> Lease:
        """From now on the lease is taken whenever it is free."""
        if name not in self._leases:
            lease = self._leases[name] = Lease(name, self._clock)
            self._metrics.lease.labels(name).set_function(lambda: float(lease.held))
            self._start(lease)
        return self._leases[name]

    def _start(self, lease: Lease) -> None:
        if self._leases.get(lease.name) is lease and not lease.name.startswith(self._released):
            task = self._tasks[lease.name] = asyncio.create_task(self._keep(lease), name=f"lease {lease.name}")
            task.add_done_callback(lambda ended: self._fell(lease, ended))

    def _fell(self, lease: Lease, task: asyncio.Task[None]) -> None:
        """An error of ours costs the lease at most: when its time is over it is lost, and it is asked for again."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("lease_failed", lease=lease.name, error_type=type(error).__name__, exc_info=error)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._start, lease)

    def holds(self, name: str) -> bool:
        """Whether it is ours now."""
        if not self._store.shared:
            return True
        lease = self._leases.get(name)
        return lease is not None and lease.held

    async def turn(self, name: str) -> Hold:
        """Waits until the lease is ours."""
        if not self._store.shared:
            return Alone()
        lease = self.want(name)
        await lease.taken()
        return lease

    async def _keep(self, lease: Lease) -> None:
        """Renews what is held, asks for what is not; a store that is away is no answer, and the time runs on."""
        while True:
            asked = self._clock()
            try:
                epoch = await self._store.hold(lease.name, self.owner, SECONDS)
            except StorageFull:
                self._settle(lease)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._answered(lease, epoch, asked)
            seconds = RETRY_SECONDS if epoch is None else RENEW_SECONDS
            await asyncio.sleep(seconds * random.uniform(0.8, 1.0))  # noqa: S311

    def _answered(self, lease: Lease, epoch: int | None, asked: float) -> None:
        if epoch is None:
            lease.drop()
        else:
            lease.extend(epoch, asked + SECONDS - MARGIN_SECONDS)
        self._settle(lease)

    def _settle(self, lease: Lease) -> None:
        """Says once what has been taken or lost."""
        if lease.held == lease.told:
            return
        lease.told = lease.held
        if lease.held:
            log.info("lease_taken", lease=lease.name, epoch=lease.epoch)
            self._changed()
        else:
            log.warning("lease_lost", lease=lease.name, epoch=lease.epoch)
            self._metrics.leases_lost.inc()

    async def release(self, prefix: str = "") -> None:
        """Gives the leases back whose names begin so, for ever: another process takes them at once."""
        self._released = (*self._released, prefix)
        names = [name for name in self._tasks if name.startswith(prefix)]
        await _end(self._tasks.pop(name) for name in names)
        for name in names:
            self._leases[name].drop()
        # Those we did not hold, too: what was asked for at the last moment may have been granted.
        await asyncio.gather(*(self._give_back(name) for name in names))

    async def _give_back(self, name: str) -> None:
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await self._store.release(name, self.owner)
        except (StorageFull, TimeoutError):
            log.warning("lease_not_released", lease=name)  # it ends by itself


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
