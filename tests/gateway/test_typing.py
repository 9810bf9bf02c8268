"""“Typing…”: shown while a service or a file keeps the client waiting, for nobody else, and never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import gateway.typing
from core.effects import Call, Send
from core.messages import Outgoing
from core.outbox import OutboxRow
from core.ports import Channel, Done, Outcome, Result, Work
from core.rich import plain
from gateway.calls import Calls
from gateway.metrics import Metrics
from gateway.outbox import Sender
from gateway.typing import Typing
from storage.files.local import LocalFiles
from storage.memory import MemoryStore
from tests.gateway.house import PLAIN, Clock, Recorder, echo, inbound

SHOWS = msgspec.structs.replace(PLAIN, typing=True)


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    it = MemoryStore(Clock())
    await it.open()
    yield it
    await it.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.typing, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(gateway.typing, "AGAIN_SECONDS", 0.02)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


class Slow:
    """A service that answers when it is told to."""

    def __init__(self) -> None:
        self.answer = asyncio.Event()

    async def call(self, call: str, params: dict[str, Any], key: str, client: int) -> Outcome:
        await self.answer.wait()
        return Outcome("ok")

    async def close(self) -> None:
        return


async def call_row(store: MemoryStore) -> OutboxRow:
    receipts = await store.accept([inbound(1, "где заказ")], echo(Call("k", "shop", "find", {})))
    return next(row for row in receipts[0].outbox if row.kind == "call")


def calls(store: MemoryStore, shop: Slow, channel: Recorder, folder: Path, hands: bool = True) -> Calls:
    channels: dict[str, Channel] = {"telegram": channel}
    return Calls(store, {"shop": shop}, {}, channels, LocalFiles(folder), Metrics(), hands=lambda channel: hands)


async def test_it_is_shown_again_and_again_while_a_service_is_asked(store: MemoryStore, tmp_path: Path) -> None:
    channel, shop = Recorder(capabilities=SHOWS), Slow()
    work = asyncio.create_task(calls(store, shop, channel, tmp_path).run(await call_row(store)))
    await until(lambda: len(channel.typed) >= 3)
    shop.answer.set()
    assert (await work).verdict == "sent"
    await until(lambda: len(asyncio.all_tasks()) == 1)
    assert set(channel.typed) == {"1"}


async def test_a_quick_answer_needs_no_sign(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.typing, "FIRST_SECONDS", 60.0)
    channel, shop = Recorder(capabilities=SHOWS), Slow()
    shop.answer.set()
    await calls(store, shop, channel, tmp_path).run(await call_row(store))
    await until(lambda: len(asyncio.all_tasks()) == 1)
    assert channel.typed == []


@pytest.mark.parametrize(("capabilities", "hands"), [(PLAIN, True), (SHOWS, False)], ids=["cannot", "is another's"])
async def test_it_is_left_away_where_a_channel(
    store: MemoryStore, tmp_path: Path, capabilities: Any, hands: bool
) -> None:
    channel, shop = Recorder(capabilities=capabilities), Slow()
    work = asyncio.create_task(calls(store, shop, channel, tmp_path, hands).run(await call_row(store)))
    for _ in range(20):
        await asyncio.sleep(0.005)
    shop.answer.set()
    await work
    assert channel.typed == []


class Stuck(Recorder):
    """A channel whose “typing…” never comes back."""

    async def typing(self, chat: str) -> None:
        self.typed.append(chat)
        await asyncio.Event().wait()


async def test_nobody_waits_for_it(store: MemoryStore, tmp_path: Path) -> None:
    channel, shop = Stuck(capabilities=SHOWS), Slow()
    work = asyncio.create_task(calls(store, shop, channel, tmp_path).run(await call_row(store)))
    await until(lambda: bool(channel.typed))
    shop.answer.set()
    assert (await asyncio.wait_for(work, 5)).verdict == "sent"


@pytest.mark.parametrize(("files", "shown"), [(("f1",), True), ((), False)], ids=["file", "text"])
async def test_a_file_on_its_way_shows_it_and_a_text_does_not(
    store: MemoryStore, tmp_path: Path, files: tuple[str, ...], shown: bool
) -> None:
    channel = Recorder(capabilities=SHOWS, hold=asyncio.Event())
    channels: dict[str, Channel] = {"telegram": channel}
    sender = Sender(store, channels, calls(store, Slow(), channel, tmp_path), Metrics(), lambda receipts: None)

    def decide(work: Work) -> Result:
        effects = (Send(Outgoing(plain("Чек"), files=files)),)
        return Result(work.conversation, [Done(pending, effects) for pending in work.events])

    (receipt,) = await store.accept([inbound(1, "раз")], decide)
    sender.offer(receipt.outbox)
    await until(lambda: bool(channel.typed) if shown else bool(channel.rows))
    for _ in range(0 if shown else 20):
        await asyncio.sleep(0.005)
    assert channel.hold is not None
    channel.hold.set()
    await sender.stop()
    assert bool(channel.typed) is shown


async def test_two_clients_are_shown_it_apart() -> None:
    channel = Recorder(capabilities=SHOWS)
    typing = Typing({"telegram": channel})
    rows = [OutboxRow(n, n, "call", "telegram", "42", str(n), f"k{n}") for n in (1, 2)]
    async with typing.shown(rows[0]), typing.shown(rows[1]):
        await until(lambda: {"1", "2"} <= set(channel.typed))
