"""A gate and a store that only remember: what a channel may ask of the gateway, nothing behind it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from core.events import Inbound
from core.hold import Hold
from core.outbox import OutboxRow
from core.ports import Cursor, Files, Hints, LeaseLost, Receipt, StorageFull, Store, StoredFile
from gateway.leases import Alone
from storage.files.local import LocalFiles


class FakeStore:
    """Files by id, and the progress of rows in parts."""

    def __init__(self) -> None:
        self.files: dict[str, StoredFile] = {}
        self.progressed: list[tuple[str, ...]] = []

    async def file(self, id: str) -> StoredFile | None:
        return self.files.get(id)

    async def progress(self, row: OutboxRow) -> None:
        self.progressed.append(row.sent_parts)


class FakeGate:
    """`full` says how many commits fail before the next goes through."""

    def __init__(self, folder: Path) -> None:
        self.files: Files = LocalFiles(folder)
        self.fake_store = FakeStore()
        self.hints: Hints | None = None
        self.inbounds: list[Inbound] = []
        self.cursors: dict[str, str] = {}
        self.quarantined: list[tuple[str, bytes, str]] = []
        self.batches: list[int] = []
        self.counted: Counter[tuple[str, str]] = Counter()
        self.refused = 0
        self.full = 0
        self._seen: set[tuple[str, str, str]] = set()
        self._news = asyncio.Condition()
        self.hears = True
        self.after = 5.0
        self.newest = 0  # the epoch of the newest lease: older cursors are refused
        self.epochs: list[int] = []
        self.hold: Hold = Alone()
        self.given = asyncio.Event()
        self.given.set()

    async def turn(self, channel: str) -> Hold:
        """The lease of the poller: `hold`, when it is given out."""
        await self.given.wait()
        return self.hold

    @property
    def store(self) -> Store:
        return cast("Store", self.fake_store)

    async def accept(self, inbounds: Sequence[Inbound], cursor: Cursor | None = None) -> list[Receipt]:
        self._maybe_full()
        if cursor is not None and cursor.epoch < self.newest:
            raise LeaseLost
        self.batches.append(len(inbounds))
        receipts = [self._one(inbound) for inbound in inbounds]
        if cursor is not None:
            self.cursors[cursor.channel] = cursor.value
            self.epochs.append(cursor.epoch)
        await self._tell()
        return receipts

    def _one(self, inbound: Inbound) -> Receipt:
        key = (inbound.channel, inbound.account, inbound.external_id)
        known = key in self._seen
        self._seen.add(key)
        if not known:
            self.inbounds.append(inbound)
        return Receipt(conversation=1, duplicate=known)

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        self._maybe_full()
        self.quarantined.append((channel, raw, reason))
        await self._tell()

    def count(self, channel: str, what: str) -> None:
        self.counted[channel, what] += 1

    async def cursor(self, channel: str) -> str:
        return self.cursors.get(channel, "")

    def _maybe_full(self) -> None:
        if self.full:
            self.full -= 1
            self.refused += 1
            full = StorageFull()
            full.after = self.after
            raise full

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Waits until something that came in makes the condition true. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(condition)
