"""The sender: order in a lane, refusal after a takeover, patience with the platform, nothing sent twice by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.events import DeliveryFailed
from core.outbox import OutboxRow, Sent, Settled
from core.ports import Receipt, StorageFull, Store
from gateway.calls import Calls
from gateway.metrics import Metrics
from gateway.outbox import PATIENCE_SECONDS, Sender
from storage.files.local import LocalFiles
from storage.memory import MemoryStore
from tests.gateway.house import Clock, Recorder, echo, inbound, settled, taken_over


class Bench:
    """A sender over a real store."""

    def __init__(self, store: Store, folder: Path, clock: Clock) -> None:
        self.store, self.clock, self.channel, self.metrics = store, clock, Recorder(), Metrics()
        channels = {"telegram": self.channel}
        calls = Calls(store, {}, {}, channels, LocalFiles(folder), self.metrics)  # type: ignore[arg-type]
        self.woken = 0
        self.sender = Sender(store, channels, calls, self.metrics, self.wake)  # type: ignore[arg-type]

    def wake(self, receipts: object) -> None:
        self.woken += 1
        for receipt in receipts:  # type: ignore[attr-defined]
            self.sender.offer(receipt.outbox)

    async def say(self, number: int, text: str, chat: str = "1") -> None:
        for receipt in await self.store.accept([inbound(number, text, chat)], echo()):
            self.sender.offer(receipt.outbox)

    async def quiet(self) -> None:
        await settled(lambda: list(self.sender._tasks))


class FullStore(MemoryStore):
    """A store whose disk is full when verdicts come, as often as `full` says."""

    full = 1_000_000

    async def mark(self, settled: Sequence[Settled], patient: bool = False) -> list[Receipt]:
        self.full -= 1
        if self.full >= 0:
            raise StorageFull
        return await super().mark(settled, patient)


@asynccontextmanager
async def opened(kind: type[MemoryStore], folder: Path) -> AsyncIterator[Bench]:
    clock = Clock()
    store = kind(clock, frozenset())
    await store.open()
    it = Bench(store, folder, clock)
    yield it
    await it.sender.stop(0.2)
    await store.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(MemoryStore, tmp_path) as it:
        yield it


async def test_one_lane_keeps_order(bench: Bench) -> None:
    for number in range(1, 6):
        await bench.say(number, f"сообщение {number}")
    await bench.quiet()
    assert bench.channel.texts == [f"сообщение {number}" for number in range(1, 6)]


async def test_a_slow_chat_does_not_stop_the_others(bench: Bench) -> None:
    bench.channel.hold = asyncio.Event()
    await bench.say(1, "медленный")
    await asyncio.sleep(0)
    bench.channel.hold, held = None, bench.channel.hold
    await bench.say(2, "быстрый", chat="2")
    async with asyncio.timeout(2):
        while "быстрый" not in bench.channel.texts:
            await asyncio.sleep(0)
    assert held is not None
    held.set()
    await bench.quiet()
    assert sorted(bench.channel.texts) == ["быстрый", "медленный"]


async def test_a_row_offered_twice_is_sent_once(bench: Bench) -> None:
    receipts = await bench.store.accept([inbound(1, "раз")], echo())
    bench.sender.offer(receipts[0].outbox)
    bench.sender.offer(receipts[0].outbox)
    await bench.quiet()
    assert bench.channel.texts == ["раз"]


async def test_the_bot_is_refused_after_a_takeover(bench: Bench) -> None:
    """Acceptance A2: the reply was decided before a person took over, and is not sent after it."""
    receipts = await bench.store.accept([inbound(1, "поздно")], echo())
    await bench.store.accept([inbound(2, "беру")], taken_over)
    bench.sender.offer(receipts[0].outbox)
    await bench.quiet()
    assert bench.channel.texts == []
    history = await bench.store.history(receipts[0].conversation)
    assert [item.state for item in history if item.author == "bot"] == ["refused"]


async def test_a_short_wait_keeps_the_lane(bench: Bench) -> None:
    bench.channel.answers = [Sent("retry", after=0.01)]
    await bench.say(1, "первое")
    await bench.say(2, "второе")
    await bench.quiet()
    assert bench.channel.texts == ["первое", "первое", "второе"]


async def test_a_long_wait_goes_back_to_the_store(bench: Bench) -> None:
    bench.channel.answers = [Sent("retry", after=PATIENCE_SECONDS + 50)]
    await bench.say(1, "подождёт")
    await bench.quiet()
    assert await bench.store.lease() == []
    assert (await bench.store.stats())["outbox"] == 1


@pytest.mark.parametrize("verdict", ["unreachable", "rejected", "unknown"])
async def test_giving_up_is_an_event(bench: Bench, verdict: str) -> None:
    bench.channel.answers = [Sent(verdict, reason="слова платформы")]  # type: ignore[arg-type]
    await bench.say(1, "не дойдёт")
    await bench.quiet()
    seen: list[object] = []

    def look(work: object) -> object:
        seen.extend(pending.event for pending in work.events)  # type: ignore[attr-defined]
        return echo()(work)  # type: ignore[arg-type]

    await bench.store.work(look)  # type: ignore[arg-type]
    failed = [event for event in seen if isinstance(event, DeliveryFailed)]
    assert [(event.verdict, event.reason) for event in failed] == [(verdict, "слова платформы")]


async def test_an_error_of_ours_is_retried_then_given_up(bench: Bench) -> None:
    bench.channel.answers = [RuntimeError("сломан рендер")] * 6
    receipts = await bench.store.accept([inbound(1, "ой")], echo())
    row = receipts[0].outbox[0]
    for _ in range(6):
        assert (await bench.store.history(receipts[0].conversation))[-1].state == "pending"
        sent = await bench.sender._deliver(row)
        await bench.sender._settle(row, sent)
    history = await bench.store.history(receipts[0].conversation)
    assert [item.state for item in history if item.author == "bot"] == ["failed"]


async def test_waiting_for_the_platform_is_no_fault(bench: Bench) -> None:
    """Pacing and 429 count attempts, too; the first error of ours after many of them must not lose the message."""
    bench.channel.answers = [RuntimeError("сломан рендер")]
    receipts = await bench.store.accept([inbound(1, "долго ждало")], echo())
    row = receipts[0].outbox[0]
    row.attempts = 50
    assert (await bench.sender._deliver(row)).verdict == "retry"


async def test_a_verdict_waits_for_space_and_nothing_goes_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.outbox.SWEEP_SECONDS", 0.01)
    async with opened(FullStore, tmp_path) as bench:
        assert isinstance(bench.store, FullStore)
        bench.store.full = 3
        await bench.say(1, "раз")
        await bench.say(2, "два")
        bench.clock.move(31)
        bench.sender.offer(await bench.store.lease())
        await bench.quiet()
        assert bench.channel.texts == ["раз", "два"]
        assert (await bench.store.stats())["outbox"] == 0


async def test_a_verdict_the_store_cannot_take_keeps_no_stop(tmp_path: Path) -> None:
    async with opened(FullStore, tmp_path) as bench:
        await bench.say(1, "раз")
        while not bench.channel.texts:
            await asyncio.sleep(0)
        await bench.sender.stop(5)
        assert bench.channel.texts == ["раз"]
        assert bench.sender._lanes == {}


async def test_the_sweep_finds_what_nobody_holds(bench: Bench) -> None:
    await bench.store.accept([inbound(1, "забытое")], None)
    await bench.store.work(echo())
    bench.clock.move(31)
    sweeping = asyncio.create_task(bench.sender.sweep())
    async with asyncio.timeout(2):
        while not bench.channel.texts:
            await asyncio.sleep(0)
    await bench.sender.stop(0.2)
    await sweeping
    assert bench.channel.texts == ["забытое"]


async def test_stop_waits_for_what_is_under_way(bench: Bench) -> None:
    bench.channel.hold = asyncio.Event()
    await bench.say(1, "в пути")
    await asyncio.sleep(0)
    stopping = asyncio.create_task(bench.sender.stop(2.0))
    await asyncio.sleep(0)
    bench.channel.hold.set()
    await stopping
    assert (await bench.store.stats())["outbox"] == 0


class Away(MemoryStore):
    """A store that is away when the epoch is asked for, as often as `away` says."""

    away = 0

    async def epoch(self, conversation: int) -> int:
        self.away -= 1
        if self.away >= 0:
            raise StorageFull
        return await super().epoch(conversation)


async def test_a_store_that_is_away_is_no_fault_of_the_message(tmp_path: Path) -> None:
    async with opened(Away, tmp_path) as bench:
        assert isinstance(bench.store, Away)
        bench.store.away = 1
        receipts = await bench.store.accept([inbound(1, "раз")], echo())
        sent = await bench.sender._deliver(receipts[0].outbox[0])
        assert (sent.verdict, sent.after, bench.sender._faults, bench.channel.texts) == ("retry", 1.0, {}, [])
        assert (await bench.sender._deliver(receipts[0].outbox[0])).verdict == "sent"


async def test_a_wake_up_is_a_sweep(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.outbox.SWEEP_SECONDS", 60.0)
    sweeping = asyncio.create_task(bench.sender.sweep())
    await asyncio.sleep(0)
    await bench.store.accept([inbound(1, "забытое")], echo())
    bench.clock.move(31)
    bench.sender.wake()
    async with asyncio.timeout(2):
        while not bench.channel.texts:
            await asyncio.sleep(0)
    await bench.sender.stop(0.2)
    await sweeping


class Slow(MemoryStore):
    """A store whose answer is awaited for so long that the lease is over meanwhile."""

    ours = shared = True

    async def epoch(self, conversation: int) -> int:
        self.ours = False
        return await super().epoch(conversation)


async def test_a_lease_that_ends_while_the_store_is_asked_stops_the_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process may stand still anywhere: the last look is right before the send."""
    monkeypatch.setattr("gateway.outbox.JUST_SECONDS", 0.0)
    async with opened(Slow, tmp_path) as bench:
        store = bench.store
        assert isinstance(store, Slow)
        bench.sender._hands = lambda channel: store.ours
        await bench.say(1, "раз")
        await bench.quiet()
        assert bench.channel.texts == []
        assert (await store.stats())["outbox"] == 1


class Watched(MemoryStore):
    """A store that other processes share, which notes what it is asked."""

    shared = True

    def __init__(self, clock: Callable[[], float], outer_desks: frozenset[str]) -> None:
        super().__init__(clock, outer_desks)
        self.asked: list[int] = []
        self.patient: list[bool] = []

    def note(self, row: OutboxRow, sent: Sent) -> bool:
        return False

    async def epoch(self, conversation: int) -> int:
        self.asked.append(conversation)
        return await super().epoch(conversation)

    async def mark(self, settled: Sequence[Settled], patient: bool = False) -> list[Receipt]:
        self.patient.append(patient)
        return await super().mark(settled, patient)


@pytest.mark.parametrize(("seconds", "asked"), [(60.0, []), (0.0, [1])])
async def test_a_turn_of_just_now_had_the_conversation(
    seconds: float, asked: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.outbox.JUST_SECONDS", seconds)
    async with opened(Watched, tmp_path) as bench:
        await bench.say(1, "раз")
        await bench.quiet()
        assert isinstance(bench.store, Watched)
        assert (bench.channel.texts, bench.store.asked) == (["раз"], asked)


async def test_a_row_out_of_the_store_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.outbox.JUST_SECONDS", 60.0)
    async with opened(Watched, tmp_path) as bench:
        await bench.store.accept([inbound(1, "раз")], echo())
        bench.clock.move(31)
        bench.sender.offer(await bench.store.lease())
        await bench.quiet()
        assert isinstance(bench.store, Watched)
        assert (bench.channel.texts, bench.store.asked) == (["раз"], [1])


async def test_a_mark_that_nothing_waits_for_is_patient(tmp_path: Path) -> None:
    async with opened(Watched, tmp_path) as bench:
        await bench.say(1, "раз")
        await bench.quiet()
        bench.channel.answers = [Sent("rejected", reason="нет")]
        await bench.say(2, "два", chat="2")
        await bench.quiet()
        bench.sender._slots["telegram"] = asyncio.Semaphore(1)
        await bench.say(3, "три", chat="3")
        await bench.quiet()
        assert isinstance(bench.store, Watched)
        assert bench.store.patient == [True, False, False]


async def test_the_sender_says_when_it_is_backed_up(bench: Bench) -> None:
    bench.sender._slots["telegram"] = asyncio.Semaphore(1)
    bench.channel.hold = asyncio.Event()
    assert not bench.sender.backed_up()
    await bench.say(1, "раз")
    while not bench.channel.rows:
        await asyncio.sleep(0)
    assert bench.sender.backed_up()
    bench.channel.hold.set()
    await bench.quiet()
    assert not bench.sender.backed_up()
