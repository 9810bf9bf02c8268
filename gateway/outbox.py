"""The sender: a lane per conversation, lowest row first, the epoch checked before the bot speaks, verdicts one by one."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from core.outbox import OutboxRow, Sent, Settled
from core.ports import Channel, Receipt, StorageFull, Store
from gateway.calls import Calls
from gateway.failpoints import failpoint
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.typing import Typing

log = logger()
LANE_KINDS = frozenset({"send", "edit", "delete"})
SWEEP_SECONDS = 1.0  # losing a wake-up costs at most this (design §5)
# A row is leased for 30 s; a retry that waits less than this keeps its lane in memory, a longer one goes back to the store.
PATIENCE_SECONDS = 10.0
# After the commit of a turn, which had the conversation: nobody is asked again whether it still is the bot's.
JUST_SECONDS = 0.005
FRESH_SECONDS = 25.0  # on a shared store, one that has waited longer here may be with another sender by now
MOST_FAULTS = 5  # errors of ours over one row; patience with the platform is not counted
GIVE_BACK_SECONDS = 1.0  # that a stop waits for the store
LIMIT = 100  # rows that one sweep takes; the next comes at once when there were so many
MOST_LANES = 500  # conversations under way; with more, the next sweep takes its time: they would wait past their leases
LEFT = Sent("retry", reason="another process sends for the channel")
_FREE: AbstractAsyncContextManager[None] = nullcontext()


class Lane:
    """The rows of one conversation that this process holds, in order."""

    __slots__ = ("rows", "running")

    def __init__(self) -> None:
        self.rows: dict[int, OutboxRow] = {}
        self.running = False

    def head(self) -> OutboxRow:
        return self.rows[min(self.rows)]


def _is_alone(row: OutboxRow) -> bool:
    """Whether nothing of its lane waits behind a row, as far as the turn knew that handed it out."""
    return row.fresh and not row.followed


class Sender:
    """Takes rows from `offer` (fresh from a commit) and from a sweep of the store (after a crash, a retry, a lost wake-up).

    `at_once` bounds, per channel, the messages between call and answer (where the store cannot note an answer at once:
    between call and mark): so many may be repeated after a kill where the platform has no idempotency key. A lane never
    has more than one, so a client sees at most one.
    `hands` says whether this process sends for a channel: what it holds when that ends, it leaves to the next one.
    """

    def __init__(
        self,
        store: Store,
        channels: dict[str, Channel],
        calls: Calls,
        metrics: Metrics,
        woken: Callable[[Sequence[Receipt]], None],
        at_once: Mapping[str, int] | None = None,
        hands: Callable[[str], bool] = lambda channel: True,
    ) -> None:
        self._hands, self._shared = hands, store.shared
        self._typing = Typing(channels, hands)
        self._store, self._channels, self._calls, self._metrics, self._woken = store, channels, calls, metrics, woken
        self.told: Callable[[OutboxRow], None] | None = None  # hears of each row whose verdict is written down
        self.tried: Callable[[str, Sent], None] = lambda channel, sent: None  # hears what became of each attempt
        self._lanes: dict[int, Lane] = {}
        self._slots = {channel: asyncio.Semaphore(most) for channel, most in (at_once or {}).items()}
        # Handed to us, and when: calls not yet done; on a shared store also sends not yet begun.
        self._held: dict[int, tuple[OutboxRow, float]] = {}
        self._faults: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._news = asyncio.Event()

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        """Takes leased rows; each is worked on once, however often it is offered. Once stopped, leaves them in the store."""
        if self._stopping.is_set():
            return
        if rows:
            failpoint("outbox.offered")
        for row in rows:
            if row.kind in LANE_KINDS:
                self._offer_lane(row)
            elif row.id not in self._held:
                self._held[row.id] = row, time.monotonic()
                self._spawn(self._side_row(row))

    def _offer_lane(self, row: OutboxRow) -> None:
        lane = self._lanes.setdefault(row.conversation, Lane())
        if self._shared and (row.id not in lane.rows or row.id in self._held):
            self._held[row.id] = row, time.monotonic()
        lane.rows[row.id] = row
        if not lane.running:
            lane.running = True
            self._spawn(self._run_lane(row.conversation, lane))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_lane(self, conversation: int, lane: Lane) -> None:
        try:
            while lane.rows and not self._stopping.is_set():
                row = lane.head()
                sent, stored = await self._attempt(row)
                if sent is LEFT:
                    await self._give_back([row])
                if not stored:
                    break
                if sent.verdict != "retry":
                    lane.rows.pop(row.id, None)
                    self._faults.pop(row.id, None)
                elif not await self._may_repeat(sent.after):
                    break
                else:
                    row.attempts += 1
        finally:
            lane.running = False
            self._lanes.pop(conversation, None)

    async def _may_repeat(self, seconds: float) -> bool:
        """Whether the lane waits here for the repeat. On a shared store the row is free again, and whoever sends then takes
        it: at its time, that is the next sweep."""
        if seconds > PATIENCE_SECONDS:
            return False
        if self._shared:
            asyncio.get_running_loop().call_later(seconds, self.wake)
            return False
        return await self._wait(seconds)

    async def _attempt(self, row: OutboxRow) -> tuple[Sent, bool]:
        """The verdict, and whether it is written down. Who waits for the platform's limits holds no slot meanwhile."""
        channel = self._channels.get(row.channel)
        early = await channel.pace(row) if channel is not None else None
        slot = self._slots.get(row.channel)
        async with slot or _FREE:
            age = self._age(row)
            if not self._may_begin(row, age):
                return LEFT, False
            sent = early or await self._deliver(row, age)
            if sent is LEFT:
                return LEFT, False
            if not (sent.verdict == "sent" and self._store.note(row, sent)):
                patient = sent.verdict == "sent" and _is_alone(row) and not (slot is not None and slot.locked())
                return sent, await self._settle(row, sent, patient)
        return sent, await self._settle(row, sent)  # noted: in doubt no longer, the slot is free for the next

    def _age(self, row: OutboxRow) -> float:
        """Seconds since the row was handed to us. From here on it may be out."""
        _, since = self._held.pop(row.id, (row, 0.0))
        return time.monotonic() - since

    def _may_begin(self, row: OutboxRow, age: float) -> bool:
        """Whether the row is still ours to send."""
        return not self._shared or (self._hands(row.channel) and age <= FRESH_SECONDS)

    async def _is_taken(self, row: OutboxRow, age: float) -> bool:
        """Whether a person has taken the conversation since the bot wrote the row."""
        just = row.fresh and age <= JUST_SECONDS
        return row.guarded and not just and await self._store.epoch(row.conversation) > row.epoch

    def _busy(self, row: OutboxRow) -> AbstractAsyncContextManager[None]:
        """A file takes its time to go out."""
        return self._typing.shown(row) if row.message is not None and row.message.files else _FREE

    async def _wait(self, seconds: float) -> bool:
        """Sleeps; False when the sender stops meanwhile."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return True
        return False

    async def _deliver(self, row: OutboxRow, age: float = math.inf) -> Sent:
        channel = self._channels.get(row.channel)
        if channel is None:
            return Sent("retry", reason="channel is off", after=60.0)
        began = time.perf_counter()
        try:
            if await self._is_taken(row, age):
                return Sent("refused", reason="a person has taken over")
            if self._shared and not self._hands(row.channel):  # the process may have stood still while it asked
                return LEFT
            failpoint("outbox.before_send")
            async with self._busy(row):
                sent = await channel.send(row)
        except StorageFull:  # nobody's fault; its verdict waits until the store is back
            return Sent("retry", reason="the store is away", after=1.0)
        except Exception as error:
            log.error("send_failed", row=row.id, channel=row.channel, error_type=type(error).__name__, exc_info=True)
            sent = self._fault(row, type(error).__name__)
        failpoint("outbox.after_send")
        self._metrics.delivery.observe(time.perf_counter() - began)
        return sent

    def _fault(self, row: OutboxRow, reason: str) -> Sent:
        """Our own fault, not the platform's: tried a few times, then given up where people see it."""
        faults = self._faults[row.id] = self._faults.get(row.id, 0) + 1
        if faults <= MOST_FAULTS:
            return Sent("retry", reason=reason, after=2.0**faults)
        del self._faults[row.id]
        return Sent("rejected", reason=reason)

    async def _settle(self, row: OutboxRow, sent: Sent, patient: bool = False) -> bool:
        """Writes the verdict down. False when the sender stops before the store could take it."""
        self._metrics.sends.labels(row.channel, row.kind, sent.verdict).inc()
        self.tried(row.channel, sent)
        if sent.verdict not in ("sent", "refused"):
            log.warning(
                "not_sent",
                row=row.id,
                conversation=row.conversation,
                channel=row.channel,
                kind=row.kind,
                verdict=sent.verdict,
                after=sent.after,
                attempts=row.attempts,
            )
        receipts = await self._mark(row, sent, patient)
        if receipts is None:
            return False
        failpoint("outbox.after_mark")
        self._woken(receipts)
        if self.told is not None:
            self.told(row)
        return True

    async def _mark(self, row: OutboxRow, sent: Sent, patient: bool) -> list[Receipt] | None:
        """As often as it takes: what is out must not go out again because its verdict found no space. None at the stop."""
        told = False
        while True:
            try:
                return await self._store.mark([Settled(row, sent)], patient)
            except StorageFull:
                if not told:
                    log.error("verdict_not_stored", row=row.id, conversation=row.conversation)
                told = True
            if not await self._wait(SWEEP_SECONDS):
                return None

    async def _side_row(self, row: OutboxRow) -> None:
        """A call, an outer ticket, a file to fetch: beside the lanes, the result comes back through the inbox."""
        try:
            await self._settle(row, await self._calls.run(row))
        finally:
            if not self._stopping.is_set():
                del self._held[row.id]

    async def sweep(self) -> None:
        """Runs until `stop`: leases what nobody holds, once a second and whenever it is woken."""
        while not self._stopping.is_set():
            self._news.clear()  # before the lease: a wake-up that comes meanwhile is not lost
            try:
                rows = await self._store.lease(LIMIT)
            except StorageFull:
                log.warning("sweep_storage_full")
                await self._wait(SWEEP_SECONDS)
                continue
            self.offer(rows)
            if len(rows) < LIMIT or len(self._lanes) >= MOST_LANES:
                await self._sleep()

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(SWEEP_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return

    def backed_up(self) -> bool:
        """Whether a channel has as many calls under way as it may: who comes now waits."""
        return any(slot.locked() for slot in self._slots.values())

    def wake(self) -> None:
        """There may be rows that nobody holds."""
        self._news.set()

    async def idle(self) -> bool:
        """Returns when nothing is under way. Whether anything was."""
        busy = bool(self._tasks)
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        return busy

    async def stop(self, grace: float = 8.0) -> None:
        """Finishes what is under way within the grace (seconds); the rest stays in the store for the next start, or for
        the next sender of a shared one, which need not wait for the end of our leases."""
        self._stopping.set()
        self._news.set()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._held and self._shared:
            await self._give_back([row for row, _ in self._held.values()])

    async def _give_back(self, rows: Sequence[OutboxRow]) -> None:
        """Not begun, and not ours any more."""
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await self._store.mark([Settled(row, LEFT) for row in rows])
        except (StorageFull, TimeoutError):
            log.warning("rows_not_given_back", count=len(rows))  # their leases end by themselves
