"""Intake: the one door for events of channels. Durable first, acknowledged second, sent third."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from core.events import Inbound
from core.hold import Hold
from core.outbox import OutboxRow
from core.ports import Cursor, Decide, Files, Hints, Receipt, StorageFull, Store
from gateway.failpoints import failpoint
from gateway.leases import Alone
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.pressure import Pressure
from gateway.watch.arrivals import ASIDE, CURRENT
from gateway.worker import Worker

log = logger()


class Intake:
    """What channels see of the gateway (`core.ports.Gate`). `careful` keeps the turn out of the intake's transaction.

    `hears` and `decides` say whether the process has the roles intake and worker: without the second every turn is left to
    other processes. `poll` waits for a channel's poller lease.
    After an unclean stop the intake is careful for a while: if an event was what killed the process, it must be in the
    inbox with its attempts counted before it is tried again.
    """

    def __init__(
        self,
        store: Store,
        worker: Worker,
        metrics: Metrics,
        offer: Callable[[list[OutboxRow]], None],
        wake: Callable[[], None],
        *,
        files: Files,
        careful: bool = False,
        pressure: Pressure | None = None,
        poll: Callable[[str], Awaitable[Hold]] | None = None,
    ) -> None:
        self._store, self._worker, self._metrics = store, worker, metrics
        self._offer, self._wake, self._files = offer, wake, files
        self._pressure, self._poll = pressure, poll
        self.hints: Hints | None = None
        self.careful = careful
        self.hears = self.decides = True
        self.heard: Callable[[str], None] = lambda channel: None

    @property
    def store(self) -> Store:
        return self._store

    @property
    def files(self) -> Files:
        return self._files

    async def accept(self, inbounds: Sequence[Inbound], cursor: Cursor | None = None) -> list[Receipt]:
        """Commits the events and, for idle conversations, their turns.

        Raises `StorageFull`, also when there is too much to do: then do not acknowledge. Raises `LeaseLost`.
        """
        failpoint("intake.before_commit")
        decide = self._worker.decide if self.decides and not self.careful else None
        try:
            receipts = await self._commit(inbounds, decide, cursor)
        except StorageFull as error:
            for inbound in inbounds:
                self._metrics.refused.labels(inbound.channel).inc()
            if self._pressure is not None:
                self._pressure.refuse(error)
            raise
        failpoint("intake.after_commit")
        self._count(inbounds, receipts)
        self.hand_on(receipts)
        return receipts

    async def _commit(self, inbounds: Sequence[Inbound], decide: Decide | None, cursor: Cursor | None) -> list[Receipt]:
        if self._pressure is None:
            return await self._store.accept(inbounds, decide, cursor)
        commit = self._pressure.begin()
        try:
            return await self._store.accept(inbounds, decide, cursor)
        finally:
            self._pressure.end(commit)

    def hand_on(self, receipts: Sequence[Receipt]) -> None:
        """New outbox rows go to the sender at once; events that still wait wake the worker."""
        for receipt in receipts:
            if receipt.outbox:
                self._offer(receipt.outbox)
            if not (receipt.processed or receipt.duplicate):
                self._wake()

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        """Keeps a payload that cannot be read, so that it can be acknowledged and never blocks the platform's queue."""
        self._metrics.quarantined.labels(channel).inc()
        if (arrival := CURRENT.get()) is not None:
            arrival.note = ASIDE
        log.warning("quarantined", channel=channel, error_type=reason)
        await self._store.quarantine(channel, raw, reason)

    def count(self, channel: str, what: str) -> None:
        self._metrics.door.labels(channel, what).inc()
        if (arrival := CURRENT.get()) is not None:
            arrival.note = what

    async def cursor(self, channel: str) -> str:
        return await self._store.cursor(channel)

    async def turn(self, channel: str) -> Hold:
        """Waits until this process is the channel's poller; for ever where it does not hear."""
        if not self.hears:
            await asyncio.get_running_loop().create_future()
        return Alone() if self._poll is None else await self._poll(channel)

    def _count(self, inbounds: Sequence[Inbound], receipts: Sequence[Receipt]) -> None:
        arrival, known = CURRENT.get(), sum(receipt.duplicate for receipt in receipts)
        if arrival is not None:
            arrival.known, arrival.fresh = arrival.known + known, arrival.fresh + len(receipts) - known
        if inbounds:
            self.heard(inbounds[0].channel)
        for inbound, receipt in zip(inbounds, receipts, strict=True):
            self._metrics.heard(inbound.channel)
            if receipt.duplicate:
                self._metrics.duplicates.labels(inbound.channel).inc()
            else:
                self._metrics.messages.labels(inbound.channel, type(inbound.event).__name__.lower()).inc()
